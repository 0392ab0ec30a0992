"""``mtl-bioner suggest-partners``: which corpora to train a corpus with."""

import json
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import typer

from ..durable import write_text
from ..errors import E100, MTLError
from .values import names_or_none

_HELP = """Rank the corpora that a corpus, NAME, may be trained with.

Before any training the ranking is by statistics of the training sets: vocabulary, words within entities, mentions that
both annotate, whether the same words are entities, and categories of labels. A partner's place is its mean rank by all
of them; with --proportional its size counts as much, because then a large partner takes the steps.

With --study, a finished study of pairs, the ranking is by measured gain, on devel (by the published table, and by
studies of before devel was kept, on test, which the head of the column says), and the command says how well the
statistics had foretold it: Spearman's correlation, 1 for the same order, 0 for none. A gain is over the corpus alone;
where the study does not have that, as the published table, what is shown is F1 beside the mean of the partners.

Examples:

\b
  # before any training
  mtl-bioner suggest-partners Ex-PTM --corpora-dir corpus
  # after a study of pairs: the measured gains of one corpus
  mtl-bioner suggest-partners Ex-PTM --corpora-dir corpus --study pairs.json
  # how well each statistic foretells the gains of all corpora of the study
  mtl-bioner suggest-partners --corpora-dir corpus --study pairs.json --out advice.json
  # the same of the published pairs, whose steps were shared out by size
  mtl-bioner suggest-partners --corpora-dir corpus --published --proportional
"""


def suggest_partners(
    name: Optional[str] = typer.Argument(None, help="Corpus to find partners for; may be left out with a study"),
    corpora_dir: Path = typer.Option(..., help="Folder that 'convert' wrote", exists=True, file_okay=False),
    partners: Optional[str] = typer.Option(None, help="Corpora to rank, separated by commas; default: all"),
    study: Optional[Path] = typer.Option(None, help="JSON of a study of pairs", exists=True, dir_okay=False),
    published: bool = typer.Option(False, "--published", help="Take the published table of pairs as the study"),
    proportional: bool = typer.Option(False, "--proportional", help="Steps are shared out by size: small is better"),
    out: Optional[Path] = typer.Option(None, help="Write ranking and correlations here, as JSON"),
) -> None:  # documented by _HELP
    from tqdm import tqdm
    from wasabi import msg

    from ..experiments.advice import advise, correlations, profile, published_study, read_study, with_gains
    from ..experiments.overlap import find_sets

    if study is not None and published:
        raise typer.BadParameter("--study and --published exclude each other")
    measured = read_study(study) if study is not None else published_study() if published else None
    if name is None and measured is None:
        raise typer.BadParameter("NAME is needed, or a study; --help shows examples")
    chosen = names_or_none(partners)
    files = find_sets(corpora_dir, "train", [*dict.fromkeys([name, *chosen] if name else chosen)] if chosen else None)
    if name is not None and name not in files:
        raise MTLError(E100(corpus=name, where=f"folder {corpora_dir}", known=", ".join(files)))
    bar = tqdm(files.items(), unit=" corpora", disable=None)
    profiles = {corpus: profile(corpus, path) for corpus, path in bar}
    if without := [corpus for corpus, found in profiles.items() if not found.entities]:
        msg.warn(f"left out, for they have no entities: {', '.join(without)}")
        profiles = {corpus: found for corpus, found in profiles.items() if found.entities}
    result: Dict[str, Any] = {}
    if name is not None:
        if name not in profiles:
            raise MTLError(E100(corpus=name, where="the corpora with entities", known=", ".join(profiles)))
        advice = advise(name, profiles, proportional)
        if measured is not None and not measured.gains(name):
            msg.warn(f"{name}: the study has no partner of it, so that the ranking is by statistics alone")
        if measured is not None:
            advice = with_gains(advice, measured.gains(name))
        alone = measured is None or name in measured.single
        split = "" if measured is None else measured.split
        _print_advice(advice, f"gain, {split}" if alone else f"beside the mean, {split}")
        result = {"main": name, "partners": [one._asdict() for one in advice]}
        if measured is not None:
            result["gain_over"] = "the corpus alone" if alone else "the mean of the partners"
            result["gain_on"] = measured.split
    if measured is not None:
        result["spearman"] = correlations(measured, profiles)
        _print_correlations(result["spearman"], name, measured.split)
    if out is not None:
        write_text(out, json.dumps(result, indent=1) + "\n")
        msg.good(f"written to {out}")


suggest_partners.__doc__ = _HELP


def _print_advice(advice: List[Any], measured: str) -> None:
    from wasabi import table

    labels = list(advice[0].measures) if advice else []
    gains = [one.gain is not None for one in advice]
    rows: List[Tuple[str, ...]] = []
    for one in advice:
        gain = ["" if one.gain is None else f"{one.gain:+.2f}"] if any(gains) else []
        rows.append((one.partner, *gain, f"{one.rank:g}", *(f"{one.measures[label]:.3f}" for label in labels)))
    header = ("partner", *([measured] if any(gains) else []), "rank", *labels)
    print(table(rows, header=header, divider=True, aligns=("l", *"r" * (len(header) - 1))))


def _print_correlations(found: Dict[str, Dict[str, float]], name: Optional[str], split: str) -> None:
    from wasabi import table

    mains = [name] if name else sorted({main for values in found.values() for main in values})
    header = (f"Spearman with the gain on {split}", *mains, "mean of all")
    rows = []
    for label, values in found.items():
        cells = [f"{values[main]:+.2f}" if main in values else "-" for main in mains]
        mean = f"{sum(values.values()) / len(values):+.2f}" if values else "-"
        rows.append((label, *cells, mean))
    print(table(rows, header=header, divider=True, aligns=("l", *"r" * (len(header) - 1))))
