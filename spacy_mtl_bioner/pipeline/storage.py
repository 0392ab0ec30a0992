"""How a trained component is written and read: labels first, which give the model its structure, then its weights."""

from typing import Any, Dict, Iterable, Sequence, Union

import srsly
from spacy import util
from spacy.errors import Errors
from spacy.pipeline.trainable_pipe import TrainablePipe

from ..errors import E126, MTLError
from ..types import KINDS, CorpusSpec

SpecLike = Union[Sequence[str], Dict[str, Any]]
"""Labels of a corpus; or, for kind ``tags``, ``{"kind": "tags", "labels": [...]}``."""


def to_data(spec: CorpusSpec) -> SpecLike:
    """A spec as JSON: a list of labels, or kind and labels."""
    return list(spec.labels) if spec.kind == "spans" else {"kind": spec.kind, "labels": list(spec.labels)}


def to_spec(corpus: str, data: SpecLike) -> CorpusSpec:
    """The reverse of ``to_data``. Raises MTL126 for what it never gives."""
    kind, labels = (data.get("kind"), data.get("labels")) if isinstance(data, dict) else ("spans", data)
    if kind not in KINDS or not isinstance(labels, (list, tuple)) or not all(isinstance(x, str) for x in labels):
        raise MTLError(E126(corpus=corpus, found=data))
    if kind == "tags" and not labels:  # where every token has one
        raise MTLError(E126(corpus=corpus, found=data))
    return CorpusSpec(kind, tuple(labels))


class StoredHeads(TrainablePipe):
    """The serialization of ``mtl_ner``. The file ``cfg`` holds the labels of each corpus beside the settings; settings
    are not read back: the pipeline's config says them, so that they can be changed at load."""

    heads: Dict[str, CorpusSpec]

    def to_bytes(self, *, exclude: Iterable[str] = tuple()) -> bytes:
        """Serialize labels, settings and weights (safetensors inside)."""
        writers = {
            "cfg": lambda: srsly.json_dumps(self._stored_cfg()),
            "vocab": lambda: self.vocab.to_bytes(exclude=exclude),
            "model": self.model.to_bytes,
        }
        return util.to_bytes(writers, exclude)

    def to_disk(self, path: Any, *, exclude: Iterable[str] = tuple()) -> None:
        """Write labels, settings and weights (safetensors inside) to a folder."""
        writers = {
            "cfg": lambda file: srsly.write_json(file, self._stored_cfg()),
            "vocab": lambda folder: self.vocab.to_disk(folder, exclude=exclude),
            "model": lambda file: self.model.to_disk(file),
        }
        util.to_disk(path, writers, exclude)

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = tuple()) -> "StoredHeads":
        """Read what ``to_bytes`` gave."""
        readers = {
            "cfg": lambda data: self._restore(srsly.json_loads(data)),
            "vocab": lambda data: self.vocab.from_bytes(data, exclude=exclude),
            "model": self._load_weights,
        }
        util.from_bytes(bytes_data, readers, exclude)
        return self

    def from_disk(self, path: Any, *, exclude: Iterable[str] = tuple()) -> "StoredHeads":
        """Read what ``to_disk`` wrote."""
        readers = {
            "cfg": lambda file: self._restore(srsly.read_json(file)),
            "vocab": lambda folder: self.vocab.from_disk(folder, exclude=exclude),
            "model": lambda file: self._load_weights(file.read_bytes()),
        }
        util.from_disk(path, readers, exclude)
        return self

    def _stored_cfg(self) -> Dict[str, Any]:
        return {**self.cfg, "heads": {corpus: to_data(spec) for corpus, spec in self.heads.items()}}

    def _restore(self, cfg: Dict[str, Any]) -> None:
        """Take over the stored labels, and give the model their structure where it has another one."""
        import torch

        from ..layers.structure import has_weights, reset

        heads = {corpus: to_spec(corpus, data) for corpus, data in cfg.get("heads", {}).items()}
        if has_weights(self.model) and list(heads.items()) == list(self.heads.items()):
            return
        reset(self.model)
        self.heads = heads
        with torch.random.fork_rng(devices=[]):  # what a pipeline that knew something draws for new corpora is not kept
            self.model.initialize(X=None, Y=self.heads)

    def _load_weights(self, data: bytes) -> None:
        from ..layers.structure import fit, train_by, training_settings

        settings = training_settings(self.model)
        try:
            content = srsly.msgpack_loads(data)
            fit(self.model, content.get("nodes", ()))
            self.model.from_dict(content)
            train_by(self.model, settings)
        except AttributeError:
            raise ValueError(Errors.E149) from None
