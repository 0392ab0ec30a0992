"""Treebanks: sentences with parts of speech, dependencies and, from Penn trees, chunks; and as Docs."""

import re
from dataclasses import dataclass, replace
from itertools import accumulate, zip_longest
from pathlib import Path
from typing import Callable, Iterable, Iterator, List, Optional, Sequence, Tuple

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..errors import E461, E462, MTLError
from ..extensions import CHUNKS, set_chunks
from .chunks import chunk_tags
from .documents import docbin_of, put_docbin
from .retokenize import Part, parts_of
from .sources import decoded, read_bytes
from .treebank_trees import Tree, unescaped

COMPOUND, PUNCT, HYPHEN = "compound", "punct", "HYPH"
"""The relations of a word's parts to its main part, and the part of speech of a hyphen that stands alone."""
_NUMBER = re.compile("[0-9]{1,9}")
_RANGE = re.compile("([0-9]{1,9})-([0-9]{1,9})")
_TEXT = re.compile(r"# *text *=")
_UPOS, _XPOS = 3, 4
"""Columns, from 0."""


@dataclass(frozen=True)
class ParsedSentence:
    """A sentence of a treebank.

    spaces: whether a space follows each word; None where the source does not tell. heads: the place of each word's
    governor in the sentence, of the root its own. chunks: IOB2 tags, or None. document: the document's id where the
    source marks documents. line: the first in the file.
    """

    words: Tuple[str, ...]
    tags: Tuple[str, ...]
    heads: Tuple[int, ...]
    relations: Tuple[str, ...]
    spaces: Optional[Tuple[bool, ...]] = None
    chunks: Optional[Tuple[str, ...]] = None
    document: Optional[str] = None
    line: int = 0


def read_conllu(path: Path) -> Iterator[ParsedSentence]:
    """Yield the sentences of a CoNLL-U file. Empty tokens (id "1.1") are passed over; multi-word tokens (id "1-2") tell
    the spacing alone: no space within, and after the last word what they have.

    Column 5 is the part of speech (column 4 in a file whose column 5 is empty, "_", throughout) and columns 7 and 8 the
    dependency, whose root relation becomes "ROOT", as spaCy has it. Brackets that Penn's treebank escapes ("-LRB-") are
    brackets again. Spaces are known where the file holds "SpaceAfter=No" anywhere or a sentence's text. Raises
    MTLError: MTL001, MTL002 or MTL025 for the file, MTL461 (with the line) for a row or a sentence that is no tree.
    """
    lines = decoded(read_bytes(path), path).split("\n")
    spaced = any("SpaceAfter=No" in line or _TEXT.match(line) for line in lines)
    rest = (line.split("\t", _XPOS + 1)[_XPOS:] for line in lines if not line.startswith("#"))
    tag = _XPOS if any(columns and columns[0] != "_" for columns in rest) else _UPOS
    document, rows, ranges, first = None, [], [], 0
    for number, line in enumerate([*lines, ""], start=1):
        line = line.rstrip("\r")
        if line.startswith("# newdoc"):
            document = line.partition("=")[2].strip() or f"line {number}"
        elif line.strip() and not line.startswith("#"):
            first = first or number
            columns = _columns(line, path, number)
            place, bounds = columns[0], _RANGE.fullmatch(columns[0])
            if bounds:
                ranges.append((int(bounds[1]), int(bounds[2]), _is_spaced(columns)))
            elif place.isdigit() or not ("-" in place or "." in place):
                rows.append(_row(columns, tag, path, number))
        elif not line.strip():
            if rows:
                yield _sentence(rows, ranges, spaced, document, path, first)
            rows, ranges, first = [], [], 0


Row = Tuple[str, str, int, str, bool]
"""Word, tag, head (0: the root), relation and whether a space follows."""
Range = Tuple[int, int, bool]
"""The first and the last word of a token of several, counted from 1, and whether a space follows."""


def _columns(line: str, path: Path, number: int) -> List[str]:
    columns = line.split("\t")
    if len(columns) != 10:
        found = f"{len(columns)} column(s) in {line[:40]!r}"
        raise MTLError(E461(path=path, line=number, found=found, expected="10, separated by tabs"))
    return columns


