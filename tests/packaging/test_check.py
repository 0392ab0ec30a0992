import json
import pickle
import re
import sys
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from spacy_mtl_bioner.cli import app
from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.packaging import check
from spacy_mtl_bioner.packaging.check import make_environment, refuse_pickles, run


@pytest.fixture
def wheel(tmp_path):
    path = tmp_path / "tiny_wheel-1.0-py3-none-any.whl"
    info = "tiny_wheel-1.0.dist-info"
    files = {
        "tiny_wheel.py": "answer = 42\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: tiny-wheel\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)
    return path


def test_the_environment_has_the_wheel_linked_dependencies_and_no_network(tmp_path, wheel):
    python = make_environment(tmp_path / "venv", [wheel], full=False)
    code = (
        "import json, socket, spacy, sys, tiny_wheel\n"
        "errors = []\n"
        "for call in (lambda: socket.create_connection(('localhost', 9)), lambda: socket.getaddrinfo('localhost', 9),\n"
        "             lambda: socket.socket().connect(('127.0.0.1', 9))):\n"
        "    try: call()\n"
        "    except OSError as error: errors.append(str(error))\n"
        "print(json.dumps([tiny_wheel.__file__, sys.prefix, errors]))\n"
    )
    module, prefix, errors = json.loads(run([python, "-c", code]))
    assert module.startswith(str(tmp_path)) and prefix.startswith(str(tmp_path))
    assert errors == ["the network is blocked in this environment"] * 3


def test_a_wheel_with_pickled_data_is_refused(wheel):
    refuse_pickles(wheel)
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("tiny/model", pickle.dumps([1], protocol=4))
    with pytest.raises(MTLError, match="MTL176.*tiny/model"):
        refuse_pickles(wheel)


def test_what_is_no_wheel_is_refused(tmp_path):
    (tmp_path / "a.whl").write_bytes(b"no archive")
    with pytest.raises(MTLError, match=r"MTL174.*a\.whl"):
        refuse_pickles(tmp_path / "a.whl")


def test_a_wheel_that_cannot_be_unpacked_is_refused(tmp_path):
    path, text = tmp_path / "a.whl", b"all kinds of things " * 20
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.py", text)
    whole = path.read_bytes()
    entry, data = whole.index(b"PK\x01\x02"), 30 + len("a.py")
    damaged = whole[:data] + b"\xff" * 10 + whole[data + 10 :]
    encrypted, strange = bytearray(whole), bytearray(whole)
    for flags, method in ((6, 8), (entry + 8, entry + 10)):
        encrypted[flags] |= 1
        strange[method] = 77
    for content in (damaged, encrypted, strange):
        path.write_bytes(content)
        with pytest.raises(MTLError, match=r"MTL174.*a\.whl"):
            refuse_pickles(path)


def test_a_command_that_fails_is_a_coded_error_with_its_output():
    with pytest.raises(MTLError, match="MTL177.*code 3.*the reason"):
        run([sys.executable, "-c", "import sys; print('the reason'); sys.exit(3)"])


@pytest.fixture
def checked(tmp_path, wheel, monkeypatch):
    """The command, in whose fresh environment the package answers what it is told to."""
    (tmp_path / "texts.txt").write_text("asthma\n\nnothing here\n")

    def command(answer, expected):
        monkeypatch.setattr(check, "entities", lambda model, texts: expected)
        monkeypatch.setattr(check, "build_wheel", lambda source, out: wheel)
        monkeypatch.setattr(check, "make_environment", lambda folder, wheels, full: str(folder / "python"))
        monkeypatch.setattr(check, "run", lambda command, stdin: json.dumps(answer(Path(command[0]).parent)))
        paths = {"--model": tmp_path, "--texts": tmp_path / "texts.txt", "--plugin": tmp_path}
        report = tmp_path / "out" / "report.json"
        options = [str(part) for pair in {**paths, "--report": report}.items() for part in pair]
        return CliRunner().invoke(app, ["check-package", str(wheel), *options])

    return command


FOUND = [[[0, 6, "Disease"]], []]


def answering(entities=FOUND, origin=None, unmet=()):
    """What the probe says; modules are from the new environment unless ``origin`` says from where."""
    return lambda venv: {"entities": entities, "unmet": list(unmet), "origins": {"m": origin or str(venv / "m.py")}}


def test_a_package_that_answers_as_the_model_is_good(checked, tmp_path):
    done = checked(answering(), FOUND)
    assert done.exit_code == 0 and "same 1 entities in 2 texts" in done.output
    assert json.loads((tmp_path / "out" / "report.json").read_text())["entities"] == 1


@pytest.mark.parametrize(
    "answer, expected, code",
    [
        (answering([[[0, 6, "Gene"]], []]), FOUND, r"MTL178.*'asthma'"),
        (answering([[], []]), [[], []], "MTL179"),
        (answering(unmet=["m requires spacy<3, found 3.8"]), FOUND, "MTL180.*spacy<3"),
        (answering(origin="/elsewhere/m.py"), FOUND, "MTL180.*imported from /elsewhere"),
    ],
)
def test_a_package_that_differs_is_refused(checked, tmp_path, answer, expected, code):
    done = checked(answer, expected)
    assert done.exit_code == 1 and re.search(code, done.output)
    assert not (tmp_path / "out").exists()


def test_a_wheel_is_built_from_packages_and_files_alone(tmp_path, monkeypatch):
    others = ("mine/tests/b.py", "venv/lib/c.py", "corpus/d.spacy")
    for name in ("mine/__init__.py", "mine/sub/a.py", "setup.cfg", *others):
        (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "source" / name).touch()
    (tmp_path / "source" / "corpus" / "link").symlink_to("nothing")
    found = []

    def build(command):
        copy = Path(command[-1])
        found.extend(sorted(path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file()))
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "mine-1.whl").touch()

    monkeypatch.setattr(check, "run", build)
    assert check.build_wheel(tmp_path / "source", tmp_path / "out").name == "mine-1.whl"
    assert found == ["mine/__init__.py", "mine/sub/a.py", "setup.cfg"]
