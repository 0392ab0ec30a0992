"""What each feature source finds, against loops over spaCy's own tokens."""

from typing import Dict, List, Tuple

import pytest
from spacy.lang.en import English
from spacy.tokens import Doc

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.extensions import set_chunks
from spacy_mtl_bioner.layers.torch_layer import run
from spacy_mtl_bioner.models.batch import Tokens
from spacy_mtl_bioner.models.syntax.constituents import ConstituentFeatures
from spacy_mtl_bioner.models.syntax.dependencies import DependencyFeatures, find
from spacy_mtl_bioner.models.syntax.pos import PosFeatures

from ..parts import batch_of
from .annotated import WORDS, annotated, example, random_doc

VOCAB = English().vocab
Found = Dict[Tuple[int, int], List[Tuple[str, str]]]
"""(row, place in the sentence) -> context words and labels."""

SOURCES = {"pos": PosFeatures, "constituents": ConstituentFeatures, "dependencies": DependencyFeatures}


def found_in(source, batch) -> Found:
    """What a source gives for a batch, with words and labels as text."""
    items, steps = run(source, batch, False), batch.shape[1]
    found: Found = {}
    for owner, context, label in zip(items.owners.tolist(), items.context.tolist(), items.labels.tolist()):
        row, place = divmod(owner, steps)
        assert context // steps == row and batch.mask_array[row, place] and batch.mask_array[row, context % steps]
        word = VOCAB.strings[batch.tokens.orth[batch.starts[row] + context % steps]]
        found.setdefault((row, place), []).append((word, VOCAB.strings[label]))
    return found


@pytest.mark.parametrize(
    "name, expected",
    [
        ("pos", [("transmitted", "VBN"), ("congenital", "JJ"), ("myotonic", "JJ")]),
        ("constituents", [(word, "NP") for word in WORDS[3:]]),
        ("dependencies", [("dystrophy", "amod")]),
    ],
)
def test_the_published_example(name: str, expected):
    """"congenital" in the sentence of Zhang & Chen 2022."""
    found = found_in(SOURCES[name](), batch_of([example(VOCAB)]))
    assert found[0, 6] == expected


def test_dependents_follow_their_governor():
    found = found_in(DependencyFeatures(), batch_of([example(VOCAB)]))
    assert found[0, 5] == [("dystrophy", "amod"), ("paternally", "advmod")]
    assert found[0, 8] == [
        ("case", "nsubj"), ("is", "cop"), ("a", "det"), ("transmitted", "amod"), ("congenital", "amod"),
        ("myotonic", "amod"),
    ]  # fmt: skip


def by_loop(doc: Doc, name: str) -> Found:
    """The definitions, token by token."""
    found: Found = {}
    for row, sentence in enumerate(doc.sents):
        for token in sentence:
            inside = [doc[i] for i in range(sentence.start, sentence.end)]
            if name == "pos":
                items = [(t.text, t.tag_) for t in inside if abs(t.i - token.i) <= 1]
            elif name == "dependencies":
                items = [] if token.head == token else [(token.head.text, token.dep_)]
                items += [(t.text, t.dep_) for t in inside if t.head == token and t != token]
            else:
                items = [(t.text, token._.chunk[2:]) for t in inside if same_phrase(inside, token, t)]
            if items:
                found[row, token.i - sentence.start] = items
    return found


def same_phrase(sentence, one, other) -> bool:
    """Whether no phrase begins after the first of the two up to the second, and all of it has one label."""
    low, high = sorted((one.i, other.i))
    stretch = [token._.chunk for token in sentence if low <= token.i <= high]
    labels = {chunk[2:] for chunk in stretch}
    return len(labels) == 1 and "O" not in stretch and not any(chunk.startswith("B-") for chunk in stretch[1:])


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("lengths", [[7], [1], [12, 1, 30, 2], [3] * 20])
def test_as_by_loop(name: str, lengths):
    doc = random_doc(VOCAB, lengths, seed=len(lengths))
    assert found_in(SOURCES[name](), batch_of([doc])) == by_loop(doc, name)


@pytest.mark.parametrize("name", SOURCES)
def test_a_sentence_alone_in_a_batch_and_late_in_a_document(name: str):
    docs = [random_doc(VOCAB, [9, 4], 1), random_doc(VOCAB, [5] * 400, 2), random_doc(VOCAB, [2, 11], 3)]
    whole = found_in(SOURCES[name](), batch_of(docs))
    for row in (0, 1, 2, 300, 401, 402, 403):
        alone = found_in(SOURCES[name](), batch_of(docs, [row]))
        assert alone == {(0, place): items for (at, place), items in whole.items() if at == row}
    turned = found_in(SOURCES[name](), batch_of(docs, [403, 0]))
    assert turned == {(int(row == 0), place): items for (row, place), items in whole.items() if row in (0, 403)}