def _row(columns: List[str], tag: int, path: Path, number: int) -> Row:
    word, pos, head, relation = (columns[i] for i in (1, tag, 6, 7))
    if not _NUMBER.fullmatch(head) or not word.strip():
        found = f"head {head[:40]!r} of {word[:40]!r}"
        raise MTLError(E461(path=path, line=number, found=found, expected="a word and a number"))
    return unescaped(word), pos, int(head), relation, _is_spaced(columns)


def _is_spaced(columns: List[str]) -> bool:
    return "SpaceAfter=No" not in columns[9].split("|")


def _sentence(
    rows: List[Row], ranges: List[Range], spaced: bool, document: Optional[str], path: Path, line: int
) -> ParsedSentence:
    words, tags, numbers, relations, after = zip(*rows)
    heads = tuple(i if number == 0 else number - 1 for i, number in enumerate(numbers))
    roots = [i for i, number in enumerate(numbers) if number == 0]
    found = f"{len(roots)} roots" if len(roots) != 1 else ""
    if max(numbers) > len(words):
        found = f"head {max(numbers)} in a sentence of {len(words)} words"
    elif not found and not _is_tree(heads, roots[0]):
        found = "heads that go in a circle"
    if found:
        raise MTLError(E461(path=path, line=line, found=found, expected="one tree a sentence"))
    spaces = list(after)
    for start, end, space in ranges:
        if not 1 <= start <= end <= len(words):
            found = f"the range {start}-{end} in a sentence of {len(words)} words"
            raise MTLError(E461(path=path, line=line, found=found, expected="words of the sentence"))
        spaces[start - 1 : end] = [False] * (end - start) + [space]
    relations = tuple("ROOT" if number == 0 else relation for number, relation in zip(numbers, relations))
    return ParsedSentence(words, tags, heads, relations, tuple(spaces) if spaced else None, None, document, line)


def _is_tree(heads: Sequence[int], root: int) -> bool:
    """Whether every word's governors lead to the root: twice as far with each round."""
    above = list(heads)
    for _ in range(len(heads).bit_length()):
        above = [above[head] for head in above]
    return all(head == root for head in above)


def with_chunks(
    sentences: Iterable[ParsedSentence], trees: Iterable[Tree], path: Path, other: Path
) -> Iterator[ParsedSentence]:
    """Yield the sentences with the chunks of their trees, which come in the same order. Raises MTL462 where a sentence
    or a tree has no counterpart of the same words, but for brackets, quotes and white space. ``path`` is the trees'
    file, ``other`` the sentences'."""
    for sentence, tree in zip_longest(sentences, trees):
        leaves = tree.leaves() if tree is not None else []
        words = [unescaped(tree.words[leaf]) for leaf in leaves]
        at = _first_other(words, sentence.words if sentence is not None else ())
        if sentence is None or at is not None:
            shown = slice(max(0, (at or 0) - 2), (at or 0) + 3)
            wanted = sentence.words if sentence is not None else ()
            raise MTLError(
                E462(
                    path=path,
                    line=tree.line if tree is not None else "end",
                    found=f"{len(words)} words (... {' '.join(words[shown])} ...)",
                    other=other,
                    other_line=sentence.line if sentence is not None else "end",
                    expected=f"{len(wanted)} (... {' '.join(wanted[shown])} ...)" if wanted else "none",
                )
            )
        yield replace(sentence, chunks=tuple(chunk_tags(tree)))


def _first_other(words: Sequence[str], others: Sequence[str]) -> Optional[int]:
    """Where two sentences first differ, None where they do not: CRAFT's trees have Penn's quotes, and thin spaces at
    the ends of words."""
    pairs = enumerate(zip_longest(words, others, fillvalue=""))
    return next((i for i, (word, other) in pairs if word != other and _plain(word) != _plain(other)), None)


def _plain(word: str) -> str:
    return '"' if word in ("``", "''") else "".join(word.split())


