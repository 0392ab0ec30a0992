import gzip
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_mtl_bioner.corpora.formats import FORMATS, get_format, read_documents
from spacy_mtl_bioner.corpora.problems import Problems
from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.types import Document, Mention, Passage

from .standoff import documents, flat, spans

EXAMPLE = Document("1", "IL-2 binds CD25", [Mention(0, 4, "Gene", "IL-2", "3558")], [Passage(0, 15, "title")])


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("packed", [False, True])
def test_every_format_by_suffix_and_gzip(tmp_path, name, packed):
    suffix = FORMATS[name].suffixes[0]
    path = tmp_path / f"corpus{suffix}"
    FORMATS[name].write(path, [EXAMPLE])
    if packed and suffix:
        path = path.with_name(path.name + ".gz")
        path.write_bytes(gzip.compress((tmp_path / f"corpus{suffix}").read_bytes()))
    assert get_format(path) is FORMATS[name]
    (document,) = read_documents(path, Problems())
    assert (document.id, document.text, spans(document)) == ("1", EXAMPLE.text, spans(EXAMPLE))


@pytest.mark.parametrize("name", FORMATS)
def test_named_format_wins_over_the_suffix(tmp_path, name):
    FORMATS[name].write(tmp_path / "corpus.txt", [EXAMPLE])
    (document,) = read_documents(tmp_path / "corpus.txt", Problems(), name)
    assert spans(document) == spans(EXAMPLE)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "brat"])
def test_every_format_from_a_folder_of_files(tmp_path, name):
    entry, others = FORMATS[name], [replace(EXAMPLE, id=id, passages=[]) for id in "abc"]
    files = [f"2{entry.suffixes[-1].upper()}", "sub/3.x", f"1{entry.suffixes[0]}.gz"]
    (tmp_path / "in" / "sub").mkdir(parents=True)
    for file, document in zip(files, others):
        path = tmp_path / "in" / file
        entry.write(path, [document])
        path.write_bytes(gzip.compress(path.read_bytes()) if file.endswith(".gz") else path.read_bytes())
    (tmp_path / "in" / "sub" / "3.x").rename(tmp_path / "in" / "sub" / f"3{entry.suffixes[0]}")
    found = list(read_documents(tmp_path / "in", Problems(), name))
    assert [document.id for document in found] == ["c", "a", "b"] and found[0].mentions == EXAMPLE.mentions
    problems = Problems()
    entry.write(tmp_path / "in" / f"4{entry.suffixes[0]}", [replace(others[0])])
    assert len(list(read_documents(tmp_path / "in", problems, name))) == 3
    assert problems.warned == {"identical document": 1}
    entry.write(tmp_path / "in" / f"4{entry.suffixes[0]}", [replace(others[0], text="Other")])
    with pytest.raises(MTLError, match=rf"MTL028\] .*in/4{entry.suffixes[0]}.*'a' stands there already \(.*in/2\."):
        list(read_documents(tmp_path / "in", Problems(), name))
    (tmp_path / "in" / f"4{entry.suffixes[0]}").write_bytes(b"")
    with pytest.raises(MTLError, match=rf"MTL003\] .*in/4{entry.suffixes[0]}"):
        list(read_documents(tmp_path / "in", Problems(), name))
    (tmp_path / "empty").mkdir()
    with pytest.raises(MTLError, match="MTL042"):
        list(read_documents(tmp_path / "empty", Problems(), name))


def test_suffixes_are_told_apart_whatever_their_case(tmp_path):
    suffixes = [suffix for entry in FORMATS.values() for suffix in entry.suffixes]
    assert len(set(suffixes)) == len(suffixes)
    assert get_format(tmp_path / "NCBI_Test.PubTator") is FORMATS["pubtator"]


@pytest.mark.parametrize("name, format", [("a.doc", None), ("bare", None), ("a.json", "word")])
def test_unknown_format(tmp_path, name, format):
    (tmp_path / name).touch()
    with pytest.raises(MTLError, match="MTL037.*expected one of pubtator, brat"):
        get_format(tmp_path / name, format)


@settings(deadline=None, max_examples=25)
@given(documents())
def test_from_each_format_to_the_next(tmp_path_factory, made):
    """One corpus through all formats in turn keeps text, mentions and identifiers."""
    found = [replace(document, text=flat(document.text)) for document in made]
    for name, entry in FORMATS.items():
        path = tmp_path_factory.mktemp("turn") / "corpus"
        entry.write(path, found)
        found = list(entry.read(path, Problems()))
    assert [(d.id, d.text, spans(d)) for d in found] == [(d.id, flat(d.text), spans(d)) for d in made]


def test_bioc_is_imported_on_first_use():
    code = "import sys, spacy_mtl_bioner.corpora.formats; sys.exit(bool({'bioc', 'lxml', 'torch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", FORMATS)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_damaged_files_raise_nothing_but_coded_errors(tmp_path_factory, name, data):
    """Whatever bytes are put in or cut out, a reader gives sound documents or coded errors."""
    path = tmp_path_factory.mktemp("damaged") / f"corpus{FORMATS[name].suffixes[0]}"
    FORMATS[name].write(path, [EXAMPLE, replace(EXAMPLE, id="2", text="α-syn binds CD25")])
    victim = data.draw(st.sampled_from(sorted(path.iterdir()) if path.is_dir() else [path]))
    content = victim.read_bytes()
    at, end = sorted(data.draw(st.tuples(*[st.integers(0, len(content))] * 2)))
    victim.write_bytes(content[:at] + data.draw(st.binary(max_size=5)) + content[end:])
    problems, refused = Problems("skip"), False
    try:
        for document in read_documents(path, problems, name):
            document.text.encode("utf-8")
            ends = [0, *(end for m in document.mentions for end in (m.start, m.end)), len(document.text)]
            assert ends == sorted(ends) and all(m.start < m.end for m in document.mentions)
    except MTLError as error:  # a file whose offsets are mostly wrong is not to be skipped
        refused = str(error).startswith("[MTL040]")
        assert refused
    try:
        list(read_documents(path, Problems(), name))
    except MTLError:
        assert problems.skipped or refused
    else:
        assert not problems.skipped and not refused
