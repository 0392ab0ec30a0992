"""Bracketed trees: what is written is read, whatever it is, and what is no tree is an error with its line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_mtl_bioner.corpora.treebank_trees import Tree, category, parse_trees, read_trees, unescaped
from spacy_mtl_bioner.errors import MTLError

SYMBOLS = st.text(st.characters(exclude_characters="() \t\r\n", exclude_categories=["Cs"]), min_size=1, max_size=6)
LEAVES = st.tuples(SYMBOLS, SYMBOLS)
TREES = st.recursive(LEAVES, lambda inner: st.tuples(SYMBOLS, st.lists(inner, min_size=1, max_size=3)), max_leaves=12)
SPACES = st.sampled_from([" ", "\n", "\t", "  \r\n"])


def written(tree, space: str = " ") -> str:
    label, content = tree
    inner = content if isinstance(content, str) else space.join(written(child, space) for child in content)
    return f"({label}{space}{inner})"


def as_pairs(tree: Tree, node: int = 0):
    """A small tree as nested pairs again."""
    return tree.labels[node], tree.words[node] or [as_pairs(tree, child) for child in tree.children[node]]


@given(st.lists(TREES, max_size=3), SPACES)
def test_what_is_written_is_read(trees, space: str):
    found = list(parse_trees(space.join(written(tree, space) for tree in trees)))
    assert [as_pairs(tree) for tree in found] == trees


@given(st.text("() ab\n-", max_size=30))
def test_any_text_is_trees_or_an_error_with_its_line(text: str):
    try:
        trees = list(parse_trees(text, Path("x.trees")))
    except MTLError as error:
        assert str(error).startswith("[MTL460] x.trees:")
    else:
        assert text.count("(") == text.count(")") == sum(len(tree.labels) for tree in trees)


@pytest.mark.parametrize(
    "text, line, found",
    [
        ("(NN a)\n(NP (NN b)", 2, "a tree without 1 closing"),
        ("(NN a))", 1, "'[)]'"),
        ("\n\nword", 3, "'word'"),
        ("(NN a b)", 1, "the word 'b'"),
        ("(NP (NN a) b)", 1, "the word 'b'"),
        ("(NN a (NN b))", 1, "a bracket behind a word"),
        ("(NP\n(NN))", 2, "the label 'NN' alone"),
        ("(())", 1, "an empty pair"),
    ],
)
def test_no_trees(text: str, line: int, found: str):
    with pytest.raises(MTLError, match=f"MTL460.*:{line}: {found}"):
        list(parse_trees(text))


def test_lines_and_traces():
    text = "\n( (S (NP-SBJ-1 (PRP We)) (VP (VBD ran) (NP (-NONE- *T*)))) )\n(NN x)"
    first, second = parse_trees(text)
    assert (first.line, second.line) == (2, 3) and first.labels[0] == ""
    assert [first.words[leaf] for leaf in first.leaves()] == ["We", "ran"]


def test_no_tree_is_too_deep():
    depth = 100_000
    (tree,) = parse_trees("(X " * depth + "word" + ")" * depth)
    assert len(tree.labels) == depth and tree.words[-1] == "word"


def test_labels_and_words():
    assert [category(label) for label in ("NP-SBJ-1", "NP=2", "PRP$", "-LRB-", "ADVP|PRT", "")] == [
        "NP", "NP", "PRP$", "-LRB-", "ADVP", "",
    ]  # fmt: skip
    assert [unescaped(word) for word in ("-LRB-", "-RSB-", "-", "a")] == ["(", "]", "-", "a"]


def test_files(tmp_path):
    with pytest.raises(MTLError, match="MTL001.*none.trees"):
        list(read_trees(tmp_path / "none.trees"))
    (tmp_path / "bad.trees").write_bytes(b"(NN \xff)")
    with pytest.raises(MTLError, match="MTL002.*bad.trees:1: "):
        list(read_trees(tmp_path / "bad.trees"))
    (tmp_path / "marked.trees").write_text("(NN a)", encoding="utf-8-sig")
    assert next(read_trees(tmp_path / "marked.trees")).words == ["a"]
    (tmp_path / "good.trees").write_text("(NN a\u00a0b)", encoding="utf-8")
    assert next(read_trees(tmp_path / "good.trees")).words == ["a\u00a0b"]


def test_escapes_within_words():
    words = "-LSB-Ca2+-RSB-i", "a-LRB--RRB-", "-LCB-x-RCB-", "LSB", "-NONE-"
    assert [unescaped(word) for word in words] == ["[Ca2+]i", "a()", "{x}", "LSB", "-NONE-"]
