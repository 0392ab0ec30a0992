"""The server: over a real socket, what ``annotate`` gives, for programs and on the page."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
import spacy

from spacy_mtl_bioner.annotate.annotator import Annotator
from spacy_mtl_bioner.annotate.formats.fields import fields_of
from spacy_mtl_bioner.types import Document

pytest.importorskip("starlette")
uvicorn = pytest.importorskip("uvicorn")

from spacy_mtl_bioner.annotate.server import make_app  # noqa: E402

KNOWN = "BRCA1 mutations cause breast cancer and asthma"
LIMIT = 20_000


class Served:
    """An application at a port of its own."""

    def __init__(self, app):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]})
        self.thread.start()

    def ask(self, path, body=None):
        """Status and text of the answer."""
        address = f"http://127.0.0.1:{self.socket.getsockname()[1]}{path}"
        try:
            with urlopen(Request(address, body), timeout=60) as answer:
                return answer.status, answer.read().decode("utf-8")
        except HTTPError as error:
            with error:
                return error.code, error.read().decode("utf-8")

    def post(self, **record):
        status, text = self.ask("/annotate", json.dumps(record).encode())
        return status, json.loads(text)

    def close(self):
        self.server.should_exit = True
        self.thread.join(30)
        self.socket.close()


@pytest.fixture(scope="module")
def annotator(model):
    return Annotator(str(model), label_map="default")


@pytest.fixture(scope="module")
def served(annotator):
    at = Served(make_app(annotator, LIMIT))
    yield at
    at.close()


def test_a_text_gets_the_record_of_annotate(served, annotator):
    status, answer = served.post(text=KNOWN, year=1999)
    expected = fields_of(annotator(Document("1", KNOWN, meta={"year": 1999})))
    assert status == 200 and answer == {"documents": [expected], "failures": []}
    assert [entity["unified"] for entity in expected["entities"]] == ["Gene", "Disease", "Disease"]


def test_documents_keep_their_order_and_those_without_text_are_told(served):
    texts = [{"id": "a", "text": KNOWN}, {"id": "b"}, {"text": "asthma"}, {"id": "d", "text": 7}, {"id": 5, "text": ""}]
    status, answer = served.post(documents=texts)
    assert status == 200 and [record["id"] for record in answer["documents"]] == ["a", "3", "5"]
    assert [failure["id"] for failure in answer["failures"]] == ["b", "d"]
    assert all("MTL362" in failure["error"] for failure in answer["failures"])
    assert served.post(documents=[]) == (200, {"documents": [], "failures": []})


def test_a_request_chooses_its_corpora(served, annotator):
    labels = {"disease": {"Disease"}, "gene": {"Gene"}}
    for corpora in (["disease"], ["gene"], ["gene", "disease"], []):
        _, answer = served.post(text=KNOWN, corpora=corpora)
        found = {entity["label"] for entity in answer["documents"][0]["entities"]}
        assert found == set().union(*(labels[corpus] for corpus in corpora))
        (same,) = annotator.pipe([Document("1", KNOWN)], corpora=corpora)
        assert fields_of(same) == answer["documents"][0]


@pytest.mark.parametrize(
    "body, code",
    [
        (b"", "MTL374"),
        (b"{", "MTL374"),
        (b"[" * 5_000, "MTL374"),
        (b'"text"', "MTL374"),
        (b'{"documents": ["x"]}', "MTL374"),
        (b'{"documents": {"text": "x"}}', "MTL374"),
        (b'{"documents": [], "text": "x"}', "MTL374"),
        (b'{"text": "x", "corpora": ["nope"]}', "MTL100"),
        (b'{"text": "x", "corpora": "gene"}', "MTL104"),
        (b'{"text": "\xff"}', "MTL374"),
    ],
)
def test_what_is_no_request_is_refused(served, body, code):
    status, text = served.ask("/annotate", body)
    assert status == 400 and list(json.loads(text)) == ["error"] and f"[{code}]" in text


def test_addresses_methods_and_sizes(served):
    assert served.ask("/nope")[0] == 404 and served.ask("/annotate")[0] == 405
    for path in ("/annotate", "/"):
        status, text = served.ask(path, b"x" * (LIMIT + 1))
        assert status == 413 and "[MTL375]" in text
    assert served.post(text="x" * (LIMIT - 100))[0] == 200


def test_the_model_says_what_it_knows(served):
    status, text = served.ask("/model")
    about = json.loads(text)
    assert status == 200 and about["corpora"] == {"disease": ["Disease"], "gene": ["Gene", "Protein"]}
    assert about["versions"]["spacy"] == spacy.__version__


def test_the_page_shows_what_was_found_and_lets_nothing_in(served):
    status, page = served.ask("/")
    assert status == 200 and "<mark" not in page and page.count(" checked>") == 2
    evil = '</textarea><script>alert("x")</script> asthma'
    status, page = served.ask("/", urlencode({"text": evil, "corpora": "disease"}).encode())
    assert status == 200 and page.count("<script>") == 1 and "</textarea><script>" not in page
    assert re.search(r'<mark [^>]*data-l="Disease"[^>]*>asthma</mark>', page) and page.count(" checked>") == 1
    status, page = served.ask("/", urlencode({"text": "x", "corpora": "<b>"}).encode())
    assert status == 400 and "[MTL100]" in page and "<b>" not in page


def test_a_document_at_which_the_pipeline_fails_costs_itself(poisoned):
    path, code = poisoned
    served = Served(make_app(Annotator(str(path), code=str(code))))
    try:
        status, answer = served.post(documents=[{"id": "a", "text": "POISON"}, {"id": "b", "text": KNOWN}])
    finally:
        served.close()
    assert status == 200 and [record["id"] for record in answer["documents"]] == ["b"]
    assert answer["failures"] == [{"id": "a", "error": answer["failures"][0]["error"]}]
    assert "[MTL355]" in answer["failures"][0]["error"]


def test_requests_at_the_same_time_get_their_own_answers(served):
    answers = {}

    def ask(number):
        answers[number] = served.post(id=str(number), text=f"{KNOWN} {'asthma ' * number}")[1]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(8):
        (record,) = answers[number]["documents"]
        assert record["id"] == str(number) and len(record["entities"]) == 3 + number


def test_a_pipeline_without_a_recognizer_is_served(annotator):
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "Gene", "pattern": "BRCA1"}])
    served = Served(make_app(Annotator(nlp)))
    try:
        assert served.post(text=KNOWN)[1]["documents"][0]["entities"][0]["label"] == "Gene"
        assert served.post(text=KNOWN, corpora=["gene"])[0] == 400
        assert served.ask("/")[0] == 200
    finally:
        served.close()


def test_the_command_serves_until_it_is_interrupted(model):
    command = [sys.executable, "-m", "spacy_mtl_bioner", "serve", str(model), "--corpora", "gene", "--port"]
    run = subprocess.Popen([*command, "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        address = re.search(r"http://127\.0\.0\.1:(\d+)", run.stdout.readline())
        body = json.dumps({"text": KNOWN}).encode()
        with urlopen(Request(f"{address[0]}/annotate", body), timeout=60) as answer:
            (record,) = json.load(answer)["documents"]
        assert [entity["label"] for entity in record["entities"]] == ["Gene"]
        with urlopen(address[0], timeout=60) as answer:
            assert answer.read().count(b" checked>") == 1
        taken = subprocess.run([*command, address[1]], capture_output=True, text=True, timeout=120)
        assert taken.returncode == 1 and re.match(r"Error: \[MTL376\] .*\n$", taken.stderr)
    finally:
        run.send_signal(signal.SIGINT)
        said = run.communicate(timeout=60)
    assert "Traceback" not in said[1]
