"""Penn treebank trees from their brackets, as flat lists: no tree is too deep, and nothing recurses."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator, List, Tuple

from ..errors import E460, MTLError
from .sources import decoded, read_bytes

EMPTY = "-NONE-"
"""The label of what stands for no word: traces."""
_PIECE = re.compile(r"[()]|[^ \t\r\n()]+")  # other white space, as NBSP, stands in words
_ESCAPES = {"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}"}
_ESCAPE = re.compile("|".join(_ESCAPES))


@dataclass
class Tree:
    """The nodes of a tree in the order in which they open; node 0 is the root.

    labels: as the file has them ("NP-SBJ-1", the part of speech of a word, or ""). children: of each node. words: the
    word of each node, "" for one that has children. line: where the tree starts.
    """

    line: int = 0
    labels: List[str] = field(default_factory=list)
    children: List[List[int]] = field(default_factory=list)
    words: List[str] = field(default_factory=list)

    def add(self, label: str) -> int:
        """A new node's number."""
        self.labels.append(label)
        self.children.append([])
        self.words.append("")
        return len(self.labels) - 1

    def leaves(self) -> List[int]:
        """The nodes with a word, from left to right, without traces."""
        return [node for node, word in enumerate(self.words) if word and self.labels[node] != EMPTY]


def category(label: str) -> str:
    """The label without functions and indices: "NP-SBJ-1" -> "NP", "-LRB-" -> "-LRB-"."""
    return label if label.startswith("-") else re.split("[-=|]", label, maxsplit=1)[0]


def unescaped(word: str) -> str:
    """The word as the text has it: "-LRB-" -> "(", "-LSB-Ca2+-RSB-i" -> "[Ca2+]i"."""
    return _ESCAPE.sub(lambda found: _ESCAPES[found[0]], word)


def read_trees(path: Path) -> Iterator[Tree]:
    """Yield the trees of a file of brackets, on one line each or on many.

    Raises MTLError: MTL001, MTL002 or MTL025 for the file, MTL460 (with the line) for brackets that do not match and
    for what is no tree.
    """
    yield from parse_trees(decoded(read_bytes(path), path), path)


def parse_trees(text: str, path: Path = Path("text")) -> Iterator[Tree]:
    """Yield the trees of a text; as ``read_trees``."""
    tree, open_nodes, fresh = Tree(), [], False
    for line, piece in _pieces(text):
        if piece == "(":
            if open_nodes and tree.words[open_nodes[-1]]:
                raise MTLError(E460(path=path, line=line, found="a bracket behind a word", expected="')'"))
            if not open_nodes:
                tree = Tree(line)
            node = tree.add("")
            if open_nodes:
                tree.children[open_nodes[-1]].append(node)
            open_nodes.append(node)
        elif not open_nodes:
            raise MTLError(E460(path=path, line=line, found=repr(piece), expected="'(' before it"))
        elif piece == ")":
            _check(tree, open_nodes.pop(), path, line)
            if not open_nodes:
                yield tree
        elif fresh:
            tree.labels[open_nodes[-1]] = piece
        elif tree.words[open_nodes[-1]] or tree.children[open_nodes[-1]]:
            raise MTLError(E460(path=path, line=line, found=f"the word {piece!r}", expected="')' before it"))
        else:
            tree.words[open_nodes[-1]] = piece
        fresh = piece == "("
    if open_nodes:
        found = f"a tree without {len(open_nodes)} closing bracket(s)"
        raise MTLError(E460(path=path, line=tree.line, found=found, expected="as many ')' as '('"))


def _pieces(text: str) -> Iterator[Tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), start=1):
        for piece in _PIECE.findall(line):
            yield number, piece


def _check(tree: Tree, node: int, path: Path, line: int) -> None:
    """A node has a label and a word, or children."""
    if not tree.words[node] and not tree.children[node]:
        found = f"the label {tree.labels[node]!r} alone" if tree.labels[node] else "an empty pair"
        raise MTLError(E460(path=path, line=line, found=found, expected="a word or a tree in it"))
