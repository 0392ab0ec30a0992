"""Which row a word gets, and where rows come from."""

import numpy as np
import pytest
import torch
from spacy.lang.en import English
from spacy.vectors import Vectors

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.layers.torch_layer import run, shim_of
from spacy_mtl_bioner.models.embed.word_vectors import WordVectors, zero_digits

from .parts import batch_of, doc_of, lexicon_of

KNOWN = ["cancer", "gene", "Gene", "il-0", "of"]


def vocab_of(words=KNOWN):
    vocab = English().vocab
    for row, word in enumerate(words):
        vocab.set_vector(word, np.full(3, row + 1, dtype="float32"))
    return vocab


def embedded(model, vocab, *words):
    return run(model, batch_of([doc_of(vocab, " ".join(words))]), False)[0]


def test_exact_then_lower_case_then_unknown():
    vocab = vocab_of()
    model = WordVectors().initialize(X=lexicon_of(doc_of(vocab, "cancer")))
    found = embedded(model, vocab, "gene", "Gene", "GENE", "Cancer", "of", "nowhere", "Nowhere")
    assert found[:5, 0].tolist() == [2, 3, 2, 1, 5]
    assert torch.equal(found[5], found[6]) and torch.equal(found[5], shim_of(model).module.weight[0])
    assert model.get_dim("nO") == 3


@pytest.mark.parametrize("digits", [True, False])
def test_digits(digits: bool):
    vocab = vocab_of()
    model = WordVectors(digits_to_zero=digits).initialize(X=lexicon_of(doc_of(vocab, "cancer")))
    found = embedded(model, vocab, "IL-2", "il-7", "il-0", "IL-77")
    unknown = shim_of(model).module.weight[0]
    for vector in found[:2]:
        assert torch.equal(vector, found[2]) == digits and torch.equal(vector, unknown) != digits
    assert found[2, 0] == 4 and torch.equal(found[3], unknown)


def test_training_words_without_a_vector():
    """A row of their own from ``min_count`` on; not where their lower case has a vector."""
    vocab = vocab_of()
    docs = [doc_of(vocab, "p53 p53 MDM2 Cancer Cancer"), doc_of(vocab, "P53 P53 once")]
    model = WordVectors(min_count=2).initialize(X=lexicon_of(*docs))
    table = shim_of(model).module
    assert len(table.weight) == 1 + len(KNOWN) + 2
    rows = table.rows_of(batch_of([doc_of(vocab, "p53 P53 MDM2 once Cancer cancer")]))
    forms = batch_of([doc_of(vocab, "p53 P53 MDM2 once Cancer cancer")]).form_strings()
    row = dict(zip(forms, rows.tolist()))
    assert row["p53"] and row["P53"] and row["p53"] != row["P53"]
    assert row["MDM2"] == row["once"] == 0 and row["Cancer"] == row["cancer"] != 0
    assert float(table.weight.detach()[[row["p53"], row["P53"], 0]].abs().max()) <= 1.0


def test_words_without_a_vector_may_stay_unknown():
    vocab = vocab_of()
    lexicon = lexicon_of(doc_of(vocab, "p53 p53 p53 cancer"))
    model = WordVectors(min_count=None).initialize(X=lexicon)
    assert len(shim_of(model).module.weight) == 1 + len(KNOWN)
    assert torch.equal(embedded(model, vocab, "p53")[0], shim_of(model).module.weight[0])
    bare = WordVectors(width=3, min_count=None).initialize(X=lexicon_of(doc_of(English().vocab, "p53 cancer")))
    assert len(shim_of(bare).module.weight) == 3, "where nothing has a vector, all would be one word"


def test_several_words_of_one_row():
    """Pruned tables map many words to a row: each gets a copy, which training moves on its own."""
    vectors = Vectors(shape=(2, 3), name="pruned")
    vocab = English().vocab
    for word, row in (("a", 0), ("b", 1), ("c", 1)):
        vectors.add(vocab.strings.add(word), row=row, vector=np.full(3, row + 1.0, dtype="float32"))
    vocab.vectors = vectors
    model = WordVectors().initialize(X=lexicon_of(doc_of(vocab, "a")))
    assert embedded(model, vocab, "a", "b", "c")[:, 0].tolist() == [1, 2, 2]


@pytest.mark.parametrize("count", [0, 1, 700])
def test_without_vectors_and_with_many_words(count: int):
    vocab = English().vocab
    words = [f"word{n}" for n in range(count)]
    model = WordVectors(width=7, min_count=1).initialize(X=lexicon_of(doc_of(vocab, *words[:1], " ".join(words[1:]))))
    assert model.get_dim("nO") == 7
    found = embedded(model, vocab, *words, "other")
    assert len({tuple(row) for row in found.tolist()}) == count + 1


def test_the_vocabulary_is_copied_not_shared():
    vocab = vocab_of()
    model = WordVectors().initialize(X=lexicon_of(doc_of(vocab, "cancer")))
    vocab.set_vector("cancer", np.full(3, -9.0, dtype="float32"))
    assert embedded(model, vocab, "cancer")[0, 0] == 1


def test_only_rows_that_are_met_have_a_gradient():
    vocab = vocab_of()
    model = WordVectors().initialize(X=lexicon_of(doc_of(vocab, "cancer")))
    batch = batch_of([doc_of(vocab, "gene of gene", "nowhere")])
    (run(model, batch, True) * batch.mask[..., None]).sum().backward()
    weight = shim_of(model).module.weight
    assert weight.grad.is_sparse
    rows = dict(zip(batch.form_strings(), shim_of(model).module.rows_of(batch).tolist()))
    gradient = weight.grad.to_dense()[:, 0]
    assert gradient[rows["gene"]] == 2 and gradient[rows["of"]] == 1 and gradient[0] == 1
    assert float(gradient.sum()) == 4


