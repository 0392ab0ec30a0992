"""What the benchmarks have in common: one thread, timing by turns, a table, and one JSON object as the last line."""

import argparse
import json
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results"
THREADS = "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"
Row = Dict[str, Any]


def arguments(description: Optional[str], rounds: int) -> argparse.ArgumentParser:
    """A parser with ``--rounds`` and ``--save``, which each benchmark has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=rounds, help="how often each side runs (default: %(default)s)")
    parser.add_argument("--save", action="store_true", help="write the result to docs/results")
    return parser


def one_thread() -> None:
    """Keep torch and the numeric libraries to one thread. The libraries read their settings when they are loaded, so
    that the program starts once more where these are missing."""
    if any(os.environ.get(name) != "1" for name in THREADS):
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **dict.fromkeys(THREADS, "1")})
    import torch

    torch.set_num_threads(1)


def least(
    rounds: int, *actions: Callable[..., object], fresh: Callable[[int], Tuple[Any, ...]] = lambda side: ()
) -> List[float]:
    """Least seconds of processor time of each action. They take turns, after a round that warms up.

    Processor time, for on a busy machine a wall clock would flatter the shorter side, which is interrupted less often.
    fresh: gives the arguments of an action by its number, off the clock, before each run.
    """
    times: List[List[float]] = [[] for _ in actions]
    for turn in range(rounds + 1):
        for side, action in enumerate(actions):
            given = fresh(side)
            began = time.process_time()
            action(*given)
            if turn:
                times[side].append(time.process_time() - began)
    return [min(spent) for spent in times]


def row(case: str, ours: float, peer: float, unit: str, *, digits: int, more_is_better: bool, **more: Any) -> Row:
    """One result; ``ratio`` is above 1 where ours is better. ``more`` are further entries, such as who the peer is."""
    ratio = ours / peer if more_is_better else peer / ours
    figures = {"ours": round(ours, digits or None), "peer": round(peer, digits or None)}
    return {"case": case, **figures, "unit": unit, "ratio": round(ratio, 3), **more}


def rates(case: str, tokens: int, ours: float, peer: float, unit: str = "tokens/s", **more: Any) -> Row:
    """One result about speed, from the seconds that each side took for the same tokens."""
    return row(case, tokens / ours, tokens / peer, unit, digits=0, more_is_better=True, **more)


def publish(name: str, results: Sequence[Row], packages: Sequence[str], save: bool, **more: Any) -> None:
    """Print a table and, as the last line, the JSON object, which ``save`` also writes to ``docs/results``."""
    width = max(len(result["case"]) for result in results)
    print(f"\n{'case':<{width}}{'ours':>13}{'peer':>13}  {'unit':<9}{'ratio':>8}  peer")
    for result in results:
        columns = f"{result['ours']:>13,}{result['peer']:>13,}  {result['unit']:<9}{result['ratio']:>8}"
        print(f"{result['case']:<{width}}{columns}  {result.get('peer_name', '')}".rstrip())
    from spacy_mtl_bioner.experiments.circumstances import commit, processor

    versions = {"python": platform.python_version(), **{package: version(package) for package in packages}}
    made = {"benchmark": name, "commit": commit(), "machine": f"{processor()}, 1 thread of {os.cpu_count()} cores"}
    report = json.dumps({**made, "threads": 1, "versions": versions, "results": list(results), **more})
    if save:
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / f"{name}.json").write_text(report + "\n", encoding="utf-8")
    print(report)
