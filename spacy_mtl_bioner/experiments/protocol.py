"""One protocol for all systems: a system's pipeline and model, everything else from the protocol's config."""

import configparser
import re
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, Iterator, Mapping, NamedTuple, Tuple

from spacy.util import dot_to_object, load_config, set_dot_to_object
from thinc.api import Config

from ..errors import E300, E301, E302, E303, E313, MTLError
from ..training.settings import expected_settings
from .training import Setting, Training, key_of, part_name

OWN = ("annotating_components", "before_to_disk", "before_update", "frozen_components", "gpu_allocator")
"""Settings of ``[training]`` that are a part of a system: they speak of the components of its pipeline, or how they
run."""

SETTINGS = ("max_passes", "patience", "evaluations", "max_steps", "min_eval_frequency", "schedule", "joint_schedule")
"""Of ``[protocol]``."""

_NUMBER, _BLOCK = ((int, float), "a number above 0"), (dict, "a schedule")
_REQUIRED = {
    "max_passes": _NUMBER,
    "patience": _NUMBER,
    "evaluations": _NUMBER,
    "schedule": _BLOCK,
    "joint_schedule": _BLOCK,
}
_SCHEDULES = {"schedule", "joint_schedule"}

_VARIABLE = r"\$\{paths[.:]%s\}"
"""A path in a config: thinc takes either sign."""

DERIVED = (
    "training.patience",
    "training.max_steps",
    "training.eval_frequency",
    "training.max_epochs",
    "training.batcher.schedule",
    "training.train_corpus",
    "training.dev_corpus",
    "training.logger",
    "training.seed",
    "system.seed",
    "corpora.train.paths",
    "corpora.dev.paths",
    "paths.corpora",
    "paths.data",
    "paths.log",
)
"""Settings that follow from ``[protocol]``, the corpora and the seeds: to override them would do nothing, or give the
seeds of a study one and the same."""

LOGGER = {"@loggers": "spacy_mtl_bioner.CorpusLogger.v1", "path": "${paths.log}"}


class Composed(NamedTuple):
    """A training's config (variables still in it), its ``[protocol]``, and its key."""

    config: Config
    protocol: Dict[str, Any]
    key: str


@lru_cache(maxsize=None)
def compose(training: Training, setting: Setting) -> Composed:
    """Put a training's config together: the system's, the protocol's over it, then the overrides.

    Raises MTLError: MTL300 for a file that is no config, MTL301 for one without a section it needs, MTL302 for an
    override that names no setting, MTL303 for a protocol without a setting it needs, MTL304 for a corpus that is not
    converted, MTL313 for one whose name a config cannot have.
    """
    for corpus in training.corpora:
        _check_name(corpus)
    config = read(training.config, "nlp", "components", "corpora")
    protocol = read(setting.protocol, "protocol", "training.batcher", "training.optimizer")
    unused = {name: deepcopy(protocol["protocol"].get(name)) for name in _SCHEDULES - {_schedule_of(training)}}
    own = {name: value for name, value in config.get("training", {}).items() if name in OWN}
    schedule = config.get("training", {}).get("batcher", {}).get("schedule")
    config["training"] = {}
    merge(config, protocol)
    config["training"].update(own)
    config["training"].update(
        train_corpus="corpora.train", dev_corpus="corpora.dev", seed="${system.seed}", logger=dict(LOGGER)
    )
    config["system"] = {**config.get("system", {}), "seed": training.seed}
    config["paths"] = {**config.get("paths", {}), "corpora": None, "log": None}
    if training.variants:
        config["paths"]["data"] = None
    config["corpora"] = _corpora(config["corpora"], training, setting)
    for name, value in (*setting.overrides, *training.overrides):
        _override(config, name, value)
    settings = config.pop("protocol")
    _check(settings, setting.protocol)
    if not describe(training.config).fixed:
        schedule = _for_main(settings[_schedule_of(training)], training.main)
    config["training"]["batcher"]["schedule"] = schedule
    # what is overridden for others is none of this training's business: the schedule that it does not follow ...
    hashed = Config({**config, "paths": {}, "protocol": {**settings, **unused}}).to_str(interpolate=False)
    used = " ".join([hashed, *map(str, config["paths"].values())])  # ... and a path of another system
    paths = {name: value for name, value in config["paths"].items() if re.search(_VARIABLE % re.escape(name), used)}
    return Composed(config, settings, key_of(hashed, paths, training, setting, _values(config.get("initialize"))))


def _check_name(corpus: str) -> None:
    """Raise MTL313 for a name, of a folder that ``convert`` did not write, that a config takes for something else, such
    as a comment."""
    if re.search(r"[#;=:\[\]${}\\/\"\s]", corpus.replace(" ", "")) or corpus != corpus.strip() or corpus[:1] in "@*":
        raise MTLError(E313(corpus=corpus))


def _schedule_of(training: Training) -> str:
    """The setting that a training's schedule is from."""
    return "schedule" if training.main else "joint_schedule"


