"""Does a packaged pipeline work where nothing but its wheels is new?"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
import zlib
from pathlib import Path
from typing import Any, Dict, List, Sequence

from ..corpora.sources import decoded, read_bytes
from ..errors import E174, E176, E177, E178, E179, E180, MTLError
from .payload import pickled_members

NOT_SOURCE = shutil.ignore_patterns(".*", "__pycache__", "tests")
"""What of a package a wheel is not built from."""

DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError)
"""What reading a wheel raises: RuntimeError where it is encrypted or packed in an unknown way, ValueError for names."""

HERE = Path(__file__).parent
PROBE = (HERE / "probe.py").read_text(encoding="utf8")
BLOCK_NETWORK = (HERE / "block_network.py").read_text(encoding="utf8")
"""Programs for the fresh environment, which must not look into this source tree."""


def check_wheel(wheel: Path, model: Path, texts: Path, plugin: Path, *, full: bool = False) -> Dict[str, Any]:
    """Install the wheel of a pipeline and the plugin's own into a fresh environment, load the pipeline there, offline
    and with warnings as errors, and compare its entities with those of ``model``. Return what was compared.

    texts: a file, one text a line. plugin: source folder of the plugin. full: install every dependency too. Raises
    MTLError: MTL178 to MTL180 for what differs, and as ``refuse_pickles``, ``build_wheel`` and ``run``.
    """
    lines = [line for line in decoded(read_bytes(texts), texts).splitlines() if line.strip()]
    refuse_pickles(wheel)
    expected = entities(model, lines)
    if not any(expected):
        raise MTLError(E179(path=texts, model=model))
    package = wheel.name.split("-")[0]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        own = build_wheel(plugin, root / "wheels")
        refuse_pickles(own)
        python = make_environment(root / "venv", [own, wheel.resolve()], full=full)
        request = json.dumps({"package": package, "texts": lines})
        answer = json.loads(run([python, "-W", "error", "-c", PROBE], request))
        outside = [path for path in answer["origins"].values() if not Path(path).resolve().is_relative_to(root)]
    for problem in [*answer["unmet"], *(f"imported from {path}" for path in outside)]:
        raise MTLError(E180(name=package, found=problem, expected="the two wheels of this run and what they require"))
    for text, wanted, found in zip(lines, expected, answer["entities"]):
        if wanted != found:
            raise MTLError(E178(name=package, model=model, text=text, found=found, expected=wanted))
    return {"package": wheel.name, "plugin": own.name, "texts": len(lines), "entities": sum(map(len, expected))}


def refuse_pickles(wheel: Path) -> None:
    """Raise MTLError: MTL176 where a wheel holds pickled data, MTL174 where it is no wheel at all."""
    try:
        found = pickled_members(wheel)
    except DAMAGED as error:
        raise MTLError(E174(path=wheel, reason=str(error), expected="a wheel")) from error
    if found:
        raise MTLError(E176(path=wheel, members=", ".join(found)))


def entities(model: Path, texts: Sequence[str]) -> List[List[List]]:
    """Return the entities of each text as lists of start, end (characters) and label. Raises MTL365."""
    from ..pipeline.loading import load

    return [[[e.start_char, e.end_char, e.label_] for e in doc.ents] for doc in load(model).pipe(texts)]


def build_wheel(source: Path, out: Path) -> Path:
    """Build the wheel of a source folder, in a build environment of its own. Raises MTLError (MTL177, MTL174).

    A copy is built, so that no left-over of an earlier build gets into the wheel and none is left behind.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "source"
        copy.mkdir()
        ignored = NOT_SOURCE(str(source), [path.name for path in source.iterdir()])
        for path in source.iterdir():  # what else lies there, corpora and environments, may be large
            if path.name in ignored:
                continue
            if (path / "__init__.py").is_file():
                shutil.copytree(path, copy / path.name, ignore=NOT_SOURCE)
            elif path.is_file():
                shutil.copy2(path, copy)
        run([sys.executable, "-m", "build", "--wheel", "--outdir", str(out), str(copy)])
    wheels = sorted(out.glob("*.whl"))
    if not wheels:
        raise MTLError(E174(path=out, reason="no wheel", expected="the wheel that 'python -m build' makes"))
    return wheels[-1]


def make_environment(folder: Path, wheels: Sequence[Path], *, full: bool) -> str:
    """Make a virtual environment with the wheels and without a network; return its Python.

    full: let pip install every dependency. Otherwise the third-party packages of the running environment are put
    behind the new one on its path, as large as torch is; the wheels themselves are always installed.
    """
    builder = venv.EnvBuilder(with_pip=True)
    builder.create(folder)
    python = builder.ensure_directories(folder).env_exe
    site = Path(run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).strip())
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*install, *([] if full else ["--no-deps"]), *map(str, wheels)])
    if not full:
        paths = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
        (site / "linked_dependencies.pth").write_text("\n".join(paths) + "\n", encoding="utf8")
    (site / "block_network.py").write_text(BLOCK_NETWORK, encoding="utf8")
    (site / "block_network.pth").write_text("import block_network\n", encoding="utf8")
    return python


def run(command: List[str], stdin: str = "") -> str:
    """Run a command outside of any source tree and return its output. Raises MTLError (MTL177) where it fails."""
    clean: Dict[str, str] = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    with tempfile.TemporaryDirectory() as elsewhere:
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=clean, cwd=elsewhere)
    if done.returncode:
        tail = (done.stdout + done.stderr)[-2000:]
        raise MTLError(E177(command=" ".join(command[:4]), code=done.returncode, output=tail))
    return done.stdout
