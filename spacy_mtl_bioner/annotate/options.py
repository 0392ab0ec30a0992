"""What can be asked of a pipeline when documents are annotated: plain values, which travel to other processes."""

import hashlib
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Tuple

from ..errors import E359, E372, MTLError

MERGES = {
    "score": "spacy_mtl_bioner.MergeByScore.v1",
    "longest": "spacy_mtl_bioner.MergeLongest.v1",
    "priority": "spacy_mtl_bioner.MergeByPriority.v1",
    "vote": "spacy_mtl_bioner.MergeByVote.v1",
}
"""Short names of the merge policies; any registered name will do."""

BUILT_IN = "default"
"""The label map that the package has."""


@dataclass(frozen=True)
class Options:
    """How to tag. Whatever is None stays as the pipeline's own config says.

    corpora: which corpora tag; labels: those to keep, the corpora's own or unified ones (others do not compete);
    merge: a name of ``MERGES`` or a registered policy; priority: the corpora in order, for "priority";
    minimum: how many corpora must agree, for "vote"; threshold, thresholds: least score, and of single corpora;
    label_map: "default" or a JSON file, corpora's labels to unified ones (``label_map.py``); scores: whether to compute
    scores;
    brackets, abbreviations, consistency: whether the components ``mtl_brackets`` and so on revise what was found;
    component: the name of the recognizer; batch_tokens: padded tokens of a model's batch; device: "cpu", "cuda:0", or
    "auto"; code: a Python file to import first, for components of one's own.
    """

    corpora: Optional[Tuple[str, ...]] = None
    labels: Optional[Tuple[str, ...]] = None
    merge: Optional[str] = None
    priority: Tuple[str, ...] = ()
    minimum: Optional[int] = None
    threshold: Optional[float] = None
    thresholds: Dict[str, float] = field(default_factory=dict)
    label_map: Optional[str] = None
    scores: Optional[bool] = None
    brackets: Optional[bool] = None
    abbreviations: Optional[bool] = None
    consistency: Optional[bool] = None
    component: str = "mtl_ner"
    batch_tokens: Optional[int] = None
    device: str = "cpu"
    code: Optional[str] = None

    def __post_init__(self) -> None:
        """Raises MTL359 for a value out of its range, and for a name in place of a list of names."""
        for option in ("corpora", "labels", "priority"):
            found = getattr(self, option)
            if isinstance(found, str):
                raise MTLError(E359(option=option, found=found, expected=f"a list of names, such as [{found!r}]"))
        for corpus, limit in [("", self.threshold), *self.thresholds.items()]:
            if limit is not None and not 0 <= limit <= 1:
                raise MTLError(E359(option=f"threshold {corpus}".strip(), found=limit, expected="0 to 1"))
        if self.batch_tokens is not None and self.batch_tokens < 1:
            raise MTLError(E359(option="batch_tokens", found=self.batch_tokens, expected="1 or more"))
        if self.merge == "priority" and not self.priority:
            raise MTLError(E359(option="priority", found=(), expected="the corpora, the best first"))
        for option, policy in (("priority", "priority"), ("minimum", "vote")):  # else they would do nothing
            found = getattr(self, option)
            if found and (self.merge is None or self.merge in MERGES and self.merge != policy):
                raise MTLError(E359(option=option, found=found, expected=f"the merge policy {policy!r} beside it"))

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Options":
        """Make them from keyword arguments, lists allowed. Raises MTL359, and MTL372 for an unknown name."""
        known = [option.name for option in fields(cls)]
        for name in given:
            if name not in known:
                raise MTLError(E372(option=name, known=", ".join(known)))
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()})

    def fingerprint(self) -> Dict[str, Any]:
        """The options that the result depends on, as JSON values; of files, the digest of what they hold."""
        kept = {key: value for key, value in asdict(self).items() if key != "device"}
        for name in ("label_map", "code"):
            if kept[name] not in (None, BUILT_IN) and Path(kept[name]).is_file():
                kept[name] = hashlib.sha256(Path(kept[name]).read_bytes()).hexdigest()
        return {key: list(value) if isinstance(value, tuple) else value for key, value in kept.items()}
