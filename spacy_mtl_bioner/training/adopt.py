"""A callback of the training config: an auxiliary task that was learned before."""

from typing import Callable, List

from spacy.language import Language
from spacy.util import registry
from thinc.api import Model

from ..errors import E258, E259, MTLError
from ..pipeline.loading import load, recognizer_of


@registry.callbacks("spacy_mtl_bioner.adopt_auxiliary.v1")
def make_adopt_auxiliary(source: str, component: str = "mtl_ner") -> Callable[[Language], Language]:
    """For ``[initialize.after_init]``: give the auxiliary corpus of ``Dependent`` embedding, encoder and head of a
    pipeline that learned this corpus alone, so that many trainings start from one.

    source: the pipeline's folder or package. component: the pipe's name, in both.
    RAISES (MTLError): MTL259 where the component shares otherwise; MTL365 for a pipeline that cannot be loaded, MTL369
        for one without the component, MTL258 for one without such a network.
    """

    def adopt(nlp: Language) -> Language:
        from ..layers.structure import same_structure, take_weights
        from ..models.heads import head_of
        from ..models.sharing.dependent import auxiliary_parts

        pipe = recognizer_of(nlp, component, "of this training", "adopt_auxiliary")
        sharing, _, heads = pipe.model.layers[:3]
        if sharing.name != "dependent":
            raise MTLError(E259(component=component, sharing=sharing.name))
        corpus = sharing.attrs["auxiliary"]
        mine = [*auxiliary_parts(sharing), head_of(heads, corpus)]
        learned = _learned(source, component, corpus, pipe.heads[corpus])
        for part, other in zip(mine, learned):
            if not same_structure(part, other):
                reason = f"{other.name} is of another kind or size than {part.name}"
                raise _no_network(source, component, corpus, reason)
        for part, other in zip(mine, learned):
            take_weights(part, other)
        return nlp

    return adopt


def _learned(source: str, component: str, corpus: str, labels: object) -> List[Model]:
    """Embedding, encoder and head of the corpus in a trained pipeline."""
    from ..models.heads import head_of
    from ..models.sharing.single_task import parts_of

    pipe = recognizer_of(load(source), component, source, "adopt_auxiliary")
    if corpus not in pipe.heads:
        raise _no_network(source, component, corpus, f"it knows {', '.join(pipe.heads)}")
    if pipe.heads[corpus] != labels:
        raise _no_network(source, component, corpus, "its labels are others, or in another order")
    sharing, _, heads = pipe.model.layers[:3]
    if sharing.name != "single_task":
        raise _no_network(source, component, corpus, f"it shares by {sharing.name}")
    return [*parts_of(sharing, corpus), head_of(heads, corpus)]


def _no_network(source: str, component: str, corpus: str, reason: str) -> MTLError:
    return MTLError(E258(source=source, component=component, corpus=corpus, reason=reason))
