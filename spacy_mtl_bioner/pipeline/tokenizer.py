"""A tokenizer that gives raw text the words of the corpora: every character that is no letter or digit stands alone."""

import logging
import re
from typing import Callable, List, Tuple

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import DummyTokenizer, registry
from spacy.vocab import Vocab

from ..errors import E110

logger = logging.getLogger("spacy_mtl_bioner")

# Diacritics and variation selectors go with the letter before them: "e" and U+0301 are one letter to a reader. The
# blocks are written out because the re module knows no Unicode categories.
_MARKS = "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f"
_WORD = rf"[^\W_]+(?:[{_MARKS}]+[^\W_]*)*"

# At each place only one alternative can match, and none ever gives characters back: a scan is linear in any text.
_PIECE = re.compile(rf"{_WORD} ?|\S ?|\s+")
_WORD_ALONE = re.compile(rf"{_WORD}|\S")
HALF_PAIR = re.compile("[\ud800-\udfff]")
"""Half of a pair of UTF-16, which stands for no character."""


def split_words(text: str) -> List[str]:
    """Return the words of ``text`` without its white space: runs of letters and digits, and single other characters.

    A letter or digit is what Unicode calls so, superscripts and subscripts included; an underscore is neither.
    """
    return _WORD_ALONE.findall(text)


def split_text(text: str) -> Tuple[List[str], List[bool]]:
    """Return words and, for each, whether a space follows, so that words and spaces together are ``text`` exactly.

    White space beyond one space after a word is a word itself, as everywhere in spaCy.
    """
    words = _PIECE.findall(text)
    spaces = [word[-1] == " " for word in words]
    for i, spaced in enumerate(spaces):
        if spaced:
            bare = words[i][:-1]
            if bare and not bare.isspace():
                words[i] = bare
            else:
                spaces[i] = False
    return words, spaces


class BioTokenizer(DummyTokenizer):
    """Turns text into a ``Doc`` with the words of ``split_text``; ``doc.text`` is the text.

    Half of a surrogate pair, which no file and no string store can hold, is replaced by U+FFFD one for one, so that all
    offsets stay, and a warning (MTL110) is logged. There is nothing to save: a config that names it restores it.
    """

    def __init__(self, vocab: Vocab) -> None:
        self.vocab = vocab

    def __call__(self, text: str) -> Doc:
        """Return the words of ``text`` as a ``Doc``, in time linear in the text."""
        try:
            return self._doc(text)
        except UnicodeEncodeError:
            text, found = HALF_PAIR.subn("\ufffd", text)
            logger.warning(E110(found=found, length=len(text)))
            return self._doc(text)

    def _doc(self, text: str) -> Doc:
        words, spaces = split_text(text)
        return Doc(self.vocab, words=words, spaces=spaces)


@registry.tokenizers("spacy_mtl_bioner.BioTokenizer.v1")
def make_bio_tokenizer() -> Callable[[Language], BioTokenizer]:
    """Return what spaCy calls with its ``nlp`` to make ``nlp.tokenizer`` (config block ``[nlp.tokenizer]``)."""
    return _bio_tokenizer


def _bio_tokenizer(nlp: Language) -> BioTokenizer:
    return BioTokenizer(nlp.vocab)
