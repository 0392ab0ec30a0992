"""Treebanks: reading, splitting words and back again, Docs, and the command."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.vocab import Vocab
from typer.testing import CliRunner

from spacy_mtl_bioner.cli import app
from spacy_mtl_bioner.corpora.documents import read_docbin
from spacy_mtl_bioner.corpora.treebank import (
    ParsedSentence, read_conllu, split_words, to_chunk_docs, to_docs, with_chunks,
)  # fmt: skip
from spacy_mtl_bioner.corpora.treebank_trees import parse_trees
from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.extensions import chunks_of
from spacy_mtl_bioner.pipeline.tokenizer import split_words as words_of

SENTENCE = ParsedSentence(
    words=("We", "saw", "CD14+", "thrombin-stimulated", "cells", "(", "5'", ")"),
    tags=("PRP", "VBD", "JJ", "JJ", "NNS", "-LRB-", "CD", "-RRB-"),
    heads=(1, 1, 4, 4, 1, 6, 4, 6),
    relations=("nsubj", "ROOT", "amod", "amod", "dobj", "punct", "appos", "punct"),
    spaces=(True, True, True, True, True, False, False, False),
    chunks=("B-NP", "B-VP", "B-NP", "I-NP", "I-NP", "O", "B-NP", "O"),
)
PATH = Path("x")
TREES = """(S (NP (PRP We)) (VP (VBD saw) (NP (NP (JJ CD14+) (JJ thrombin-stimulated) (NNS cells))
  (PRN (-LRB- -LRB-) (NP (CD 5')) (-RRB- -RRB-)))))\n"""


def conllu(sentence: ParsedSentence, document: str = "") -> str:
    lines = [f"# newdoc id = {document}"] if document else []
    for i, word in enumerate(sentence.words):
        head = 0 if sentence.heads[i] == i else sentence.heads[i] + 1
        misc = "_" if sentence.spaces is None or sentence.spaces[i] else "SpaceAfter=No"
        relation = sentence.relations[i].replace("ROOT", "root")
        lines.append("\t".join([str(i + 1), word, "_", "X", sentence.tags[i], "_", str(head), relation, "_", misc]))
    return "\n".join(lines) + "\n\n"


def test_reading(tmp_path):
    path = tmp_path / "train.conllu"
    other = ParsedSentence(("a", "b"), ("A", "B"), (1, 1), ("x", "ROOT"), (False, True))
    extra = "1-2\tab\t_\t_\t_\t_\t_\t_\t_\t_\n"
    path.write_text(conllu(SENTENCE, "D1") + extra + conllu(other).rstrip("\n"), encoding="utf-8")
    first, second = read_conllu(path)
    assert first == replace(SENTENCE, chunks=None, document="D1", line=2)
    assert second == replace(other, document="D1", line=11)


@pytest.mark.parametrize("after, text", [("SpaceAfter=No", "I don't."), ("_", "I don't .")])
def test_spacing_of_a_token_of_several_words(tmp_path, after: str, text: str):
    rows = [("1", "I"), ("2-3", "don't"), ("2", "do"), ("3", "n't"), ("3.1", "go"), ("4", ".")]
    heads = {"1": "2", "2": "0", "3": "2", "4": "2"}
    miscs = {"2-3": after, "4": "SpaceAfter=No"}
    columns = [[i, word, *"____", heads.get(i, "_"), "x", "_", miscs.get(i, "_")] for i, word in rows]
    path = tmp_path / "x.conllu"
    path.write_text("\n".join(map("\t".join, columns)), encoding="utf-8")
    (doc,) = to_docs(read_conllu(path), Vocab(), "bank")
    assert [token.text for token in doc] == ["I", "do", "n't", "."] and doc.text == text


def test_byte_order_mark_and_bad_bytes(tmp_path):
    path = tmp_path / "x.conllu"
    text = conllu(replace(SENTENCE, chunks=None), "D1")
    path.write_text(text, encoding="utf-8-sig")
    assert next(read_conllu(path)).document == "D1"
    path.write_bytes(text.encode() + b"\xff")
    with pytest.raises(MTLError, match=r"MTL002.*x\.conllu:11: "):
        list(read_conllu(path))
    with pytest.raises(MTLError, match=r"MTL001.*none\.conllu"):
        list(read_conllu(tmp_path / "none.conllu"))


@pytest.mark.parametrize(
    "row, found",
    [
        ("1\ta\t_\t_\tA\t_\t0\troot\t_", "9 column"),
        ("1\ta\t_\t_\tA\t_\t_\troot\t_\t_", "head '_'"),
        ("1\ta\t_\t_\tA\t_\t²\troot\t_\t_", "head '²'"),
        ("1\ta\t_\t_\tA\t_\t" + "1" * 5000 + "\troot\t_\t_", "head '1{40}' of 'a'; "),
        ("1-2\ta" + "\t_" * 8 + "\n1\ta\t_\t_\tA\t_\t0\troot\t_\t_", "the range 1-2 in a sentence of 1"),
        ("0-1\ta" + "\t_" * 8 + "\n1\ta\t_\t_\tA\t_\t0\troot\t_\t_", "the range 0-1 in a sentence of 1"),
        ("1\t \t_\t_\tA\t_\t0\troot\t_\t_", "head '0' of ' '"),
        ("1\ta\t_\t_\tA\t_\t3\tx\t_\t_\n2\tb\t_\t_\tB\t_\t0\troot\t_\t_", "head 3 in a sentence of 2"),
        ("1\ta\t_\t_\tA\t_\t0\troot\t_\t_\n2\tb\t_\t_\tB\t_\t0\troot\t_\t_", "2 roots"),
        ("1\ta\t_\t_\tA\t_\t2\tx\t_\t_\n2\tb\t_\t_\tB\t_\t1\tx\t_\t_", "0 roots"),
        (
            "1\ta\t_\t_\tA\t_\t2\tx\t_\t_\n2\tb\t_\t_\tB\t_\t1\tx\t_\t_\n3\tc\t_\t_\tC\t_\t0\troot\t_\t_",
            "heads that go in a circle",
        ),
    ],
)
def test_what_is_no_tree(tmp_path, row: str, found: str):
    path = tmp_path / "x.conllu"
    path.write_text(f"\n{row}\n\n", encoding="utf-8")
    with pytest.raises(MTLError, match=f"MTL461.*x.conllu:2: {found}"):
        list(read_conllu(path))


def test_parts_of_words():
    """The main part keeps the word's place in the tree, the others hang from it."""
    found = split_words(SENTENCE, words_of)
    rows = list(zip(found.words, found.tags, (found.words[head] for head in found.heads), found.relations))
    assert rows == [
        ("We", "PRP", "saw", "nsubj"),
        ("saw", "VBD", "saw", "ROOT"),
        ("CD14", "JJ", "cells", "amod"),
        ("+", "JJ", "CD14", "punct"),
        ("thrombin", "JJ", "stimulated", "compound"),
        ("-", "HYPH", "stimulated", "punct"),
        ("stimulated", "JJ", "cells", "amod"),
        ("cells", "NNS", "saw", "dobj"),
        ("(", "-LRB-", "5", "punct"),
        ("5", "CD", "cells", "appos"),
        ("'", "CD", "5", "punct"),
        (")", "-RRB-", "5", "punct"),
    ]
    assert found.chunks == ("B-NP", "B-VP", "B-NP", *["I-NP"] * 5, "O", "B-NP", "I-NP", "O")
    text = "".join(word + " " * space for word, space in zip(found.words, found.spaces or ()))
    assert text == "We saw CD14+ thrombin-stimulated cells (5')"


def test_white_space_within_a_word():
    sentence = ParsedSentence(("Xpd\u00a0TTD", "mice"), ("NN", "NNS"), (1, 1), ("compound", "ROOT"), (False, True))
    found = split_words(sentence, words_of)
    assert (found.words, found.heads, found.spaces) == (("Xpd", "TTD", "mice"), (1, 2, 2), (True, False, True))


def test_a_splitter_may_only_cut():
    with pytest.raises(MTLError, match="MTL113"):
        split_words(SENTENCE, lambda word: [word.lower()])


WORDS = st.text(st.sampled_from("ab1-+/'"), min_size=1, max_size=5)


@st.composite
def sentences(draw):
    words = draw(st.lists(WORDS, min_size=1, max_size=7))
    root = draw(st.integers(0, len(words) - 1))
    order = [root, *draw(st.permutations([i for i in range(len(words)) if i != root]))]
    heads = list(range(len(words)))
    for rank, word in enumerate(order[1:], 1):
        heads[word] = order[draw(st.integers(0, rank - 1))]
    relations = ["ROOT" if i == root else f"r{i}" for i in range(len(words))]
    return ParsedSentence(tuple(words), tuple(f"T{i}" for i in range(len(words))), tuple(heads), tuple(relations))


@given(sentences())
def test_the_way_back(sentence: ParsedSentence):
    """From the parts and how many each word has, the sentence comes back: nothing was lost."""
    found = split_words(sentence, words_of)
    counts = [len(words_of(word)) for word in sentence.words]
    firsts = [sum(counts[:i]) for i in range(len(counts))]
    word_of = [i for i, count in enumerate(counts) for _ in range(count)]
    assert tuple("".join(found.words[a : a + n]) for a, n in zip(firsts, counts)) == sentence.words
    for i, (first, count) in enumerate(zip(firsts, counts)):
        parts = range(first, first + count)
        mains = [part for part in parts if word_of[found.heads[part]] != i or found.heads[part] == part]
        assert len(mains) == 1
        main = mains[0]
        assert word_of[found.heads[main]] == sentence.heads[i]
        assert (found.relations[main], found.tags[main]) == (sentence.relations[i], sentence.tags[i])
        assert all(found.heads[part] == main for part in parts if part != main)
        assert {found.relations[part] for part in parts if part != main} <= {"compound", "punct"}


def test_docs():
    (doc,) = to_docs([split_words(SENTENCE, words_of)], Vocab(), "bank")
    assert doc.text == "We saw CD14+ thrombin-stimulated cells (5')" and len(list(doc.sents)) == 1
    assert doc[6].head.text == "cells" and doc[6].dep_ == "amod" and doc[2]._.chunk == "B-NP"
    (unparsed,) = to_docs([SENTENCE], Vocab(), "bank", parsed=False)
    assert unparsed[2].tag_ == "JJ" and not unparsed.has_annotation("DEP") and unparsed.has_annotation("SENT_START")
    (chunked,) = to_chunk_docs([SENTENCE], Vocab())
    assert [token.tag_ for token in chunked] == list(SENTENCE.chunks or ()) and chunked._.corpus == "chunks"
    assert list(to_chunk_docs([replace(SENTENCE, chunks=None)], Vocab())) == []


@pytest.mark.parametrize(
    "trees, found",
    [
        ("(NN a)", r"x.trees:1: 1 words \(... a ...\) where x.conllu:0 has 8"),
        (TREES.replace("5'", "3'"), r"x.trees:1: 8 words \(... cells \( 3' \) ...\) where x.conllu:0 has 8 .* 5' "),
        (TREES + "(NN a)", "x.trees:3: 1 words.*x.conllu:end has none"),
        ("", "x.trees:end: 0 words.*has 8"),
    ],
)
def test_trees_of_other_words(trees: str, found: str):
    with pytest.raises(MTLError, match=f"MTL462.*{found}"):
        list(with_chunks([SENTENCE], parse_trees(trees), Path("x.trees"), Path("x.conllu")))


def test_trees_write_some_words_in_another_way():
    """Brackets, quotes, and thin spaces at the ends of words, as in CRAFT's treebank."""
    words = "a", '"', "(b)", '"', "c"
    sentence = ParsedSentence(words, words, (0,) * 5, ("ROOT",) * 5)
    (found,) = with_chunks([sentence], parse_trees("(NP (X a) (X ``) (X -LRB-b-RRB-) (X '') (X \u2009c))"), PATH, PATH)
    assert found.words == words and found.chunks


def test_penn_escapes_are_brackets_again(tmp_path):
    path = tmp_path / "x.conllu"
    words = "-LRB-", "-LSB-Ca2+-RSB-i", "-RRB-"
    path.write_text(conllu(ParsedSentence(words, ("A",) * 3, (1, 1, 1), ("x", "ROOT", "x"))), encoding="utf-8")
    (sentence,) = read_conllu(path)
    assert sentence.words == ("(", "[Ca2+]i", ")")
    assert split_words(sentence, words_of).words == ("(", "[", "Ca2", "+", "]", "i", ")")


@pytest.mark.parametrize("second, tags", [("_", ["NOUN", "PUNCT"]), (".", ["_", "."])])
def test_universal_parts_of_speech_where_there_are_no_others(tmp_path, second: str, tags: list):
    path = tmp_path / "x.conllu"
    path.write_text(f"# a\tb\tc\td\te\n1\ta\t_\tNOUN\t_\t_\t0\troot\t_\t_\n2\t.\t_\tPUNCT\t{second}\t_\t1\tp\t_\t_\n")
    (sentence,) = read_conllu(path)
    assert list(sentence.tags) == tags


@pytest.mark.parametrize("comment", ["# text = a .", "# text=a .", "#text =a ."])
def test_a_text_tells_the_spacing(tmp_path, comment: str):
    path = tmp_path / "x.conllu"
    path.write_text(f"{comment}\n1\ta\t_\t_\tA\t_\t0\troot\t_\t_\n2\t.\t_\t_\tB\t_\t1\tp\t_\t_\n")
    (sentence,) = read_conllu(path)
    assert sentence.spaces == (True, True)


def test_command(tmp_path):
    for name in ("craft", "genia"):
        folder = tmp_path / "banks" / name
        folder.mkdir(parents=True)
        (folder / "dev.conllu").write_text(conllu(SENTENCE) * 2, encoding="utf-8")
        (folder / "dev.trees").write_text(TREES * 2, encoding="utf-8")
    arguments = ["treebank", str(tmp_path / "banks"), str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*arguments, "--unparsed", "genia", "--rename", "dev=devel"])
    assert done.exit_code == 0, done.output
    assert [row.split() for row in done.output.splitlines() if row.startswith("craft")] == [
        ["craft", "devel", "2", "16", "24", "yes", "8"]
    ]
    (doc, _) = read_docbin(tmp_path / "out" / "syntax" / "devel" / "craft.spacy", Vocab())
    assert doc[6].dep_ == "amod" and list(chunks_of(doc) or [])[:3] == ["B-NP", "B-VP", "B-NP"]
    (doc, _) = read_docbin(tmp_path / "out" / "syntax" / "devel" / "genia.spacy", Vocab())
    assert not doc.has_annotation("DEP") and doc[6].tag_ == "JJ"
    (doc, _) = read_docbin(tmp_path / "out" / "chunks" / "devel" / "craft.spacy", Vocab())
    assert [token.tag_ for token in doc][:4] == ["B-NP", "B-VP", "B-NP", "I-NP"]
    done = CliRunner().invoke(app, ["treebank", str(tmp_path), str(tmp_path / "out")])
    assert done.exit_code == 1 and "MTL463" in done.output
    assert CliRunner().invoke(app, [*arguments, "--rename", "dev"]).exit_code == 2
    (tmp_path / "file").write_text("")
    done = CliRunner().invoke(app, [*arguments[:2], str(tmp_path / "file")])
    assert done.exit_code == 1 and "MTL182" in done.output


def test_names_that_nothing_has_and_splits_that_are_two_are_told(tmp_path):
    folder = tmp_path / "banks" / "craft"
    folder.mkdir(parents=True)
    for name in ("dev", "train"):
        (folder / f"{name}.conllu").write_text(conllu(SENTENCE), encoding="utf-8")
    arguments = ["treebank", str(tmp_path / "banks"), str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*arguments, "--unparsed", "crafd", "--rename", "def=devel"])
    assert done.exit_code == 0
    assert "--unparsed crafd: nothing is called so here; there is craft" in done.output
    assert "--rename def: nothing is called so here; there is dev, train" in done.output
    done = CliRunner().invoke(app, [*arguments, "--rename", "dev=train"])
    assert done.exit_code == 1 and "MTL464" in done.output and "'train'" in done.output


def test_real_treebanks():
    """Every word of the treebanks at hand: sentences stay whole with their parse, and trees fit."""
    root = Path(__file__).resolve().parents[3] / "shared" / "treebank" / "genia"
    if not root.is_dir():
        pytest.skip("no treebank at hand")
    sentences = list(read_conllu(root / "test.conllu"))
    trees = parse_trees((root / "test.trees").read_text(encoding="utf-8"))
    found = [split_words(s, words_of) for s in with_chunks(sentences, trees, root, root)]
    assert len(found) == 1360
    for doc, sentence in zip(to_docs(found, Vocab(), "genia"), found):
        assert [token.is_sent_start for token in doc] == [i == 0 for i in range(len(doc))]
        assert [token.head.i for token in doc] == list(sentence.heads)
