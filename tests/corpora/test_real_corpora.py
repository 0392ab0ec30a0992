"""The real corpora, byte for byte: IOB2 file, DocBin, file, and the same by way of IOBES."""

import pytest
import spacy

from spacy_mtl_bioner.corpora.catalogue import SPLITS, load_catalogue
from spacy_mtl_bioner.corpora.conll import read_conll
from spacy_mtl_bioner.corpora.convert import Options, convert_corpus
from spacy_mtl_bioner.corpora.documents import read_docbin, sentences_to_docs, write_docbin
from spacy_mtl_bioner.corpora.problems import Problems

from .way_back import docs_to_sentences, write_conll

CATALOGUE = {name: entry for name, entry in load_catalogue().items() if entry.format == "conll"}
QUICK = {("Ex-PTM", "devel"), ("BioNLP11ID", "devel"), ("JNLPBA", "devel"), ("NCBI-disease", "test")}
FILES = [
    pytest.param(name, split, id=f"{name}-{split}", marks=[] if (name, split) in QUICK else pytest.mark.slow)
    for name in CATALOGUE
    for split in SPLITS
]
VOCAB = spacy.blank("en").vocab


def through_docbin(source, target, entry, scheme, new_scheme, problems):
    """Read a file under one scheme and write it under another, by way of a DocBin."""
    spans = entry.kind == "spans"
    scheme, new_scheme = (scheme, new_scheme) if spans else (None, None)
    sentences = read_conll(source, scheme, problems, entry.known_labels())
    docbin = target.with_suffix(".spacy")
    write_docbin(sentences_to_docs(sentences, VOCAB, entry.name, scheme), docbin, entry.kind)
    write_conll(docs_to_sentences(read_docbin(docbin, VOCAB), new_scheme), target)


@pytest.mark.parametrize("name, split", FILES)
def test_every_file_comes_back(corpora_dir, tmp_path, name, split):
    entry = CATALOGUE[name]
    source = corpora_dir / "data" / entry.folder / entry.splits[split]
    if not source.is_file():
        pytest.skip(f"no {source.name} of {name} at hand")
    problems, iobes = Problems(), tmp_path / "iobes.tsv"
    through_docbin(source, tmp_path / "iob2.tsv", entry, "IOB2", "IOB2", problems)
    assert (tmp_path / "iob2.tsv").read_bytes() == source.read_bytes()
    through_docbin(source, iobes, entry, "IOB2", "IOBES", problems)
    assert entry.kind == "tags" or b"\tS-" in iobes.read_bytes()
    through_docbin(iobes, tmp_path / "back.tsv", entry, "IOBES", "IOB2", problems)
    assert (tmp_path / "back.tsv").read_bytes() == source.read_bytes()
    assert not problems.summary()


def test_aligned_corpus_comes_back_too(corpora_dir, tmp_path):
    """NCBI-disease test with the documents and spaces of its abstracts is still the same file, marks aside."""
    abstracts = corpora_dir / "pubtator" / "NCBIdisease_Test.PubTator"
    if not abstracts.is_file():
        pytest.skip("no abstracts at hand")
    name = {"train": "test.tsv"}
    entry = CATALOGUE["NCBI-disease"]
    entry = type(entry)(**{**vars(entry), "splits": {**name, "devel": "test.tsv"}})
    options = Options(align={"all": [abstracts]})
    report = convert_corpus(entry, corpora_dir / "data", tmp_path, spacy.blank("en"), options)
    assert report["splits"]["train"] == {
        "documents": 100,
        "sentences": 940,
        "tokens": 24497,
        "entities": {"Disease": 960},
    }
    docs = read_docbin(tmp_path / "NCBI-disease" / "train.spacy", VOCAB)
    write_conll(docs_to_sentences(docs, "IOB2"), tmp_path / "back.tsv", mark_documents=False)
    assert (tmp_path / "back.tsv").read_bytes() == (corpora_dir / "data" / entry.folder / "test.tsv").read_bytes()
