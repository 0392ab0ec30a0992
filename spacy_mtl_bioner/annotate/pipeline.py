"""A pipeline ready to tag: loaded, set as the options say, on its device, with a label map."""

import importlib.util
import logging
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Callable, FrozenSet, List, NamedTuple, Optional, Tuple

from spacy.language import Language
from spacy.util import registry

from ..errors import E359, E368, E370, E373, MTLError
from ..pipeline.label_map import LabelMap, MergeUnified, read_label_map, unified_label
from ..pipeline.loading import load, recognizer_of
from ..pipeline.merging import Candidate, MergeByVote, Merged, MergePolicy
from ..pipeline.revision import Reviser
from ..pipeline.selection import Selection, finders, resolve
from .options import BUILT_IN, MERGES, Options

logger = logging.getLogger("spacy_mtl_bioner")

REVISERS = {"brackets": "mtl_brackets", "abbreviations": "mtl_abbreviations", "consistency": "mtl_consistency"}
"""Options and the components that they add behind the recognizer, in the order in which these run."""

Unify = Callable[[str, str], Optional[str]]
"""Corpus (``""`` where unknown) and its label -> unified label, None where no map knows it."""


class Prepared(NamedTuple):
    """A pipeline as the options want it; ``unify`` is None where labels stay what the corpora call them."""

    nlp: Language
    unify: Optional[Unify]


def load_pipeline(model: str, options: Options) -> Prepared:
    """Load a pipeline, a folder's or an installed package's, and prepare it. Raises MTL365, and as
    ``prepare_pipeline``."""
    if options.code:
        _run_code(Path(options.code))
    return prepare_pipeline(load(model), options, str(model))


def prepare_pipeline(nlp: Language, options: Options, model: str = "the pipeline") -> Prepared:
    """Set the recognizer of ``nlp``, in place, as the options say.

    Raises MTL369 where an option needs a recognizer that is not there, MTL100 for an unknown corpus, MTL370 for an
    unknown label, MTL368 for a device, MTL359 where fewer corpora tag than must agree, or a component that needs scores
    gets none. Labels that the map leaves as they are get a warning (MTL373).
    """
    labels = _label_map(options)
    names = ("corpora", "labels", "merge", "threshold", "scores", *REVISERS)
    asked = [name for name in names if getattr(options, name) is not None]
    asked += ["thresholds"] * bool(options.thresholds)
    if not asked and options.component not in nlp.pipe_names:
        return Prepared(nlp, None if labels is None else partial(unify_label, labels))
    recognizer = recognizer_of(nlp, options.component, model, f"--{[*asked, 'component'][0]}")
    merge = recognizer.merge
    given = {"corpora": options.corpora, "threshold": options.threshold, "scores": options.scores}
    recognizer.cfg.update({key: value for key, value in given.items() if value is not None})
    if options.corpora is not None:
        recognizer.cfg["corpora"] = list(resolve(list(options.corpora), recognizer.corpora, "--corpora"))
    if options.threshold is not None:
        recognizer.cfg["thresholds"] = {}
    resolve(list(options.thresholds), recognizer.corpora, "--thresholds")
    recognizer.cfg["thresholds"] = {**recognizer.cfg["thresholds"], **options.thresholds}
    if options.merge is not None:
        recognizer.merge = _policy(options, recognizer)
    if labels is not None:
        recognizer.merge = MergeUnified(_bare(recognizer.merge), labels)
        _warn_of_unmapped(options, recognizer, labels)
    _check_votes(options, recognizer)
    unify = partial(unify_label, recognizer.merge.labels) if isinstance(recognizer.merge, MergeUnified) else None
    if options.labels is not None:
        recognizer.merge = _kept_labels(options.labels, recognizer, unify)
    _set_revisers(nlp, options, merge, recognizer.merge)
    _check_scores(nlp, options, recognizer)
    if options.batch_tokens is not None:
        recognizer.model.attrs["runtime"].batch_tokens = options.batch_tokens
    _to_device(nlp, options.device)
    return Prepared(nlp, unify)


def _set_revisers(nlp: Language, options: Options, before: MergePolicy, merge: MergePolicy) -> None:
    """Add, enable or disable the components that revise; those that merged as the recognizer did still do."""
    last = options.component
    for option, factory in REVISERS.items():
        wanted = getattr(options, option)
        names = [name for name in nlp.component_names if nlp.get_pipe_meta(name).factory == factory]
        if wanted and not names:
            nlp.add_pipe(factory, after=last)
            names = [factory]
        for name in names:
            if wanted:
                nlp.enable_pipe(name)
            elif wanted is not None:
                nlp.disable_pipe(name)
            last = name
    for _, component in nlp.components:
        if isinstance(component, Reviser) and component.merge == before:
            component.merge = merge


def _check_scores(nlp: Language, options: Options, recognizer: Any) -> None:
    """Raise MTL359 where a component that follows entities by their scores would get none."""
    scored = recognizer.cfg["scores"] or recognizer.cfg["threshold"] or any(recognizer.cfg["thresholds"].values())
    for option, factory in REVISERS.items():
        for name, component in nlp.pipeline:
            follows = nlp.get_pipe_meta(name).factory == factory and component.minimum_score > 0
            if follows and not scored:
                found = "off" if options.scores is False else "off in the pipeline"
                expected = f"scores, by which {name} tells what to follow, or --no-{option}"
                raise MTLError(E359(option="--scores", found=found, expected=expected))


