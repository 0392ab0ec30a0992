"""Sample corpora, tiny configs, and an engine that trains nothing."""

import json
from pathlib import Path

import pytest
import spacy

from spacy_mtl_bioner.corpora.catalogue import get_entry, load_catalogue
from spacy_mtl_bioner.corpora.convert import convert_corpus
from spacy_mtl_bioner.experiments.compare import System
from spacy_mtl_bioner.experiments.folder import COUNTS, RESULT, write_json
from spacy_mtl_bioner.experiments.launch import Runs
from spacy_mtl_bioner.experiments.training import Setting

ROOT = Path(__file__).resolve().parents[2]
CORPORA = ("sample-disease", "sample-chemical", "sample-gene", "sample-species")


@pytest.fixture(scope="session")
def corpora(tmp_path_factory):
    """The four sample corpora as DocBins."""
    out = tmp_path_factory.mktemp("corpus")
    entries = load_catalogue(ROOT / "assets" / "catalogue.json")
    nlp = spacy.blank("en")
    for name in CORPORA:
        convert_corpus(get_entry(entries, name), ROOT / "assets" / "corpora", out, nlp)
    return out


@pytest.fixture(scope="session")
def systems(tmp_path_factory):
    """A system for one corpus and one for several, both tiny."""
    folder = tmp_path_factory.mktemp("configs")
    text = (ROOT / "configs" / "sample.cfg").read_text(encoding="utf8")
    text = text.replace("width = 32\noutput = 32", "width = 4\noutput = 4").replace("CrossSharing.v1", "FullyShared.v1")
    text = "\n".join(line for line in text.splitlines() if not line.startswith("gate = "))
    (folder / "several.cfg").write_text(text, encoding="utf8")
    others = tuple(f"{name} = " for name in CORPORA[1:])
    alone = "\n".join(line for line in text.splitlines() if not line.startswith(others))
    (folder / "alone.cfg").write_text(alone.replace("FullyShared.v1", "SingleTask.v1"), encoding="utf8")
    return System("alone", folder / "alone.cfg"), System("several", folder / "several.cfg")


@pytest.fixture(scope="session")
def setting(corpora):
    """Two passes under the project's protocol."""
    return Setting(corpora, ROOT / "configs" / "protocol.cfg", (("protocol.max_passes", 2),))


@pytest.fixture
def runs(tmp_path, setting):
    return Runs(tmp_path / "out", setting, "mtl-bioner compare")


class FakeJob:
    """Ends with an exit code after some polls."""

    def __init__(self, code, polls, end=lambda: None):
        self.code, self.polls, self.end = code, polls, end
        self.stopped = False

    def poll(self):
        self.polls -= 1
        if self.polls > 0:
            return None
        self.end()
        return self.code

    def stop(self):
        self.stopped = True


class FakeEngine:
    """Writes results without training. f1: of a job (what ``job.json`` holds); failing: which jobs fail."""

    def __init__(self, slots=1, f1=lambda job: 50.0, failing=lambda job: False):
        self.slots, self.f1, self.failing = slots, f1, failing
        self.started, self.jobs = [], []

    def start(self, folder):
        job = json.loads((folder / "job.json").read_text())
        name = "+".join(job["training"]["corpora"])
        self.started.append((job["training"]["system"], name, job["training"]["seed"]))
        if self.failing(job):
            (folder / "train.log").write_text("step 1\nValueError: no luck\n")
            self.jobs.append(FakeJob(1, 2))
        else:
            self.jobs.append(FakeJob(0, 2, lambda: write_json(folder / RESULT, self.result(job))))
        return self.jobs[-1]

    def result(self, job):
        head = {
            "system": job["training"]["system"],
            "seed": job["training"]["seed"],
            "main": job["training"]["main"],
            "partners": job["training"]["corpora"][1:],
        }
        f1 = self.f1(job)
        devel = f1 + (len(job["training"]["corpora"]) == 1)  # alone is better there
        figures = {"precision": f1, "recall": f1, "f1": f1, "devel_f1": devel, "minutes": 1.0}
        return {"records": [{"corpus": corpus, **head, **figures} for corpus in job["scored"]], "curve": []}


def write_counts(training, state, units=10, unit="document"):
    """Counts of units beside a made-up result, from which its F1 follows."""
    kept = {}
    for record in state.result(training)["records"]:
        right = round(record["f1"] * units * 10)
        shares = [right // units + (place < right % units) for place in range(units)]
        wrong = [1000 - share for share in shares]
        kept[record["corpus"]] = {"unit": unit, "counts": [[a, b, b] for a, b in zip(shares, wrong)]}
    write_json(state.runs.folder(training) / COUNTS, kept)
