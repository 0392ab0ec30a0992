"""The training loop of ``spacy train`` with checkpoints: the same steps, evaluations and files from the same config."""

import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from timeit import default_timer
from typing import IO, Any, Callable, Dict, Iterator, List, Optional, Tuple

from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from spacy.training import Example
from spacy.training.loop import (
    DIR_MODEL_BEST,
    DIR_MODEL_LAST,
    clean_output_dir,
    create_before_to_disk_callback,
    create_evaluation_callback,
    create_train_batches,
    subdivide_batch,
    update_meta,
)
from spacy.util import registry, resolve_dot_names
from thinc.api import Optimizer, constant, fix_random_seed, set_gpu_allocator
from wasabi import Printer

from ..errors import E260, MTLError
from .checkpoint import Checkpoints, Progress
from .folders import replaced
from .random_states import random_states, set_random_states
from .stream import BatchStream, fingerprint

Step = Tuple[List[Example], Dict[str, Any], Optional[bool]]
"""The batch, spaCy's record of the step, and whether its evaluation was the best (None: it had none)."""


@dataclass
class Often:
    """When to write a checkpoint: after every evaluation, or after so many steps or minutes, whatever comes first."""

    steps: int = 0
    minutes: float = 0.0

    def __post_init__(self) -> None:
        self.last = default_timer()

    def due(self, step: int, evaluated: bool) -> bool:
        """Whether one is due after this step."""
        late = self.minutes > 0 and default_timer() - self.last >= 60 * self.minutes
        if self.steps or self.minutes:
            due = late or self.steps > 0 and (step + 1) % self.steps == 0
        else:
            due = evaluated
        if due:
            self.last = default_timer()
        return due


def train(
    nlp: Language,
    output: Path,
    checkpoints: Checkpoints,
    *,
    resume: bool = False,
    often: Optional[Often] = None,
    use_gpu: int = -1,
    stdout: IO = sys.stdout,
    stderr: IO = sys.stderr,
) -> Language:
    """Train a pipeline as ``spacy.training.loop.train`` does, and write checkpoints on the way.

    nlp: an initialized pipeline, or with ``resume`` that of the checkpoint (``Checkpoints.load_pipeline``).
    output: gets ``model-last``, ``model-best`` and ``checkpoint``, each of which is there whole or not at all.
    Raises MTL260 at the first evaluation, where a score that is weighted does not exist, and what ``Checkpoints.save``
    and ``Checkpoints.restore`` raise.
    """
    often = often or Often()
    config = nlp.config.interpolate()
    if config["training"]["seed"] is not None:
        fix_random_seed(config["training"]["seed"])
    if use_gpu >= 0 and config["training"]["gpu_allocator"]:
        set_gpu_allocator(config["training"]["gpu_allocator"])
    T = registry.resolve(config["training"], schema=ConfigSchemaTraining)
    optimizer, logger = T["optimizer"], T["logger"]
    stream, dev_corpus = _read(nlp, config, T, checkpoints)
    progress = Progress()
    if resume:
        progress, logged = checkpoints.restore(nlp, optimizer, stream)
        if hasattr(logger, "resume"):
            logger.resume(logged)
        stdout.write(Printer(no_print=True).info(f"Resuming after step {progress.step}") + "\n")
    else:
        clean_output_dir(output)
    _announce(nlp, T, stdout)
    save = _saver(nlp, T, output)
    with nlp.select_pipes(disable=T["frozen_components"]):
        log_step, finalize_logger = logger(nlp, stdout, stderr)
    evaluate = _evaluator(nlp, dev_corpus, T["score_weights"])
    try:
        for _, info, is_best in train_while_improving(nlp, optimizer, stream, evaluate, T, progress):
            if is_best is not None:
                with nlp.select_pipes(disable=T["frozen_components"]):
                    update_meta(T, nlp, info)
                save(is_best)
                info["output_path"] = str(output / DIR_MODEL_LAST)
            log_step(info if is_best is not None else None)
            if often.due(progress.step, is_best is not None):
                state = logger.state() if hasattr(logger, "state") else {}
                checkpoints.save(nlp, optimizer, stream, progress, state)
    finally:
        finalize_logger()
        save(False)
    checkpoints.finish(progress)
    stdout.write(Printer(no_print=True).good("Saved pipeline to output directory", output / DIR_MODEL_LAST) + "\n")
    return nlp


def train_while_improving(
    nlp: Language,
    optimizer: Optimizer,
    batches: Iterator[Tuple[int, List[Example]]],
    evaluate: Callable[[], Tuple[float, Dict[str, float]]],
    T: Dict[str, Any],
    progress: Progress,
) -> Iterator[Step]:
    """spaCy's generator of the same name, whose state is ``progress``: it goes on from there."""
    dropouts = constant(T["dropout"]) if isinstance(T["dropout"], float) else T["dropout"]
    dropouts = islice(dropouts, progress.step + 1, None)
    start = default_timer() - progress.seconds
    while not is_finished(progress, T["patience"], T["max_steps"]):
        try:
            epoch, batch = next(batches)
        except StopIteration:
            return
        progress.step += 1
        if T["before_update"]:
            T["before_update"](nlp, {"step": progress.step, "epoch": epoch})
        _update(nlp, optimizer, batch, next(dropouts), T, progress.losses)
        score, scores, is_best = None, None, None
        if progress.step % T["eval_frequency"] == 0:
            with nlp.use_params(optimizer.averages):
                score, scores = evaluate()
            progress.results.append((score, progress.step))
            is_best = score == max(progress.results)[0]
        progress.words += sum(len(example) for example in batch)
        progress.seconds = default_timer() - start
        info = {
            "epoch": epoch,
            "step": progress.step,
            "score": score,
            "other_scores": scores,
            "losses": progress.losses,
            "checkpoints": progress.results,
            "seconds": int(progress.seconds),
            "words": progress.words,
        }
        if is_best is not None:
            progress.losses = {}
        yield batch, info, is_best


