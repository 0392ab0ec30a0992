"""Which corpora tag a document: what the document asks for, else the call, else the component's setting, else all."""

from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from spacy.tokens import Doc

from ..errors import E100, E104, E105, E109, MTLError
from ..extensions import CORPORA, CORPUS
from ..types import CorpusSpec

Selection = Tuple[str, ...]
"""The corpora to tag with, in the order asked for; each once."""


def resolve(
    requested: Optional[Sequence[str]], known: Iterable[str], where: str, default: Optional[Iterable[str]] = None
) -> Selection:
    """Return the requested corpora, each once, in the order asked for; an empty list means that none tags.

    requested: names, or ``None`` for ``default``, which is all that are known unless it is given.
    where: who asks, for the message.
    Raises MTL100 for an unknown corpus (it lists the known ones) and MTL104 for what is no list of names.
    """
    known = tuple(known)
    if requested is None:
        return known if default is None else tuple(default)
    if not isinstance(requested, (list, tuple)):
        raise MTLError(E104(where=where, found=requested))
    for corpus in requested:
        if corpus not in known:
            raise MTLError(E100(corpus=corpus, where=where, known=", ".join(known) or "none"))
    return tuple(dict.fromkeys(requested))


def finders(heads: Mapping[str, CorpusSpec], setting: Optional[Sequence[str]] = None) -> Selection:
    """Return the corpora whose heads find entities, of those of the component's setting ``corpora`` (``None``: all)."""
    found = (corpus for corpus, spec in heads.items() if spec.kind == "spans")
    return tuple(corpus for corpus in found if setting is None or corpus in setting)


def select(doc: Doc, otherwise: Selection, known: Iterable[str], auxiliary: bool = False) -> Selection:
    """Return the corpora for one document: its own, ``Doc._.corpora``, else ``otherwise``. Raises as ``resolve``, and
    MTL109 for gold of a corpus that was not learned.

    auxiliary: the component finds no entities, only tags such as phrases, on which another one builds; a document that
    asks for none of its corpora speaks to that other one.
    """
    requested = doc.user_data.get(CORPORA)
    others = auxiliary and isinstance(requested, (list, tuple)) and requested and not set(known) & set(requested)
    if requested is None or others:
        return otherwise
    own = doc.user_data.get(CORPUS)
    to_own = own is not None and requested in ([own], (own,))  # as the reader leaves gold of a corpus to its head
    if to_own and own not in known:
        raise MTLError(E109(corpus=own, known=", ".join(known)))
    return resolve(requested, known, f"Doc._.corpora of {doc.text[:40]!r}")


def group_by_selection(
    docs: Sequence[Doc], otherwise: Selection, known: Iterable[str], auxiliary: bool = False
) -> List[Tuple[Selection, List[int]]]:
    """Return each selection with the positions in ``docs`` that it is for, ascending; selections by first use.

    otherwise: the corpora for documents that ask for none themselves. auxiliary: see ``select``. Raises as ``resolve``,
    for the first document that asks for what is not known.
    """
    groups: Dict[Selection, List[int]] = {}
    known = tuple(known)
    for position, doc in enumerate(docs):
        groups.setdefault(select(doc, otherwise, known, auxiliary), []).append(position)
    return list(groups.items())


def limits_of(
    corpora: Iterable[str], settings: Mapping[str, Any], call: Optional[float], where: str
) -> Dict[str, float]:
    """Return the threshold of each corpus: that of the call, else its own in ``settings["thresholds"]``, else
    ``settings["threshold"]``. Raises as ``check_limits``."""
    if call is not None:
        check_limits({"threshold": call}, where)
        return dict.fromkeys(corpora, float(call))
    check_limits({"threshold": settings["threshold"], **settings["thresholds"]}, where)
    return {corpus: float(settings["thresholds"].get(corpus, settings["threshold"])) for corpus in corpora}


def check_policy(policy: Any, known: Sequence[str], taggers: int, where: str) -> None:
    """Raise MTL100 for a corpus of the policy's ``priority`` that is not known, and MTL105 for a ``minimum`` of corpora
    that must agree above the number of those that find entities."""
    resolve(getattr(policy, "priority", None), known, where)
    minimum = getattr(policy, "minimum", None) or 1
    if minimum > taggers:
        expected = f"at most {taggers}, as many as find entities"
        raise MTLError(E105(policy=where, setting="minimum", found=minimum, expected=expected))


def check_limits(limits: Mapping[str, float], where: str) -> None:
    """Raise MTL105 for a threshold that no score reaches, or that is no number."""
    for name, value in limits.items():
        if not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise MTLError(E105(policy=where, setting=name, found=value, expected="a number from 0 to 1"))
