"""Base phrases of Penn trees: the chunks of CoNLL-2000, by a rule in the manner of its ``chunklink`` script.

A chunk is a phrase from its first word to its head, with the modifiers between them and without what follows:

- NP (also WHNP, NML, NX, NAC and QP): up to the last noun and the numbers right behind it; where a nested NP is the
  head, up to that one's head ("the [rabbit gene]"). Modifiers before the head belong to it, whatever phrases they are,
  but for clauses and PP. A possessive "'s" starts the next chunk.
- VP: from the first auxiliary to the main verb, with adverbs between ("has strongly been implicated").
- PP and SBAR: prepositions and complementizers alone. ADVP, ADJP and UCP: up to their last word of their own.
- PRT, CONJP, INTJ, LST: all of their words.

Words of no such phrase (punctuation, conjunctions between phrases) are Outside. No chunk starts with punctuation.
"""

from typing import Dict, List, Optional, Tuple

from .treebank_trees import EMPTY, Tree, category

_TYPES: Dict[str, str] = {
    **{name: name for name in ("NP", "VP", "PP", "SBAR", "ADVP", "ADJP", "UCP", "PRT", "CONJP", "INTJ", "LST")},
    **{name: "NP" for name in ("WHNP", "NML", "NX", "NAC", "QP")},
    **{"WHPP": "PP", "WHADVP": "ADVP", "WHADJP": "ADJP"},
}
CHUNK_TYPES = tuple(dict.fromkeys(_TYPES.values()))
"""The labels of chunks: the list of CoNLL-2000 and 2003, with UCP."""

_CLAUSES = {"S", "SBAR", "SINV", "SQ", "SBARQ", "RRC", "PP", "WHPP", "VP"}
_PUNCTUATION = {",", ":", ".", "``", "''", "-LRB-", "-RRB-"}
_NOUNS = {"NN", "NNS", "NNP", "NNPS", "NML", "NX", "NAC"}
_VERBS = {"VB", "VBD", "VBG", "VBN", "VBP", "VBZ", "MD", "TO"}
_NO_HEADS = {"CC", *_PUNCTUATION}

Step = Tuple[int, Optional[int], bool]
"""A node, the chunk that goes on in it (None: it starts its own), and whether all of it belongs to that chunk."""


def chunk_tags(tree: Tree) -> List[str]:
    """The IOB2 tag of each word of a tree."""
    chunks = _Chunks(tree)
    stack: List[Step] = [(0, None, False)]
    while stack:
        node, chunk, whole = stack.pop()
        if tree.words[node]:
            chunks.of[node] = chunk
        else:
            stack.extend(chunks.steps(node, chunk, whole))
    return chunks.tags()