def test_white_space_is_no_context():
    """It hides between words for the window, and what hangs from it hangs from its own head."""
    words = ["a", "\n", "b", " ", "c", "d"]
    doc = annotated(
        VOCAB, words, ["A", "_SP", "B", "_SP", "C", "D"], [1, 3, 0, 4, 4, 4], ["x", "", "y", "", "ROOT", "z"],
        ["B-NP", "", "I-NP", "", "I-NP", "O"],
    )  # fmt: skip
    batch = batch_of([doc])
    assert found_in(PosFeatures(), batch)[0, 1] == [("a", "A"), ("b", "B"), ("c", "C")]
    assert found_in(ConstituentFeatures(), batch)[0, 0] == [("a", "NP"), ("b", "NP"), ("c", "NP")]
    found = found_in(DependencyFeatures(), batch)
    assert found[0, 0] == [("c", "x"), ("b", "y")] and found[0, 2] == [("a", "x"), ("d", "z")]


def test_a_root_of_white_space_governs_nothing():
    doc = annotated(VOCAB, ["a", "\n", "b"], ["A", "_SP", "B"], [1, 1, 1], ["x", "ROOT", "y"])
    assert found_in(DependencyFeatures(), batch_of([doc])) == {}


def test_heads_of_another_sentence_do_not_count():
    doc = random_doc(VOCAB, [6], 5)
    heads = [token.head.i for token in doc]
    cut = annotated(VOCAB, [t.text for t in doc], ["T"] * 6, heads, [t.dep_ for t in doc])
    tokens = Tokens([cut])
    tokens.sentence_of[3:] += 1
    items = find(tokens)
    owners = [i for i in range(6) for _ in range(items.offsets[i], items.offsets[i + 1])]
    pairs = list(zip(owners, items.context.tolist()))
    assert pairs and all((owner < 3) == (context < 3) for owner, context in pairs)
    assert len(pairs) == 2 * sum((i < 3) == (h < 3) for i, h in enumerate(heads) if i != h)


def test_long_phrases_give_the_nearest_words():
    doc = annotated(VOCAB, list("abcdefghij"), ["T"] * 10, [0] * 10, ["ROOT"] + ["d"] * 9, ["B-NP"] + ["I-NP"] * 9)
    found = found_in(ConstituentFeatures(longest=4), batch_of([doc]))
    words = {place: "".join(word for word, _ in items) for (_, place), items in found.items()}
    assert words[0] == "ab" and words[5] == "defg" and words[9] == "hij"
    doc = annotated(VOCAB, ["a"] * 5000, ["T"] * 5000, [0] * 5000, ["ROOT"] + ["d"] * 4999, ["B-NP"] + ["I-NP"] * 4999)
    assert len(run(ConstituentFeatures(), batch_of([doc]), False).owners) <= 64 * 5000


@pytest.mark.parametrize("name, what", [("pos", "TAG"), ("constituents", "CHUNK"), ("dependencies", "HEAD")])
def test_missing_annotation_names_what_to_do(name: str, what: str):
    bare = Doc(VOCAB, words=["no", "syntax", "here"])
    bare._.document = "PMID-1"
    with pytest.raises(MTLError, match=f"MTL450.*PMID-1.*'no'.*before mtl_ner.*annotate-syntax.*{what}"):
        run(SOURCES[name](), batch_of([example(VOCAB), bare]), False)


def test_a_word_without_a_phrase_tag():
    doc = example(VOCAB)
    set_chunks(doc, ["B-NP"] * 4 + [""] + ["O"] * 4)
    with pytest.raises(MTLError, match="MTL450.*'paternally'"):
        run(ConstituentFeatures(), batch_of([doc]), False)


@pytest.mark.parametrize("name", SOURCES)
def test_nothing_to_read(name: str):
    for docs in ([], [Doc(VOCAB)], [Doc(VOCAB, words=["\n"], tags=["_SP"])]):
        assert len(run(SOURCES[name](), batch_of(docs), False).owners) == 0


@pytest.mark.parametrize("make", [lambda: PosFeatures(window=-1), lambda: ConstituentFeatures(longest=0)])
def test_impossible_settings(make):
    with pytest.raises(MTLError, match="MTL200"):
        make()
