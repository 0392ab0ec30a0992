"""Figures of results; each function puts one on a ``matplotlib.figure.Figure``."""

from statistics import mean
from typing import Any, Dict, List, Optional, Sequence, Tuple

Points = Sequence[Tuple[float, float]]


def plain(name: str) -> str:
    """A name as it is: what stands between dollar signs would be a formula."""
    return name.replace("$", r"\$")


def f1_by_system(canvas: Any, scores: Dict[str, Dict[str, List[float]]]) -> None:
    """F1 by system, a panel a corpus: a point a seed, a line at the mean. scores: corpus -> system -> F1 of each
    seed."""
    canvas.set_size_inches(max(4, 1.5 + 2.8 * len(scores)), 4)
    panels = canvas.subplots(1, len(scores), squeeze=False)[0]
    for axes, (corpus, of) in zip(panels, scores.items()):
        for place, values in enumerate(of.values()):
            axes.scatter([place] * len(values), values, alpha=0.7, zorder=3)
            axes.hlines(mean(values), place - 0.3, place + 0.3, color="black", lw=1.2)
        axes.set_title(plain(corpus), fontsize=10)
        axes.set_xticks(range(len(of)), list(map(plain, of)), rotation=45, ha="right", fontsize=8)
        axes.set_xlim(-0.6, len(of) - 0.4)
        axes.grid(axis="y", alpha=0.3)
    panels[0].set_ylabel("F1 on test, %")


def lines(canvas: Any, curves: Dict[str, Points], x: str, y: str, marker: Optional[str] = None) -> None:
    """Lines by name. curves: name -> (x, y) pairs."""
    axes = canvas.subplots()
    for name, points in curves.items():
        axes.plot(*zip(*points), label=plain(name), lw=1.2, marker=marker)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.3)
    if any(curves.values()):
        axes.legend(fontsize=8)


def heat_map(
    canvas: Any,
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[Optional[float]]],
    marks: Sequence[Sequence[str]],
    unit: str,
    x: str = "",
    y: str = "",
) -> None:
    """A matrix, blue above and red below 0; ``None`` is left white. marks: a text behind each number. x, y: what the
    columns and the rows are."""
    import numpy as np

    matrix = np.array([[np.nan if value is None else value for value in row] for row in values], dtype="float64")
    known = matrix[~np.isnan(matrix)]
    limit = float(np.abs(known).max()) if known.size else 1.0
    canvas.set_size_inches(2.5 + 0.65 * len(columns), 2 + 0.45 * len(rows))
    axes = canvas.subplots()
    picture = axes.imshow(matrix, cmap="RdBu", vmin=-(limit or 1), vmax=limit or 1, aspect="auto")
    axes.set_xticks(range(len(columns)), list(map(plain, columns)), rotation=45, ha="right", fontsize=8)
    axes.set_yticks(range(len(rows)), list(map(plain, rows)), fontsize=8)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    for i, j in np.argwhere(~np.isnan(matrix)):
        dark = abs(matrix[i, j]) > 0.6 * limit
        text = f"{matrix[i, j]:+.1f}{marks[i][j]}"
        axes.text(j, i, text, ha="center", va="center", fontsize=7, color="white" if dark else "black")
    canvas.colorbar(picture, ax=axes, label=unit)


def bars(canvas: Any, values: Dict[str, float], unit: str) -> None:
    """A bar a name, to the left and to the right of 0."""
    canvas.set_size_inches(7, 1.5 + 0.3 * len(values))
    axes = canvas.subplots()
    colors = ["tab:blue" if value >= 0 else "tab:red" for value in values.values()]
    axes.barh(range(len(values)), list(values.values()), color=colors)
    axes.set_yticks(range(len(values)), list(map(plain, values)), fontsize=8)
    axes.invert_yaxis()
    axes.axvline(0, color="black", lw=0.8)
    axes.grid(axis="x", alpha=0.3)
    axes.set_xlabel(unit)


def f1_by_label(canvas: Any, results: Dict[str, Dict[str, Any]], split: str) -> None:
    """F1 of each corpus and its labels on gold tokens, as ``evaluation.evaluate_corpus`` gives them."""
    rows = []
    for name, result in results.items():
        rows.append((name, result["gold_tokens"]["f1"], "#35618f"))
        labels = result["gold_tokens"]["labels"]
        rows += [(f"{name}: {label}", row["f1"], "#9dbbd8") for label, row in labels.items() if len(labels) > 1]
    canvas.set_size_inches(8, 1 + 0.32 * len(rows))
    axes = canvas.subplots()
    drawn = axes.barh([plain(name) for name, _, _ in rows], [f1 for _, f1, _ in rows], color=[c for *_, c in rows])
    axes.bar_label(drawn, fmt="%.1f", padding=3)
    axes.set(xlim=(0, 108), xlabel=f"F1 on {split}, exact match (percent)")
    axes.invert_yaxis()
