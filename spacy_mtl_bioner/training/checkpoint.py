"""Everything that a training needs to go on as if nothing had happened: safetensors and JSON in one folder."""

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import spacy
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from spacy.language import Language
from thinc.api import Config, Optimizer

from ..errors import E250, E251, E252, E253, E254, E256, MTLError
from .folders import mended, replaced
from .optimizer_state import optimizer_tensors, restore_optimizer
from .random_states import from_tensor, random_states, set_random_states, to_tensor
from .stream import BatchStream

FOLDER, STATE, CONFIG, PIPELINE, TENSORS = "checkpoint", "state.json", "config.cfg", "pipeline", "state.safetensors"


@dataclass
class Progress:
    """How far a training is. step: the last one done, from 0; words, seconds: since the start; results: (score, step)
    of each evaluation; losses: sums since the last evaluation."""

    step: int = -1
    words: int = 0
    seconds: float = 0.0
    results: List[Tuple[float, int]] = field(default_factory=list)
    losses: Dict[str, float] = field(default_factory=dict)


@dataclass
class Checkpoints:
    """The checkpoints of one training, of which the latest is kept.

    output: the training's folder; config: the user's settings; corpora: {split: [examples, fingerprint]}.
    """

    output: Path
    config: Config
    corpora: Dict[str, List[Any]] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where the checkpoint is."""
        return self.output / FOLDER

    def start(self, overwrite: bool = False) -> None:
        """Make room for a new training. Raises MTL252 where that would lose an unfinished one."""
        if mended(self.folder).exists() and not overwrite:
            state = self._state()
            if not state.get("finished"):
                raise MTLError(E252(folder=self.output, step=state["progress"]["step"]))
        shutil.rmtree(self.folder, ignore_errors=True)

    def load_pipeline(self) -> Language:
        """The pipeline with its weights as of the checkpoint.

        Raises MTL250 where there is none, MTL251 for a training that came to its end, MTL253 for other settings and
        MTL256 for a damaged checkpoint.
        """
        if not (mended(self.folder) / STATE).is_file():
            raise MTLError(E250(folder=self.output))
        state = self._state()
        if state.get("finished"):
            raise MTLError(E251(folder=self.output, step=state["progress"]["step"]))
        then = Config().from_disk(self.folder / CONFIG, interpolate=True)
        differences = list(compare(then, self.config.interpolate()))
        if differences:
            raise MTLError(E253(folder=self.output, differences="; ".join(differences)))
        try:
            return spacy.load(self.folder / PIPELINE)
        except (OSError, ValueError, SafetensorError) as error:
            raise MTLError(E256(folder=self.folder, reason=error)) from error

    def restore(self, nlp: Language, optimizer: Optimizer, stream: BatchStream) -> Tuple[Progress, Dict[str, Any]]:
        """Bring a fresh optimizer, a fresh stream and all random generators to where they were; also what the logger
        had to say. Raises MTL254 for other corpora."""
        state = self._state()
        for split, (count, found) in self.corpora.items():
            then, expected = state["corpora"][split]
            if found != expected:
                how = "" if count != then else ", with other contents"
                raise MTLError(E254(folder=self.output, split=split, found=count, expected=then, how=how))
        try:
            tensors = load_file(self.folder / TENSORS)
        except (OSError, SafetensorError) as error:
            raise MTLError(E256(folder=self.folder, reason=error)) from error
        parts: Dict[str, Dict[str, Any]] = {"optimizer": {}, "random": {}, "stream": {}}
        for name, tensor in tensors.items():
            part, _, rest = name.partition("/")
            parts[part][rest] = tensor
        progress = Progress(**state["progress"])
        progress.results = [(score, step) for score, step in progress.results]
        restore_optimizer(optimizer, nlp, parts["optimizer"], state["optimizer"])
        for _ in range(progress.step + 1):
            optimizer.step_schedules()
        marks = [(int(at), from_tensor(mark)) for at, mark in parts["stream"].items()]
        stream.replay(progress.step + 1, marks)
        set_random_states(parts["random"])
        return progress, state["logger"]

    def save(
        self, nlp: Language, optimizer: Optimizer, stream: BatchStream, progress: Progress, logger: Dict[str, Any]
    ) -> None:
        """Put a checkpoint in the place of the one before. Raises MTL257 where it cannot be written."""
        tensors, numbers = optimizer_tensors(optimizer, nlp)
        tensors = {f"optimizer/{name}": tensor for name, tensor in tensors.items()}
        tensors.update({f"random/{name}": tensor for name, tensor in random_states().items()})
        tensors.update({f"stream/{at}": to_tensor(state) for at, state in stream.marks})
        state = {
            "progress": _plain(progress),
            "corpora": self.corpora,
            "optimizer": numbers,
            "logger": logger,
            "versions": {module.__name__: module.__version__ for module in _modules()},
        }
        with replaced(self.folder) as folder:
            nlp.to_disk(folder / PIPELINE)
            save_file(tensors, folder / TENSORS)
            self.config.to_disk(folder / CONFIG)
            (folder / STATE).write_text(json.dumps(state), encoding="utf8")

    def finish(self, progress: Progress) -> None:
        """Keep only the note that the training came to its end."""
        with replaced(self.folder) as folder:
            state = {"progress": _plain(progress), "finished": True}
            (folder / STATE).write_text(json.dumps(state), encoding="utf8")

    def _state(self) -> Dict[str, Any]:
        try:
            return json.loads((self.folder / STATE).read_text(encoding="utf8"))
        except (OSError, ValueError) as error:
            raise MTLError(E256(folder=self.folder, reason=error)) from error


def compare(then: Any, now: Any, where: str = "") -> Iterator[str]:
    """What differs between two nested dicts, a line each: "training.seed: 1 then, 2 now"."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*then, *now]):
            yield from compare(then.get(key, "nothing"), now.get(key, "nothing"), f"{where}.{key}" if where else key)
    elif then != now:
        yield f"{where}: {then!r} then, {now!r} now"


def _plain(progress: Progress) -> Dict[str, Any]:
    """As JSON: losses of other components may be NumPy's numbers."""
    found = asdict(progress)
    found["results"] = [(float(score), step) for score, step in progress.results]
    found["losses"] = {name: float(loss) for name, loss in progress.losses.items()}
    return found


def _modules() -> List[Any]:
    import thinc
    import torch

    import spacy_mtl_bioner

    return [spacy, thinc, torch, spacy_mtl_bioner]
