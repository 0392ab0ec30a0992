"""How words are capitalized."""

import pytest
import torch
from spacy.lang.en import English

from spacy_mtl_bioner.layers.torch_layer import run, shim_of
from spacy_mtl_bioner.models.embed.capitalization import ALL, CONTAINS, INITIAL, NONE, Capitalization, kind_of

from .parts import batch_of, doc_of

FORMS = {
    "DNA": ALL,
    "P53": ALL,
    "A": ALL,
    "IL-2": ALL,
    "Mice": INITIAL,
    "McDonald": INITIAL,
    "Éclair": INITIAL,
    "mRNA": CONTAINS,
    "pH": CONTAINS,
    "mice": NONE,
    "123": NONE,
    "-": NONE,
    "": NONE,
}


@pytest.mark.parametrize("form, kind", FORMS.items())
def test_kinds(form: str, kind: int):
    assert kind_of(form) == kind


def test_a_row_a_kind_that_learns():
    words = [form for form in FORMS if form]
    doc = doc_of(English().vocab, " ".join(words[:7]), " ".join(words[7:]))
    model = Capitalization(width=3).initialize()
    batch, table = batch_of([doc]), shim_of(model).module.weight
    found = run(model, batch, True)
    assert torch.equal(found[batch.mask], table[torch.tensor([FORMS[word] for word in words])])
    found[batch.mask].sum().backward()
    counts = [sum(FORMS[word] == kind for word in words) for kind in range(4)]
    assert table.grad[:, 0].tolist() == counts and float(table.abs().max().detach()) <= 0.05
    copied = Capitalization(width=3)
    copied.from_bytes(model.to_bytes())
    assert torch.equal(run(copied, batch, False), run(model, batch, False))
