"""Trees that grow with the number of corpora."""

from thinc.api import Model

from spacy_mtl_bioner.layers.structure import blank_copy, clear, initialize_with, reset
from spacy_mtl_bioner.layers.torch_layer import forward, shim_of, torch_layer

from .modules import Affine


def init(model, X=None, Y=None):
    if model.has_dim("nI") and not shim_of(model).built:
        shim_of(model).build(inputs=model.get_dim("nI"), outputs=2)


def part() -> Model:
    return torch_layer("part", Affine, init=init, dims={"nI": None}, attrs={"width": 5})


def tree() -> Model:
    grown = Model("inner", forward, layers=[part(), part(), part()], attrs={"fixed": 1, "corpora": ["A", "B"]})
    return Model("root", forward, layers=[grown, part()])


def test_parts_are_built_once_their_width_is_known():
    model = part()
    assert initialize_with(model) is model and not shim_of(model).built
    initialize_with(model, 3)
    module = shim_of(model).module
    assert module.linear.in_features == 3
    initialize_with(model, 3)
    assert shim_of(model).module is module


def test_blank_copies_have_the_settings_but_no_weights():
    model = initialize_with(part(), 3)
    copied = blank_copy(model)
    assert not shim_of(copied).built and shim_of(model).built
    assert copied.attrs["width"] == 5 and shim_of(copied).id != shim_of(model).id
    initialize_with(copied, 4)
    assert shim_of(copied).module.linear.in_features == 4
    assert shim_of(model).module.linear.in_features == 3


def test_reset_takes_away_what_grew_and_clear_the_weights():
    model = tree()
    for node in (*model.layers[0].layers, model.layers[1]):
        initialize_with(node, 3)
    first = model.layers[0].layers[0]
    reset(model)
    assert model.layers[0].layers == [first] and model.layers[0].attrs["corpora"] == []
    assert shim_of(first).built and shim_of(model.layers[1]).built
    clear(model)
    assert not shim_of(first).built and not shim_of(model.layers[1]).built
