"""Documents as ``mtl_ner`` leaves them, written out or made up."""

from typing import Any, Dict, List, Sequence, Tuple

import spacy
from hypothesis import strategies as st
from spacy.tokens import Doc

from spacy_mtl_bioner.pipeline.groups import read_groups, write_groups
from spacy_mtl_bioner.pipeline.merging import Candidate, MergeByScore
from spacy_mtl_bioner.pipeline.sentences import SentenceSplitter
from spacy_mtl_bioner.pipeline.tokenizer import BioTokenizer

NLP = spacy.blank("en")
NLP.tokenizer = BioTokenizer(NLP.vocab)


def tagged(text: str, *found: Tuple[Any, ...]) -> Doc:
    """A document with sentences, and entities given as text, label, corpus, score; and which occurrence, from 0."""
    doc = SentenceSplitter()(NLP(text))
    groups: Dict[str, List[Candidate]] = {}
    for said, label, corpus, score, *which in found:
        at = -1
        for _ in range(1 + sum(which)):
            at = text.index(said, at + 1)
        span = doc.char_span(at, at + len(said))
        rank = list(dict.fromkeys([*groups, corpus])).index(corpus)
        groups.setdefault(corpus, []).append(Candidate(span.start, span.end, label, corpus, score, rank))
    write_groups(doc, {corpus: sorted(entities) for corpus, entities in groups.items()}, MergeByScore())
    return doc


def shown(doc: Doc, corpus: str) -> List[Tuple[Any, ...]]:
    """A corpus' entities as text, label, score."""
    return [(doc[e.start : e.end].text, e.label, e.score) for e in read_groups(doc)[corpus]]


def snapshot(doc: Doc) -> Any:
    """All that a component could change."""
    merged = [(ent.start, ent.end, ent.label_) for ent in doc.ents]
    others = {name: list(group) for name, group in doc.spans.items() if "rank" not in group.attrs}
    return read_groups(doc), merged, doc._.mtl, others, doc.text


WORDS = ["APC", "(", ")", "[", "]", "a", "polyposis", "coli", "-", "gene", ".", "The", "of", "apc", " "]


@st.composite
def documents(draw: Any, words: Sequence[str] = WORDS) -> Doc:
    """Texts with brackets and repetitions; two corpora, the entities of each apart from each other."""
    chosen = draw(st.lists(st.sampled_from(words), max_size=24))
    doc = Doc(NLP.vocab, words=chosen, spaces=draw(st.lists(st.booleans(), min_size=len(chosen), max_size=len(chosen))))
    doc.spans["other"] = [doc[0 : len(doc) // 2]] if len(doc) > 1 else []
    groups: Dict[str, List[Candidate]] = {}
    for rank, corpus in enumerate("BA"):
        borders = sorted(draw(st.sets(st.integers(0, len(doc)), max_size=8)))
        groups[corpus] = [
            Candidate(start, end, draw(st.sampled_from("XY")), corpus, draw(st.sampled_from([None, 0.5, 0.9])), rank)
            for start, end in zip(borders[::2], borders[1::2])
        ]
    write_groups(doc, groups, MergeByScore())
    return doc


def check(doc: Doc) -> None:
    """Groups are sorted and apart, within the text; ``doc.ents`` and ``Doc._.mtl`` are their merge."""
    groups = read_groups(doc)
    for entities in groups.values():
        assert all(0 <= e.start < e.end <= len(doc) for e in entities)
        assert all(one.end <= other.start for one, other in zip(entities, entities[1:]))
    merged = MergeByScore()([entity for entities in groups.values() for entity in entities])
    assert [(e.start, e.end, e.label_) for e in doc.ents] == [m[:3] for m in merged]
    assert [entry[2] for entry in doc._.mtl] == [m.label for m in merged]
