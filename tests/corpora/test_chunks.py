"""Base phrases: the rule on trees in the style of each treebank, and its invariants on any tree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_mtl_bioner.corpora.chunks import CHUNK_TYPES, chunk_tags
from spacy_mtl_bioner.corpora.treebank_trees import parse_trees

from .test_treebank_trees import written


def chunked(brackets: str) -> str:
    """The words with brackets around chunks."""
    (tree,) = parse_trees(brackets)
    found = []
    for leaf, tag in zip(tree.leaves(), chunk_tags(tree)):
        if tag.startswith("I-"):
            found[-1] = f"{found[-1][:-1]} {tree.words[leaf]}]"
        else:
            found.append(tree.words[leaf] if tag == "O" else f"[{tag[2:]} {tree.words[leaf]}]")
    return " ".join(found)


@pytest.mark.parametrize(
    "brackets, expected",
    [
        (  # the published example: modifiers before the head belong to it
            "(S (NP (DT This) (NN case)) (VP (VBZ is) (NP (DT a) (ADJP (RB paternally) (VBN transmitted)) "
            "(JJ congenital) (JJ myotonic) (NN dystrophy))))",
            "[NP This case] [VP is] [NP a paternally transmitted congenital myotonic dystrophy]",
        ),
        (  # phrases behind a head are their own
            "(S (NP (NP (DT the) (NN role)) (PP (IN of) (NP (NNS mice)))) (VP (VBZ grows)) (. .))",
            "[NP the role] [PP of] [NP mice] [VP grows] .",
        ),
        (  # auxiliaries, adverbs and "to"
            "(VP (VBZ has) (ADVP (RB strongly)) (VP (VBN been) (VP (VBN implicated) (S (VP (TO to) (VP (VB act)))))))",
            "[VP has strongly been implicated] [VP to act]",
        ),
        (  # coordination inside a base phrase, and of phrases
            "(NP (NP (DT the) (NML (NN cloning) (CC and) (NN study))) (, ,) (NP (NN use)) (CC and) (NP (NN cost)))",
            "[NP the cloning and study] , [NP use] and [NP cost]",
        ),
        ("(VP (VP (VBD ran) (NP (PRP it))) (CC and) (VP (VBD won)))", "[VP ran] [NP it] and [VP won]"),
        ("(VP (VBP tether) (CC and) (VBP activate) (NP (NNS cells)))", "[VP tether] and [VP activate] [NP cells]"),
        # GENIA nests noun phrases before a head, and under a determiner
        ("(NP (NP (NN cytokine)) (NN expression))", "[NP cytokine expression]"),
        (
            "(NP (DT the) (NP (JJ rabbit) (NN gene)) (PP (IN in) (NP (NNS cells))))",
            "[NP the rabbit gene] [PP in] [NP cells]",
        ),
        ("(NP (NP (DT the) (NN cell) (POS 's)) (NN membrane))", "[NP the cell] [NP 's membrane]"),
        (
            "(NP (NN Figure) (CD 2) (, ,) (SBAR (IN as) (S (NP (PRP we)) (VP (VBP see)))))",
            "[NP Figure 2] , [SBAR as] [NP we] [VP see]",
        ),
        ("(PP (JJ such) (IN as) (NP (QP (RB about) (CD 20)) (NN %)))", "[PP such as] [NP about 20 %]"),
        (
            "(ADJP (NP (CD 70) (NNS residues)) (JJ long) (PP (IN in) (NP (NN all))))",
            "[ADJP 70 residues long] [PP in] [NP all]",
        ),
        (
            "(S (ADVP (FW in) (FW vivo)) (VP (VBD grew) (PRT (RP up)) (CONJP (RB as) (RB well) (IN as))))",
            "[ADVP in vivo] [VP grew] [PRT up] [CONJP as well as]",
        ),
        (
            "(WHNP (NP (DT the) (NN gene)) (SBAR (WHPP (IN of) (WHNP (WDT which))) (S (NP (-NONE- *T*)))))",
            "[NP the gene] [PP of] [NP which]",
        ),
        ("(NP (`` ``) (JJ silent) ('' '') (NN gene))", "`` [NP silent '' gene]"),
        (
            "(NP (DT a) (PRN (-LRB- -LRB-) (S (NP (NNS mice)) (VP (VBP run))) (-RRB- -RRB-)) (NN gene))",
            "[NP a -LRB-] [NP mice] [VP run] -RRB- [NP gene]",
        ),
        ("(FRAG (: -) (UCP (JJ new) (CC and) (NN old)))", "- [UCP new and old]"),
        ("(S (VP (VBZ is) (RB not) (ADJP (JJ true))))", "[VP is not] [ADJP true]"),
    ],
)  # fmt: skip
def test_the_rule(brackets: str, expected: str):
    assert chunked(brackets) == expected


LABELS = st.sampled_from("S NP NP-SBJ VP PP ADVP ADJP SBAR NML QP PRN UCP PRT X".split())
TAGS = st.sampled_from(["NN", "VB", "IN", "DT", "JJ", "RB", "CC", ",", "POS", "CD", "-NONE-", "TO", "-LRB-"])
TREES = st.recursive(
    st.tuples(TAGS, st.just("w")),
    lambda inner: st.tuples(LABELS, st.lists(inner, min_size=1, max_size=4)),
    max_leaves=25,
)


@given(TREES)
def test_any_tree_gives_legal_tags(tree):
    """A tag a word; I- only goes on with what is there; no chunk starts with punctuation."""
    (parsed,) = parse_trees(written(tree))
    tags = chunk_tags(parsed)
    assert len(tags) == len(parsed.leaves())
    for leaf, tag, before in zip(parsed.leaves(), tags, ["O", *tags]):
        assert tag == "O" or tag[:2] in ("B-", "I-") and tag[2:] in CHUNK_TYPES
        assert not tag.startswith("I-") or before[2:] == tag[2:]
        assert not (tag.startswith("B-") and parsed.labels[leaf] in {",", "-LRB-"})


def test_deep_trees():
    (tree,) = parse_trees("(NP (DT a) " * 20_000 + "(NN gene)" + ")" * 20_000)
    tags = chunk_tags(tree)
    assert tags == ["B-NP"] + ["I-NP"] * 20_000
