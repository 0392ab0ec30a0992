"""The auxiliary task whose hidden layer other tasks read."""

import pytest
import torch
from spacy.lang.en import English
from thinc.api import Model

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.layers.torch_layer import run
from spacy_mtl_bioner.models.decoder.softmax import Softmax
from spacy_mtl_bioner.models.encoder.window_cnn import WindowCNN
from spacy_mtl_bioner.models.multi_task_ner import MultiTaskNER, Wanted
from spacy_mtl_bioner.models.sharing.base import width_of
from spacy_mtl_bioner.models.sharing.dependent import Dependent
from spacy_mtl_bioner.models.syntax.base import no_syntax
from spacy_mtl_bioner.training.optimizers import Adam

from .parts import SENTENCES, SPECS, batch_of, doc_of, embedding, encoder, features_of, gold_of, lexicon_of

DOC = doc_of(English().vocab, *SENTENCES)
NAMES = ("disease", "gene", "pos")


def cnn():
    return WindowCNN(filters=3, hidden=6)


def grown(make=encoder, corpora=NAMES, **settings):
    torch.manual_seed(0)
    model = Dependent(make(), "pos", **settings)(embedding())
    return model.initialize(X=lexicon_of(DOC), Y={name: SPECS[name] for name in corpora})


def network(**settings):
    torch.manual_seed(0)
    model = MultiTaskNER(Dependent(cnn(), "pos", **settings), Softmax(), embed=embedding())
    return model.initialize(X=lexicon_of(DOC), Y={name: SPECS[name] for name in NAMES})


def parameters(*parts):
    return [p for part in parts for node in part.walk() for shim in node.shims for p in shim.module.parameters()]


@pytest.mark.parametrize("make", [encoder, cnn])
def test_others_read_both_branches(make):
    model, batch = grown(make), batch_of([DOC])
    found = features_of(model, [DOC], NAMES)
    embed, own, other_embed, other = model.layers
    hidden = run(other, (run(other_embed, batch, False), batch), False)
    mine = run(own, (run(embed, batch, False), batch), False)
    assert torch.equal(found["pos"], hidden)
    assert found["gene"] is found["disease"] and torch.equal(found["gene"], torch.cat([mine, hidden], -1))
    assert [width_of(model, corpus) for corpus in NAMES] == [12, 12, 6]
    assert not torch.equal(mine, hidden)


@pytest.mark.parametrize("frozen", [True, False])
def test_what_each_corpus_moves(frozen: bool):
    """The auxiliary corpus moves its branch alone; another its own, and the auxiliary one unless that is frozen."""
    model, optimizer = network(frozen=frozen), Adam(0.01)
    own, auxiliary = (parameters(*model.layers[0].layers[a : a + 2]) for a in (0, 2))
    for corpus, moved, still in (("pos", auxiliary, own), ("gene", own if frozen else own + auxiliary, [])):
        before = [p.detach().clone() for p in own + auxiliary]
        _, backprop = model.begin_update(gold_of([DOC], [corpus]))
        backprop(1.0)
        model.finish_update(optimizer)
        changed = {id(p) for p, old in zip(own + auxiliary, before) if not torch.equal(p.detach(), old)}
        trained = {id(p) for p in moved if p.requires_grad}
        assert changed == trained and not changed & {id(p) for p in still}
        if frozen and corpus == "gene":
            assert not changed & {id(p) for p in auxiliary}


def test_a_frozen_branch_has_no_dropout_for_others():
    model, batch = grown(lambda: encoder(dropout=0.5), frozen=True), batch_of([DOC])
    halves = [run(model, (batch, ("gene",)), True)["gene"].split(6, -1) for _ in range(2)]
    assert torch.equal(halves[0][1], halves[1][1]) and not torch.equal(halves[0][0], halves[1][0])
    own = [run(model, (batch, ("pos",)), True)["pos"] for _ in range(2)]
    assert not torch.equal(*own)


def test_a_whole_model_learns_grows_and_comes_back_from_bytes():
    model, optimizer = network(), Adam(0.01, use_averages=False)
    losses = []
    for _ in range(30):
        terms = {}
        for corpus in NAMES:
            found, backprop = model.begin_update(gold_of([DOC], [corpus]))
            backprop(1.0)
            model.finish_update(optimizer)
            terms.update(found.of)
        losses.append(terms)
    assert all(losses[-1][corpus] < 0.3 * losses[0][corpus] for corpus in NAMES)
    before = model.predict(Wanted([DOC], NAMES))
    model.initialize(X=lexicon_of(DOC), Y={**{name: SPECS[name] for name in NAMES}, "late": SPECS["disease"]})
    after = model.predict(Wanted([DOC], (*NAMES, "late")))
    other = MultiTaskNER(Dependent(cnn(), "pos"), Softmax(), embed=embedding())
    other.initialize(Y={**{name: SPECS[name] for name in NAMES}, "late": SPECS["disease"]})
    other.from_bytes(model.to_bytes())
    loaded = other.predict(Wanted([DOC], (*NAMES, "late")))
    assert len(before["gene"].starts) and (before["pos"].tags >= 0).all()
    for corpus in NAMES:
        for found in (after[corpus], loaded[corpus]):
            for name in ("starts", "ends", "labels"):
                assert getattr(found, name).tolist() == getattr(before[corpus], name).tolist()
    assert loaded["pos"].tags.tolist() == before["pos"].tags.tolist()
    assert other.to_bytes() == model.to_bytes()


def test_the_auxiliary_corpus_must_be_there():
    with pytest.raises(MTLError, match="MTL221.*'pos'.*disease, gene"):
        grown(corpora=("disease", "gene"))
    with pytest.raises(MTLError, match="MTL222"):
        Dependent(encoder(), "")


def test_no_syntax_part_reads_features_of_two_widths():
    attends = Model("attends", no_syntax()._func, dims={"nI": None, "nO": None})
    model = MultiTaskNER(Dependent(cnn(), "pos"), Softmax(), embed=embedding(), syntax=attends)
    with pytest.raises(MTLError, match="MTL239.*'attends'.*disease: 12, gene: 12, pos: 6"):
        model.initialize(X=lexicon_of(DOC), Y={name: SPECS[name] for name in NAMES})
