"""What the tests of the stand-off formats share: documents to write, and a reader that collects."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Callable, List, Tuple

from hypothesis import strategies as st

from spacy_mtl_bioner.corpora.problems import Problems
from spacy_mtl_bioner.types import Document, Mention, Passage

AWKWARD = st.sampled_from("ab é\u0301α😀שׁ\u2028\t\n|\"<&-")
CHARACTERS = st.one_of(AWKWARD, st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"))
LABELS = st.sampled_from(["Gene", "Disease", "Simple_chemical", "Gène"])
IDENTIFIERS = st.sampled_from(["", "D0001", "MESH:D000431|D009538", "D004829+D003294"])


@st.composite
def documents(draw: Any, size: int = 3) -> List[Document]:
    """Documents with a title and an abstract, any characters, and mentions that do not overlap."""
    made = []
    for number in range(draw(st.integers(1, size))):
        title, abstract = draw(st.text(CHARACTERS, min_size=1)), draw(st.text(CHARACTERS, min_size=1))
        text = f"{title} {abstract}"
        cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
        pairs = [(a, b) for a, b in zip(cuts[::2], cuts[1::2]) if not a <= len(title) < b]
        mentions = [Mention(a, b, draw(LABELS), text[a:b], draw(IDENTIFIERS)) for a, b in pairs]
        passages = [Passage(0, len(title), "title"), Passage(len(title) + 1, len(text), "abstract")]
        made.append(Document(f"doc-{number}", text, mentions, passages))
    return made


def flat(value: str) -> str:
    """``value`` as formats of one line a text keep it."""
    return value.translate(str.maketrans("\t\n\r", "   "))


def spans(document: Document) -> List[Tuple[int, int, str, str]]:
    return [(m.start, m.end, m.label, m.identifier) for m in document.mentions]


def read(reader: Callable[..., Any], path: Path, on_error: Any = "raise") -> Tuple[List[Document], Problems]:
    problems = Problems(on_error)
    return list(reader(path, problems)), problems


def there_and_back(write: Any, reader: Any, made: List[Document], name: str) -> Tuple[List[Document], Problems]:
    """Write documents to a file called ``name``, and read it."""
    with TemporaryDirectory() as folder:
        write(Path(folder) / name, made)
        return read(reader, Path(folder) / name)
