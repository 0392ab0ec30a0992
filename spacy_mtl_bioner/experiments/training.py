"""What a training is: a plain record, and the key by which a finished one is known again."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional, Tuple

from ..corpora.catalogue import SPLITS
from ..errors import E304, MTLError

Overrides = Tuple[Tuple[str, Any], ...]
"""Dotted names of config settings and their values, as the options of ``spacy train``."""


@dataclass(frozen=True)
class Variant:
    """A part of a corpus. labels: only these, the rest is Outside; ``None``: all. share: of the training sentences,
    drawn with ``seed``; for one seed a larger share holds a smaller one."""

    labels: Optional[Tuple[str, ...]] = None
    share: float = 1.0
    seed: int = 0

    def title(self) -> str:
        """What it is, to read."""
        share = f"{100 * self.share:g}%" if self.share < 1 else ""
        return " ".join(filter(None, [share, ", ".join(self.labels or ())]))

    def plain(self) -> List[Any]:
        """Return it as plain values."""
        return [list(self.labels) if self.labels is not None else None, self.share, self.seed if self.share < 1 else 0]


@dataclass(frozen=True)
class Training:
    """One training of one system.

    system: its name in tables. config: its config. corpora: what it trains on, in order. main: the corpus that is
    scored and by whose devel split everything is chosen; ``None``: all of ``corpora`` are (a joint training).
    overrides: of config settings, beside those of all trainings. variants: of which corpora only a part is used.
    """

    system: str
    config: Path
    corpora: Tuple[str, ...]
    main: Optional[str]
    seed: int = 0
    overrides: Overrides = field(default=(), hash=False)  # a value may be a block, which has no hash
    variants: Tuple[Tuple[str, Variant], ...] = ()

    @property
    def partners(self) -> Tuple[str, ...]:
        """The corpora beside the main one."""
        return tuple(corpus for corpus in self.corpora if corpus != self.main)

    @property
    def scored(self) -> Tuple[str, ...]:
        """The corpora that are scored."""
        return self.corpora if self.main is None else (self.main,)

    def title(self) -> str:
        """A short name to read, which others may share."""
        settings = [f"{name.rpartition('.')[2]} {shown(value)}" for name, value in self.overrides]
        return self._plain_title() + (f" ({', '.join(settings)})" if settings else "")

    def _plain_title(self) -> str:
        together = [self._named(corpus) for corpus in self.partners]
        together = together if len(together) < 4 else [f"{len(together)} corpora"]
        corpora = " + ".join(together if self.main is None else [self._named(self.main), *together])
        return f"{self.system} {corpora} seed {self.seed}"

    def _named(self, corpus: str) -> str:
        variant = dict(self.variants).get(corpus)
        return corpus if variant is None else f"{corpus} ({variant.title()})"

    def slug(self) -> str:
        """The title as the name of a folder, without settings."""
        return _folder_name(self._plain_title().replace(" + ", "+"))


@dataclass(frozen=True)
class Setting:
    """What all trainings of a study have in common: the folder of converted corpora, the protocol's config, and
    overrides. A setting of ``[paths]`` counts by the content of what it names, not by its place."""

    corpora_dir: Path
    protocol: Path
    overrides: Overrides = field(default=(), hash=False)

    def docbin(self, corpus: str, split: str) -> Path:
        """The file of a split. Raises MTLError (MTL304) where there is none."""
        path = self.corpora_dir / corpus / f"{split}.spacy"
        if not path.exists():
            raise MTLError(E304(corpus=corpus, path=path))
        return path


def key_of(
    config: str, paths: Dict[str, Any], training: Training, setting: Setting, read: Iterable[str] = ()
) -> str:
    """Return the training's key: a hash of all that its result depends on, but for the code.

    config: the composed config without its ``[paths]``. paths: those that it uses. read: further strings, which may be
    paths. Files and folders are hashed by content.
    """
    files: Dict[str, Any] = {f"{corpus}/train": digest(setting.docbin(corpus, "train")) for corpus in training.corpora}
    for corpus in training.scored:
        files.update({f"{corpus}/{split}": digest(setting.docbin(corpus, split)) for split in ("devel", "test")})
    files.update({f"{corpus}/variant": variant.plain() for corpus, variant in training.variants})
    named = {name: digest(Path(v)) if isinstance(v, str) and v and Path(v).exists() else v for name, v in paths.items()}
    named.update({path: digest(Path(path)) for path in sorted(set(read) - {""}) if Path(path).exists()})
    text = json.dumps([config, files, named, training.scored], sort_keys=True)
    return hashlib.sha256(text.encode("utf8")).hexdigest()[:16]


def part_name(corpus: str, variant: Variant, setting: Setting) -> str:
    """Return the name of the folder of a part of a corpus, which its content decides."""
    sources = [digest(setting.docbin(corpus, split)) for split in SPLITS]
    key = hashlib.sha256(json.dumps([sources, variant.plain()]).encode("utf8")).hexdigest()[:8]
    return f"{_folder_name(f'{corpus} {variant.title()}')}-{key}"


def shown(value: Any) -> str:
    """A value in a title: of a path its last name, of a block what it registers."""
    if isinstance(value, dict):
        return next((str(found) for name, found in value.items() if name.startswith("@")), "changed")
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else str(value)


def _folder_name(title: str) -> str:
    """A title without what folders cannot be called, short enough for a key and every file system's 255 bytes."""
    return re.sub(r"[^\w.%+-]+", "-", title).encode("utf8")[:160].decode("utf8", "ignore")


def digest(path: Path) -> str:
    """Return the sha256 of a file, or of the names and contents of a folder."""
    if path.is_dir():
        inside = [(p.relative_to(path).as_posix(), digest(p)) for p in sorted(path.rglob("*")) if p.is_file()]
        return hashlib.sha256(json.dumps(inside).encode("utf8")).hexdigest()
    stat = path.stat()
    return _digest(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4096)
def _digest(path: Path, changed: int, size: int) -> str:
    found = hashlib.sha256()
    with path.open("rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            found.update(block)
    return found.hexdigest()