def test_static_vectors_are_no_parameter_but_are_saved():
    vocab = vocab_of()
    model, other = WordVectors(trainable=False).initialize(X=lexicon_of(doc_of(vocab, "cancer"))), WordVectors()
    assert list(shim_of(model).named_parameters()) == []
    data = model.to_bytes()
    assert other.from_bytes(data).to_bytes() == data
    assert embedded(other, vocab, "Cancer", "gene")[:, 0].tolist() == [1, 2]
    assert list(shim_of(other).named_parameters()) == []


def test_other_rows_after_loading_other_bytes():
    """What was looked up before must not be remembered."""
    vocab = vocab_of()
    model = WordVectors().initialize(X=lexicon_of(doc_of(vocab, "cancer")))
    other = WordVectors(width=3, min_count=1).initialize(X=lexicon_of(doc_of(English().vocab, "p53")))
    embedded(other, vocab, "cancer")
    other.from_bytes(model.to_bytes())
    assert embedded(other, vocab, "cancer", "of")[:, 0].tolist() == [1, 5]


def test_floret_tables_are_refused():
    vocab = English().vocab
    data = np.zeros((10, 3), dtype="float32")
    vocab.vectors = Vectors(data=data, mode="floret", minn=1, maxn=3, hash_count=1, name="floret")
    with pytest.raises(MTLError, match="MTL131.*floret"):
        WordVectors().initialize(X=lexicon_of(doc_of(vocab, "cancer")))


def test_all_digits():
    """Digits count for nothing, in words and in names of vectors, of which the first of a name counts."""
    vocab = vocab_of([*KNOWN, "p53", "p21", "P9"])
    docs = [doc_of(vocab, "cancer IL-1 IL-2 x7 x8")]
    model = WordVectors(all_digits=True).initialize(X=lexicon_of(*docs))
    found = embedded(model, vocab, "p53", "p77", "P1", "P53", "IL-7", "il-9", "Gene")
    assert found[:, 0].tolist() == [6, 6, 8, 6, 4, 4, 3]
    table = shim_of(model).module
    assert len(table.weight) == 1 + len(KNOWN) + 2 + 1  # p00, P0 and x0
    rows = table.rows_of(batch_of([doc_of(vocab, "x5 X6 x55")]))
    assert sorted(rows.tolist())[0] == 0 and len(set(rows.tolist())) == 2


@pytest.mark.parametrize("digits", [True, False])
def test_lower_case_alone(digits: bool):
    """Vectors whose names have capitals are not used, and the table does not hold them."""
    vocab = vocab_of([*KNOWN, "IL-5"])
    docs = [doc_of(vocab, "Gene MDM2 mdm2 once")]
    model = WordVectors(lower=True, all_digits=digits).initialize(X=lexicon_of(*docs))
    found = embedded(model, vocab, "Gene", "gene", "GENE", "Il-0", "Mdm2", "mdm2", "nowhere", "IL-5")
    assert found[:4, 0].tolist() == [2, 2, 2, 4]
    unknown = shim_of(model).module.weight[0]
    assert torch.equal(found[4], found[5]) and torch.equal(found[6], unknown) and not torch.equal(found[4], unknown)
    assert (found[7, 0] == 4) == digits and torch.equal(found[7], unknown) == (not digits)
    assert len(shim_of(model).module.weight) == 1 + len(KNOWN) - 1 + 1
    other = WordVectors().from_bytes(model.to_bytes())
    assert torch.equal(embedded(other, vocab, "GENE", "Il-0"), embedded(model, vocab, "GENE", "Il-0"))


def test_what_is_no_decimal_digit_stays():
    assert zero_digits("p53 Ca²⁺ ③ ٣") == "p00 Ca²⁺ ③ 0"


@pytest.mark.parametrize("lower", [True, False])
def test_the_unknown_row_starts_from_a_word(lower: bool):
    vocab = vocab_of([*KNOWN, "unk"])
    model = WordVectors(unknown="unk", lower=lower).initialize(X=lexicon_of(doc_of(vocab, "cancer")))
    assert embedded(model, vocab, "nowhere")[0].tolist() == [6, 6, 6]
    assert embedded(model, vocab, "cancer", "of", "unk")[:, 0].tolist() == [1, 5, 6]


def test_new_rows_start_within_the_bound():
    vocab = vocab_of()
    lexicon = lexicon_of(doc_of(vocab, "p53 p53 cancer"))
    for bound in (0.05, 1e-6):
        model = WordVectors(unknown="no-such-word", bound=bound).initialize(X=lexicon)
        new = embedded(model, vocab, "p53", "nowhere")
        assert 0 < float(new.detach().abs().max()) <= bound and not torch.equal(new[0], new[1])


@pytest.mark.parametrize("lower", [True, False])
def test_digits_of_words_in_capitals(lower: bool):
    """The form with zeros as it is, then in lower case."""
    vocab = English().vocab
    for number, name in enumerate(("CD00", "cd00", "p00"), 1):
        vocab.set_vector(name, np.full(4, number, dtype="float32"))
    model = WordVectors(digits_to_zero=True, lower=lower).initialize(X=lexicon_of(doc_of(vocab, "cancer")))
    assert embedded(model, vocab, "CD45", "P53")[:, 0].tolist() == [2.0 if lower else 1.0, 3.0]