class _Chunks:
    """The chunks of one tree as they are found."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.category = [category(label) for label in tree.labels]
        self.of: Dict[int, Optional[int]] = {}
        self.types: List[str] = []

    def new(self, type_: str) -> int:
        self.types.append(type_)
        return len(self.types) - 1

    def steps(self, node: int, chunk: Optional[int], whole: bool) -> List[Step]:
        """Which chunk goes on in each child of a phrase."""
        children = [child for child in self.tree.children[node] if self.category[child] != EMPTY]
        if whole:
            return [(child, None, False) if self._breaks(child) else (child, chunk, True) for child in children]
        type_ = _TYPES.get(self.category[node])
        if type_ is None or not children:
            return [(child, None, False) for child in children]
        chunk = self.new(type_) if chunk is None else chunk
        return _RULES.get(type_, _Chunks._all)(self, children, chunk)

    def tags(self) -> List[str]:
        """Chunks of words next to each other; one that something interrupts starts anew behind it."""
        tags: List[str] = []
        before: Optional[int] = None
        for leaf in self.tree.leaves():
            chunk, kind = self.of[leaf], self.category[leaf]
            if chunk is None or chunk != before and kind in _PUNCTUATION:
                tags.append("O")
                before = None
                continue
            inside = chunk == before and kind != "POS"
            tags.append(f"{'I' if inside else 'B'}-{self.types[chunk]}")
            before = chunk
        return tags

    def _breaks(self, child: int) -> bool:
        return self.category[child] in _CLAUSES and not self.tree.words[child]

    def _up_to(self, children: List[int], head: int, chunk: int) -> List[Step]:
        """What is before the head belongs to the chunk as a whole; the head goes on with it; the rest does not."""
        before = [(child, None, False) if self._breaks(child) else (child, chunk, True) for child in children[:head]]
        return [*before, (children[head], chunk, False), *((child, None, False) for child in children[head + 1 :])]

    def _all(self, children: List[int], chunk: int) -> List[Step]:
        return [(child, chunk, True) for child in children]

    def _noun_phrase(self, children: List[int], chunk: int) -> List[Step]:
        kinds = [self.category[child] for child in children]
        nouns = [i for i, kind in enumerate(kinds) if kind in _NOUNS]
        nested = [i for i, kind in enumerate(kinds) if kind in ("NP", "WHNP")]
        if not nouns and nested:
            return self._up_to(children, nested[0], chunk)
        head = nouns[-1] if nouns else self._last_word(children)
        while nouns and head + 1 < len(children) and self._follows_noun(children[head + 1]):
            head += 1
        return self._up_to(children, head, chunk)

    def _follows_noun(self, child: int) -> bool:
        """Whether it is a word ("2" in "Figure 2"), punctuation and conjunctions apart, or a number of several."""
        return self._can_head(child) or self.category[child] == "QP"

    def _can_head(self, child: int) -> bool:
        return bool(self.tree.words[child]) and self.category[child] not in _NO_HEADS

    def _last_word(self, children: List[int]) -> int:
        """The last child that is a word and can be a head; without one the first phrase, or the first child."""
        words = [i for i, child in enumerate(children) if self._can_head(child)]
        phrases = [i for i, child in enumerate(children) if not self.tree.words[child]]
        return words[-1] if words else (phrases or [0])[0]

    def _modifier(self, children: List[int], chunk: int) -> List[Step]:
        return self._up_to(children, self._last_word(children), chunk)

    def _function_words(self, children: List[int], chunk: int) -> List[Step]:
        """The words of a PP or SBAR itself."""
        return [(child, chunk if self._can_head(child) else None, False) for child in children]

    def _verb_phrase(self, children: List[int], chunk: int) -> List[Step]:
        kinds = [self.category[child] for child in children]
        verbs = [i for i, kind in enumerate(kinds) if kind in _VERBS]
        nested = [i for i, kind in enumerate(kinds) if kind == "VP"]
        if nested and (not verbs or verbs[-1] < nested[0]):
            return self._up_to_verb(children, nested[0], chunk)
        if not verbs:
            return [(child, None, False) for child in children]
        steps = self._up_to_verb(children, verbs[0], chunk)
        goes_on: Optional[int] = chunk
        for i in range(verbs[0] + 1, len(children)):
            if kinds[i] in _VERBS:
                goes_on = self.new("VP") if goes_on is None else goes_on
            elif kinds[i] != "RB":
                goes_on = None
            steps[i] = (children[i], goes_on, False)
        return steps

    def _up_to_verb(self, children: List[int], head: int, chunk: int) -> List[Step]:
        """Auxiliaries and adverbs before the head belong to the chunk; what else stands there does not."""
        steps = self._up_to(children, head, chunk)
        for i in range(head):
            if not self._can_head(children[i]) and self.category[children[i]] != "ADVP":
                steps[i] = (children[i], None, False)
        return steps


_RULES = {
    "NP": _Chunks._noun_phrase,
    "VP": _Chunks._verb_phrase,
    "PP": _Chunks._function_words,
    "SBAR": _Chunks._function_words,
    "ADVP": _Chunks._modifier,
    "ADJP": _Chunks._modifier,
    "UCP": _Chunks._modifier,
}