def _check(settings: Mapping[str, Any], path: Path) -> None:
    """Raise MTL303 for a ``[protocol]`` that lacks a setting, or has another value where a positive number or a block
    belongs: to spaCy a patience of 0 is none at all."""
    for name, (kind, expected) in _REQUIRED.items():
        value = settings.get(name)
        if not isinstance(value, kind) or isinstance(value, bool) or not isinstance(value, dict) and not value > 0:
            raise MTLError(E303(option=f"{path}: [protocol], {name}", found=value, expected=expected))


def _override(config: Config, name: str, value: Any) -> None:
    """Set what an override names. Raises MTLError (MTL302) where it names nothing, or what has no effect."""
    section, _, setting = name.partition(".")
    unknown = section == "protocol" and setting.split(".")[0] not in SETTINGS
    if unknown or any(f"{name}.".startswith(f"{derived}.") for derived in DERIVED):
        raise MTLError(E302(name=name, expected=", ".join(f"protocol.{known}" for known in SETTINGS)))
    others = expected_settings(name, config)  # of [paths] any will do: one may be of one system among several
    if others is not None:
        raise MTLError(E302(name=name, expected=", ".join(others)))
    try:
        set_dot_to_object(config, name, value)
    except KeyError as error:
        raise MTLError(E302(name=name, expected="a setting of a section of the system's config")) from error


class Shape(NamedTuple):
    """What a system's config says of corpora. alone: it trains on one corpus. fixed: corpora that its model names,
    such as that of an auxiliary task; they are a part of the system, and so is then its schedule."""

    alone: bool
    fixed: Tuple[str, ...]


@lru_cache(maxsize=None)
def describe(path: Path) -> Shape:
    """Return a system's shape. The model's own blocks tell which of the listed corpora are fixed."""
    config = read(path, "nlp", "components", "corpora")
    listed = list(config["corpora"].get("train", {}).get("paths", {}))
    named = set(_strings([component.get("model") for component in config["components"].values()]))
    fixed = tuple(corpus for corpus in listed if corpus in named)
    return Shape(len(listed) - len(fixed) <= 1, fixed)


def read(path: Path, *sections: str) -> Config:
    """Read a config, variables kept, and check its sections. Raises MTLError: MTL300 and MTL301."""
    try:
        config = load_config(path, interpolate=False)
    except (OSError, ValueError, configparser.Error) as error:
        raise MTLError(E300(path=path, what="a config", reason=" ".join(str(error).split())[:300])) from error
    for section in sections:
        try:
            dot_to_object(config, section)
        except KeyError as error:
            expected = ", ".join(f"[{name}]" for name in sections)
            raise MTLError(E301(path=path, section=section, expected=expected)) from error
    return config


def merge(config: Dict[str, Any], over: Mapping[str, Any]) -> None:
    """Put ``over`` over a config, setting by setting; a block of another registered function replaces the whole."""
    for name, value in over.items():
        below = config.get(name)
        if isinstance(value, dict) and isinstance(below, dict) and _function(value) in (None, _function(below)):
            merge(below, value)
        else:
            config[name] = value


def _function(block: Mapping[str, Any]) -> Any:
    return next(((name, value) for name, value in block.items() if name.startswith("@")), None)


def _corpora(found: Mapping[str, Any], training: Training, setting: Setting) -> Dict[str, Any]:
    """The readers with the training's corpora, their other settings kept."""
    folders = {corpus: f"${{paths.corpora}}/{corpus}" for corpus in training.corpora}
    for corpus, variant in training.variants:
        folders[corpus] = f"${{paths.data}}/{part_name(corpus, variant, setting)}"

    def reader(block: str, corpora: Tuple[str, ...], split: str) -> Dict[str, Any]:
        paths = {corpus: f"{folders[corpus]}/{split}.spacy" for corpus in corpora}
        return {"@readers": "spacy_mtl_bioner.MultiCorpus.v1", **found.get(block, {}), "paths": paths}

    return {"train": reader("train", training.corpora, "train"), "dev": reader("dev", training.scored, "devel")}


def _for_main(schedule: Mapping[str, Any], main: Any) -> Dict[str, Any]:
    """The schedule with the main corpus where it has a place for one."""
    return {**schedule, "main": main} if "main" in schedule and schedule["main"] is None else dict(schedule)


def _values(block: Any) -> Iterator[str]:
    """Every string that a setting of a block has, or of a block in it."""
    for value in block.values() if isinstance(block, dict) else ():
        yield from [value] if isinstance(value, str) else _values(value)


def _strings(block: Any) -> Iterator[str]:
    """Every name and string in a block."""
    if isinstance(block, str):
        yield block
    elif isinstance(block, dict):
        for name, value in block.items():
            yield name
            yield from _strings(value)
    elif isinstance(block, (list, tuple)):
        for value in block:
            yield from _strings(value)
