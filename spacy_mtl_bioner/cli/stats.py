"""``mtl-bioner stats``: what annotated documents hold, by label."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Counter as CounterType, Dict, Iterable, List, NamedTuple, Optional, Tuple

import typer

_HELP = """Count the mentions of annotated documents by label.

INPUT is as for render, and what render leaves out is not counted. Mentions that differ only in upper and lower case or
in white space count as one form, which is shown as it is written most often.

Examples:

\b
  mtl-bioner stats entities.jsonl
  mtl-bioner stats entities.pubtator --top 20 --out counts.json
"""


class Form(NamedTuple):
    """A form of mentions: as it is written most often, mentions, documents."""

    text: str
    mentions: int
    documents: int


class Tally:
    """Counts of one label."""

    def __init__(self) -> None:
        self.mentions: CounterType[str] = Counter()
        self.documents: CounterType[str] = Counter()
        self.spellings: Dict[str, CounterType[str]] = {}
        self.in_documents = 0

    def add(self, texts: Iterable[str]) -> None:
        """Count the mentions of one document."""
        forms = [(" ".join(text.casefold().split()), text) for text in texts]
        self.mentions.update(form for form, _ in forms)
        self.documents.update({form for form, _ in forms})
        for form, text in forms:
            self.spellings.setdefault(form, Counter())[text] += 1
        self.in_documents += 1

    def top(self, size: int) -> List[Form]:
        """The most frequent forms; equal ones by name."""
        order = sorted(self.mentions, key=lambda form: (-self.mentions[form], form))[:size]
        return [Form(self._written(form), self.mentions[form], self.documents[form]) for form in order]

    def _written(self, form: str) -> str:
        return min(self.spellings[form].items(), key=lambda item: (-item[1], item[0]))[0]


def stats(
    input: Path = typer.Argument(..., help="Annotated file or folder"),
    from_: Optional[str] = typer.Option(None, "--from", help="Format of the input; default: by suffix"),
    top: int = typer.Option(5, min=0, help="How many of the most frequent mentions to show of each label"),
    out: Optional[Path] = typer.Option(None, help="Write the counts as JSON too"),
) -> None:  # documented by _HELP
    from tqdm import tqdm
    from wasabi import table

    from ..annotate.annotated import Flattening, read_annotated
    from ..durable import write_text

    problems = Flattening()
    documents = tqdm(read_annotated(input, from_, problems), unit=" documents", disable=None)
    number, tallies = count(documents)
    if out is not None:
        write_text(out, json.dumps(_as_json(number, tallies, top), ensure_ascii=False, indent=1) + "\n")
    rows: List[Tuple[Any, ...]] = []
    for label, tally in tallies.items():
        rows.append((label, f"{tally.mentions.total():,}", f"{len(tally.mentions):,}", f"{tally.in_documents:,}", ""))
        rows += [("", f"{f.mentions:,}", "", f"{f.documents:,}", " ".join(f.text.split())[:60]) for f in tally.top(top)]
    header = ("label", "mentions", "forms", "documents", "mention")
    typer.echo(table(rows, header=header, divider=True, aligns=("l", "r", "r", "r", "l")))
    typer.echo(f"{number:,} documents, {sum(tally.mentions.total() for tally in tallies.values()):,} mentions")
    if problems.summary():
        typer.echo(f"{input}: {problems.summary()}")


stats.__doc__ = _HELP


def count(documents: Iterable[Any]) -> Tuple[int, Dict[str, Tally]]:
    """Return how many documents there are, and the tally of each label (the unified one where there is one), the most
    frequent first."""
    tallies: Dict[str, Tally] = {}
    number = 0
    for number, document in enumerate(documents, 1):
        texts: Dict[str, List[str]] = {}
        for entity in document.entities:
            texts.setdefault(entity.shown, []).append(entity.text)
        for label, found in texts.items():
            tallies.setdefault(label, Tally()).add(found)
    order = sorted(tallies, key=lambda label: (-tallies[label].mentions.total(), label))
    return number, {label: tallies[label] for label in order}


def _as_json(number: int, tallies: Dict[str, Tally], top: int) -> Dict[str, Any]:
    labels = {
        label: {
            "mentions": tally.mentions.total(),
            "forms": len(tally.mentions),
            "documents": tally.in_documents,
            "top": [form._asdict() for form in tally.top(top)],
        }
        for label, tally in tallies.items()
    }
    return {"documents": number, "labels": labels}
