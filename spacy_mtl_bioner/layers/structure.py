"""Small operations on Thinc trees that grow with the number of corpora."""

from typing import Any, Dict, Iterable, List, Optional, Tuple

from thinc.api import Model

from .shim import TRAINING_SETTINGS, MTLShim

LEARNED = frozenset(("rows", "bound", "characters", "words", "marks"))
"""Arguments of modules that come from the training documents, and those of how rows start."""


def blank_copy(model: Model) -> Model:
    """A copy of a part without its weights: what a sharing part makes for each further corpus."""
    copied = model.copy()
    clear(copied)
    return copied


def clear(model: Model) -> None:
    """Forget the weights of a whole tree, so that ``initialize`` builds them afresh."""
    for node in model.walk():
        for shim in node.shims:
            if isinstance(shim, MTLShim):
                shim.clear()


def initialize_with(model: Model, nI: Optional[int] = None, X: Any = None, Y: Any = None) -> Model:
    """Initialize a part once its input width is known. Parts that have weights keep them."""
    if nI is not None:
        model.set_dim("nI", nI, force=True)
    return model.initialize(X=X, Y=Y)


def grow(model: Model, corpora: Iterable[str], *builders: Model) -> None:
    """Give each corpus that is new to a node blank copies of the builders: its own layers."""
    for corpus in corpora:
        if corpus not in model.attrs["corpora"]:
            model.layers.extend(map(blank_copy, builders))
            model.attrs["corpora"] = [*model.attrs["corpora"], corpus]


def layers_of(model: Model, corpus: str) -> List[Model]:
    """The own layers of a corpus, in the order of the builders that ``grow`` had."""
    fixed, corpora = model.attrs["fixed"], model.attrs["corpora"]
    each = (len(model.layers) - fixed) // len(corpora)
    first = fixed + each * corpora.index(corpus)
    return model.layers[first : first + each]


def reset(model: Model) -> None:
    """Take away everything that grew with the corpora: nodes that grow say in ``attrs["fixed"]`` how many of their
    layers were there first, and in ``attrs["corpora"]`` which corpora they have."""
    for node in list(model.walk()):
        if "fixed" in node.attrs:
            del node.layers[node.attrs["fixed"] :]
            node.attrs["corpora"] = []


def fit(model: Model, nodes: Iterable[Dict[str, Any]]) -> None:
    """Give the nodes of a tree the dimensions of stored ones (Thinc's ``to_dict``), whatever theirs were before."""
    for node, stored in zip(model.walk(), nodes):
        for name, size in stored["dims"].items():
            if size is not None:
                node.set_dim(name, size, force=True)


def same_structure(model: Model, other: Model) -> bool:
    """Whether two trees consist of the same nodes, in the same sizes, which compute alike."""
    first, second = ([_described(node) for node in tree.walk()] for tree in (model, other))
    return first == second


def _described(node: Model) -> Tuple[Any, ...]:
    """Name, dimensions and the settings of a node's modules, but for those of training and what was learned."""
    dims = {name: node.maybe_get_dim(name) for name in node.dim_names}
    passed_over = TRAINING_SETTINGS | LEARNED
    settings = [{k: v for k, v in (shim.arguments or {}).items() if k not in passed_over} for shim in node.shims]
    return node.name, dims, settings


def take_weights(model: Model, other: Model) -> None:
    """Give a tree the weights of another one of the same structure; it goes on being trained by its own settings."""
    settings = training_settings(model)
    for node, source in zip(model.walk(), other.walk()):
        for shim, weights in zip(node.shims, source.shims):
            shim.from_bytes(weights.to_bytes())
    train_by(model, settings)


def training_settings(model: Model) -> List[Dict[str, Any]]:
    """Of each node the settings that say how it is trained."""
    return [{k: v for k, v in _settings(node).items() if k in TRAINING_SETTINGS} for node in model.walk()]


def train_by(model: Model, settings: Iterable[Dict[str, Any]]) -> None:
    """Have the nodes of a tree be trained by ``settings``, whatever was stored with their weights."""
    for node, own in zip(model.walk(), settings):
        _settings(node).update(own)
        for shim in node.shims:
            if isinstance(shim, MTLShim):
                shim.train_by(own)


def _settings(node: Model) -> Dict[str, Any]:
    return node.attrs.get("settings", node.attrs)


def has_weights(*parts: Model) -> bool:
    """Whether any module in these trees is built."""
    return any(shim.built for part in parts for node in part.walk() for shim in node.shims if isinstance(shim, MTLShim))
