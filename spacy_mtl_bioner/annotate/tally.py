"""The mentions of annotated documents, counted by label."""

from collections import Counter
from typing import Any, Counter as CounterType, Dict, Iterable, List, NamedTuple, Tuple

from .records import Annotated


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


def count(documents: Iterable[Annotated]) -> Tuple[int, Dict[str, Tally]]:
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


def as_json(number: int, tallies: Dict[str, Tally], top: int) -> Dict[str, Any]:
    """The counts, with the ``top`` most frequent forms of each label, as JSON."""
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
