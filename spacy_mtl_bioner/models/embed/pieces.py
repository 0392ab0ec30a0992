"""Words to the word pieces of a Hugging Face tokenizer, one call for all new words of a batch."""

from typing import Dict, NamedTuple, Sequence, Tuple

import numpy as np

from ..batch import TokenBatch
from ..ragged import ranges

CACHED = 65536
"""Distinct words whose pieces are remembered, at most."""


class PieceArrays(NamedTuple):
    """ids: i64[P], the pieces of all tokens of a batch in the order of the text; counts: i64[N], how many of them are
    of each token (at least one)."""

    ids: np.ndarray
    counts: np.ndarray


class WordPieces:
    """A tokenizer as a table from word to pieces.

    A Hugging Face tokenizer that is given words cuts each by itself, so that a word's pieces are the same wherever it
    stands. Words of which it leaves nothing (control characters, say) have the unknown piece; the text of a special
    token is text.

    tokenizer: the tokenizer as JSON. unknown: id of the unknown piece. max_pieces: longer words show the first ones.
    """

    def __init__(self, tokenizer: str, unknown: int, max_pieces: int) -> None:
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_str(tokenizer)
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.tokenizer.encode_special_tokens = True
        self.unknown = unknown
        self.max_pieces = max_pieces
        self._known: Dict[int, Tuple[int, ...]] = {}

    def __call__(self, batch: TokenBatch, room: int = 1 << 30) -> PieceArrays:
        """The pieces of a batch's tokens, sentence by sentence, the first ``room`` (at least one) of each."""
        forms = batch.forms.tolist()
        known = self._known
        if len(known) + len(forms) > CACHED:
            known = self._known = {}  # another thread may be reading the old one
        new = [form for form in forms if form not in known]
        if new:
            strings = batch.tokens.vocab.strings
            known.update(zip(new, self.split([strings[form] for form in new])))
        pieces = [known[form][: max(1, room)] for form in forms]
        counts = np.fromiter(map(len, pieces), dtype="int64", count=len(pieces))
        flat = np.fromiter((piece for word in pieces for piece in word), dtype="int64", count=int(counts.sum()))
        form_of = batch.flat_forms
        firsts = (np.cumsum(counts) - counts)[form_of]
        counts = counts[form_of]
        return PieceArrays(flat[ranges(firsts, counts)], counts)

    def split(self, words: Sequence[str]) -> Sequence[Tuple[int, ...]]:
        """The pieces of each word."""
        encoding = self.tokenizer.encode(list(words), is_pretokenized=True, add_special_tokens=False)
        ids = np.asarray(encoding.ids, dtype="int64")
        owners = np.asarray(encoding.word_ids, dtype="int64")
        bounds = np.searchsorted(owners, np.arange(len(words) + 1)).tolist()
        unknown = (self.unknown,)
        return [
            tuple(ids[first : min(past, first + self.max_pieces)].tolist()) or unknown
            for first, past in zip(bounds, bounds[1:])
        ]