def split_words(sentence: ParsedSentence, split: Callable[[str], Sequence[str]]) -> ParsedSentence:
    """The sentence with each word replaced by its parts ``split(word)``.

    The main part, the last that holds a letter or digit (else the last), keeps the word's governor, relation and
    dependents; the other parts hang from it, as "compound", or "punct" where they hold neither. All parts get the
    word's part of speech, but a hyphen alone that of hyphens ("HYPH"), as CRAFT's treebank, which splits there, has it.
    A chunk goes on through the parts. White space within a word (NBSP) becomes a space between parts. Raises MTL113
    where the parts of a word are not the word.
    """
    parts = [parts_of(word, split, str(sentence.line)) for word in sentence.words]
    if all(len(pieces) == 1 for pieces in parts):
        return sentence
    firsts = list(accumulate(map(len, parts), initial=0))
    mains = [first + _main(pieces) for first, pieces in zip(firsts, parts)]
    words, tags, heads, relations, spaces, chunks = [], [], [], [], [], []
    for i, pieces in enumerate(parts):
        for j, (piece, gap) in enumerate(pieces):
            main, last = firsts[i] + j == mains[i], j == len(pieces) - 1
            words.append(piece)
            tags.append(HYPHEN if piece == "-" and not main else sentence.tags[i])
            heads.append(mains[sentence.heads[i]] if main else mains[i])
            relations.append(sentence.relations[i] if main else COMPOUND if _is_word(piece) else PUNCT)
            spaces.append(sentence.spaces[i] if last and sentence.spaces else bool(gap))
            if sentence.chunks is not None:
                chunk = sentence.chunks[i]
                chunks.append(f"I-{chunk[2:]}" if j and chunk != "O" else chunk)
    return replace(
        sentence,
        words=tuple(words),
        tags=tuple(tags),
        heads=tuple(heads),
        relations=tuple(relations),
        spaces=None if sentence.spaces is None else tuple(spaces),
        chunks=None if sentence.chunks is None else tuple(chunks),
    )


def _main(pieces: Sequence[Part]) -> int:
    return max((i for i, (piece, _) in enumerate(pieces) if _is_word(piece)), default=len(pieces) - 1)


def _is_word(piece: str) -> bool:
    return any(character.isalnum() for character in piece)


def to_docs(sentences: Iterable[ParsedSentence], vocab: Vocab, corpus: str, parsed: bool = True) -> Iterator[Doc]:
    """Yield a Doc a sentence, with ``tag_``, the parse (unless ``parsed`` is false: another scheme of dependencies)
    and, where there are chunks, ``Token._.chunk``."""
    for sentence in sentences:
        parse = {"heads": list(sentence.heads), "deps": list(sentence.relations)} if parsed else {}
        starts = {} if parsed else {"sent_starts": [i == 0 for i in range(len(sentence.words))]}
        spaces = None if sentence.spaces is None else list(sentence.spaces)
        doc = Doc(vocab, words=list(sentence.words), spaces=spaces, tags=list(sentence.tags), **parse, **starts)
        doc._.corpus, doc._.document = corpus, sentence.document
        if sentence.chunks is not None:
            set_chunks(doc, sentence.chunks)
        yield doc


def to_chunk_docs(sentences: Iterable[ParsedSentence], vocab: Vocab) -> Iterator[Doc]:
    """Yield a Doc a sentence whose ``tag_`` are the chunks: gold of the corpus "chunks" of kind ``tags``."""
    for sentence in sentences:
        if sentence.chunks is not None:
            bare = replace(sentence, tags=sentence.chunks, chunks=None)
            yield from to_docs([bare], vocab, CHUNKS, parsed=False)


def write_docs(docs: Iterable[Doc], path: Path, parsed: bool) -> int:
    """Write a DocBin; returns the number of tokens."""
    docbin = docbin_of(docs, ["ORTH", "SPACY", "TAG", *(["DEP", "HEAD"] if parsed else ["SENT_START"])])
    put_docbin(docbin, path)
    return sum(map(len, docbin.tokens))
