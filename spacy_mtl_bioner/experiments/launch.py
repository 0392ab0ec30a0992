"""From a training to its process: the folder it works in, its command and environment."""

import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict, List

from ..durable import make_folder, write_text
from ..errors import E314, MTLError
from .data import write_part
from .folder import CONFIG, CURVE, FAILURE, JOB, is_claimed, write_json
from .protocol import compose
from .training import Setting, Training, digest

PACKAGES = str(Path(__file__).resolve().parents[2])
"""The folder of this package."""

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True)
class Runs:
    """The folder of all trainings of a study, and how they run.

    out: the folder. setting: what the trainings have in common. command: the user's, for the record. threads: of each
    process. gpu_id: -1 for the CPU. keep_models: keep each ``model-best`` (they are large).
    """

    out: Path
    setting: Setting
    command: str = ""
    threads: int = 1
    gpu_id: int = -1
    keep_models: bool = False

    def folder(self, training: Training) -> Path:
        """The training's own folder. Raises as ``compose``."""
        return self.out / "trainings" / f"{training.slug()}-{compose(training, self.setting).key}"

    def prepare(self, training: Training) -> Path:
        """Write what the training's process needs, unless it runs already, and return its folder. Raises MTL314 where
        its inputs are no longer those of its key, which is taken once."""
        folder = self.folder(training)
        make_folder(folder)
        if is_claimed(folder):
            return folder
        config, protocol, key = compose(training, self.setting)
        if compose.__wrapped__(training, self.setting).key != key:
            raise MTLError(E314(path=f"What {training.title()} reads"))
        paths = {name: _absolute(value) for name, value in config["paths"].items()}
        paths |= {"corpora": str(self.setting.corpora_dir.resolve()), "log": str((folder / CURVE).resolve())}
        if training.variants:
            paths["data"] = str((self.out / "data").resolve())
        for corpus, variant in training.variants:
            write_part(corpus, variant, self.setting, self.out / "data")
        job: Dict[str, Any] = {
            "training": {**asdict(training), "config": training.config.name},
            "scored": list(training.scored),
            "protocol": protocol,
            "paths": paths,
            "key": key,
            "inputs": {str(path.resolve()): digest(path) for path in self._inputs(training)},
            "command": self.command,
            "gpu_id": self.gpu_id,
            "keep_models": self.keep_models,
        }
        write_text(folder / CONFIG, config.to_str(interpolate=False))
        write_json(folder / JOB, job)
        (folder / FAILURE).unlink(missing_ok=True)
        return folder

    def _inputs(self, training: Training) -> List[Path]:
        """The converted corpora that a training reads."""
        scored = [(corpus, split) for corpus in training.scored for split in ("devel", "test")]
        files = [(corpus, "train") for corpus in training.corpora] + scored
        return [self.setting.docbin(corpus, split) for corpus, split in files]


def command_of(folder: Path) -> List[str]:
    """Return the command of a training's process, which takes no module from the folder it is called in."""
    return [sys.executable, "-P", "-m", "spacy_mtl_bioner.experiments.child", str(folder)]


def environment(threads: int) -> Dict[str, str]:
    """Return this process' environment with so many threads of each numeric library, and this very package."""
    found = {**os.environ, **dict.fromkeys(THREADS, str(threads)), "TOKENIZERS_PARALLELISM": "false"}
    if PACKAGES not in sys.path[1:]:  # not where Python looks by itself: a checkout
        found["PYTHONPATH"] = os.pathsep.join(filter(None, [PACKAGES, os.environ.get("PYTHONPATH")]))
    return found


def _absolute(value: Any) -> Any:
    return str(Path(value).resolve()) if isinstance(value, str) and value and Path(value).exists() else value