def _run_code(path: Path) -> None:
    """Import a Python file for what it registers, as ``spacy train --code`` does."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.exists():
        raise MTLError(E359(option="--code", found=str(path), expected="a Python file"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)


def _label_map(options: Options) -> Optional[LabelMap]:
    """The map that goes before the built-in one; None: no unified labels. Raises as ``read_label_map``."""
    if options.label_map is None:
        return None
    return {} if options.label_map == BUILT_IN else read_label_map(Path(options.label_map))


def unify_label(labels: LabelMap, corpus: str, label: str) -> Optional[str]:
    """What a corpus' label is called in the unified set."""
    return unified_label(corpus, label, labels)


def _taggers(recognizer: Any) -> Selection:
    return finders(recognizer.heads, recognizer.cfg["corpora"])


def _warn_of_unmapped(options: Options, recognizer: Any, labels: LabelMap) -> None:
    """Log MTL373 where entities may come without a unified label."""
    wanted, missing = options.labels, {}
    for corpus in _taggers(recognizer):
        names = [label for label in recognizer.head_labels[corpus] if unified_label(corpus, label, labels) is None]
        missing[corpus] = [label for label in names if wanted is None or label in wanted]
    count = sum(map(len, missing.values()))
    if count:
        said = "; ".join(f"{corpus}: {', '.join(names)}" for corpus, names in missing.items() if names)
        logger.warning(E373(count=count, labels=said))


def _check_votes(options: Options, recognizer: Any) -> None:
    """Raise MTL359 where more corpora must agree than tag, so that nothing could be found."""
    policy, taggers = _bare(recognizer.merge), _taggers(recognizer)
    if isinstance(policy, MergeByVote) and policy.minimum > max(1, len(taggers)):
        option = "--minimum" if options.minimum else "the minimum of the pipeline's own merge policy"
        expected = f"1 to {max(1, len(taggers))}, as many as tag ({', '.join(taggers) or 'none'})"
        raise MTLError(E359(option=option, found=policy.minimum, expected=expected))


def _bare(policy: MergePolicy) -> MergePolicy:
    """A policy without the map that it may have already."""
    return policy.merge if isinstance(policy, MergeUnified) else policy


def _policy(options: Options, recognizer: Any) -> MergePolicy:
    """The merge policy that the options name. Raises MTL359 where it is none, MTL100 for an unknown corpus."""
    name = MERGES.get(options.merge or "", options.merge or "")
    if not registry.has("misc", name):
        raise MTLError(E359(option="--merge", found=options.merge, expected=f"one of {', '.join(MERGES)}"))
    resolve(list(options.priority), recognizer.corpora, "--priority")
    settings = {"priority": list(options.priority) or None, "minimum": options.minimum}
    try:
        policy = registry.get("misc", name)(**{key: value for key, value in settings.items() if value is not None})
        found = policy([Candidate(0, 1, "label", next(iter(recognizer.corpora), ""), 1.0)])
        if isinstance(found, list) and all(isinstance(entity, Merged) for entity in found):
            return policy
        reason = "it gives no list of merged entities"
    except MTLError:
        raise
    except Exception as error:  # whatever a registered function does that is no policy
        reason = f"{type(error).__name__}: {error}"
    raise MTLError(E359(option="--merge", found=f"{options.merge} ({reason})", expected="a merge policy"))


@dataclass(frozen=True)
class OnlyLabels:
    """A merge policy among entities of some labels alone, ``(corpus, label)``: the others do not compete."""

    policy: MergePolicy
    wanted: FrozenSet[Any]

    @property
    def priority(self) -> Optional[Tuple[str, ...]]:
        """The corpora that the policy names, which the component checks."""
        return getattr(self.policy, "priority", None)

    def __call__(self, candidates: List[Candidate]) -> List[Merged]:
        return self.policy([found for found in candidates if (found.corpus, found.label) in self.wanted])


def _kept_labels(labels: Any, recognizer: Any, unify: Optional[Unify]) -> OnlyLabels:
    """The policy that keeps these labels, each a corpus' own or a unified one. Raises MTL370."""
    wanted, met, taggers = set(), set(), _taggers(recognizer)
    for corpus, names in recognizer.head_labels.items():
        for name in names:
            both = {name, unify(corpus, name) if unify else None}.intersection(labels)
            met |= both if corpus in taggers else set()
            if both:
                wanted.add((corpus, name))
    for label in labels:
        if label not in met:
            known = dict.fromkeys(found for corpus in taggers for found in recognizer.head_labels[corpus])
            raise MTLError(E370(label=label, known=", ".join(known)))
    return OnlyLabels(recognizer.merge, frozenset(wanted))


def _to_device(nlp: Language, device: str) -> None:
    """Move every component's model to a torch device; thinc's arrays stay where they are, so that CuPy is not needed.

    Raises MTL368 for a device that is not there.
    """
    kind, _, number = device.partition(":")
    if kind == "cpu" and not number:
        return
    import torch

    known = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    if device == "auto":
        kind, number = ("cuda", "0") if len(known) > 1 else ("cpu", "")
        if kind == "cpu":
            return
    where = f"{kind}:{number or 0}"
    if where not in known:
        raise MTLError(E368(device=device, reason="there is no such device", known=", ".join(known)))
    for model in [component.model for _, component in nlp.pipeline if hasattr(component, "model")]:
        for node in model.walk():
            for shim in node.shims:
                shim.to_device("gpu", int(number or 0))