def is_finished(progress: Progress, patience: int, max_steps: int) -> bool:
    """Whether no step should follow: the earliest of the best scores is ``patience`` steps ago, or ``max_steps``."""
    if not progress.results:
        return False
    best = -max((score, -step) for score, step in progress.results)[1]
    late = bool(patience) and progress.step - best >= patience
    return late or bool(max_steps) and progress.step >= max_steps


def _update(
    nlp: Language, optimizer: Optimizer, batch: List[Example], dropout: float, T: Dict[str, Any], losses: Dict
) -> None:
    """One step of all components that learn."""
    for part in subdivide_batch(batch, T["accumulate_gradient"]):
        nlp.update(
            part,
            drop=dropout,
            losses=losses,
            sgd=False,
            exclude=T["frozen_components"],
            annotates=T["annotating_components"],
        )
    for name, component in nlp.pipeline:
        learns = name not in T["frozen_components"] and getattr(component, "is_trainable", False)
        if learns and component.model not in (True, False, None):
            component.finish_update(optimizer)
    optimizer.step_schedules()


def _read(
    nlp: Language, config: Dict[str, Any], T: Dict[str, Any], checkpoints: Checkpoints
) -> Tuple[BatchStream, Callable[[Language], Any]]:
    """The batches, and the corpus to evaluate on. Both corpora are read here, and what they hold is noted; the training
    corpus alone may draw from the random generators, as it does in ``spacy train``. One that is streamed
    (``max_epochs`` -1) is read as the training goes, and not compared."""
    train_corpus, dev_corpus = resolve_dot_names(config, [T["train_corpus"], T["dev_corpus"]])
    with _undisturbed():
        development = list(dev_corpus(nlp))
    checkpoints.corpora["development"] = [len(development), fingerprint(development)]
    if T["max_epochs"] >= 0:
        training = list(train_corpus(nlp))
        checkpoints.corpora["training"] = [len(training), fingerprint(training)]
        train_corpus = _Given(training)
    return BatchStream(create_train_batches(nlp, train_corpus, T["batcher"], T["max_epochs"])), dev_corpus


class _Given:
    """A corpus that has been read."""

    def __init__(self, examples: List[Example]) -> None:
        self.examples = examples

    def __call__(self, nlp: Language) -> List[Example]:
        return self.examples


def _announce(nlp: Language, T: Dict[str, Any], stdout: IO) -> None:
    """Say what ``spacy train`` says before it begins."""
    facts = {
        "Pipeline": nlp.pipe_names,
        "Frozen components": T["frozen_components"],
        "Set annotations on update for": T["annotating_components"],
        "Initial learn rate": T["optimizer"].learn_rate,
    }
    for name, value in facts.items():
        if value:
            stdout.write(Printer(no_print=True).info(f"{name}: {value}") + "\n")


def _evaluator(
    nlp: Language, dev_corpus: Callable[[Language], Any], weights: Dict[str, Optional[float]]
) -> Callable[[], Tuple[float, Dict[str, float]]]:
    """spaCy's evaluation, but for a weight of a misspelled name, which spaCy takes for one of a score that is always 0:
    here it raises MTL260."""
    usual = {name for pipe in nlp.component_names for name in nlp.get_pipe_meta(pipe).default_score_weights}
    chosen = {name for name, weight in weights.items() if weight} - usual
    run = create_evaluation_callback(nlp, dev_corpus, weights)

    def evaluate() -> Tuple[float, Dict[str, float]]:
        score, scores = run()
        if unknown := sorted(chosen - set(scores)):
            raise MTLError(E260(unknown=", ".join(unknown), known=", ".join(sorted(scores)) or "none"))
        return score, scores

    return evaluate


def _saver(nlp: Language, T: Dict[str, Any], output: Path) -> Callable[[bool], None]:
    optimizer, before_to_disk = T["optimizer"], create_before_to_disk_callback(T["before_to_disk"])

    def save(is_best: bool) -> None:
        """Write ``model-last`` with the averages, and copy it to ``model-best``."""
        with nlp.use_params(optimizer.averages), replaced(output / DIR_MODEL_LAST) as folder:
            before_to_disk(nlp).to_disk(folder)
        if is_best:
            with replaced(output / DIR_MODEL_BEST) as folder:
                shutil.copytree(output / DIR_MODEL_LAST, folder, dirs_exist_ok=True)

    return save


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Leave the random generators as they were."""
    states = random_states()
    yield
    set_random_states(states)
