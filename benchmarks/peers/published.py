"""The published arithmetic of a BiLSTM-CRF and of cross-sharing (Wang Xi et al. 2019), in plain PyTorch.

Written from the paper's equations and sizes, as a yardstick of speed: character CNN over every token, packed BiLSTMs of
256 numbers a direction, a CRF whose transitions depend on the position (energies B x T x (L+1) x (L+1)), a loop over
time, RMSprop with dense gradients of the whole word table, batches of 16. Words are padded to the edge of their length
bucket and characters to the longest word of the bucket (our choice; the paper does not say); BiLSTM and CRF see only
the batch's longest sentence. Arrays are made beforehand, off the clock. This is the arithmetic, not the authors'
program.
"""

from collections import Counter
from typing import Dict, Iterable, List, NamedTuple, Sequence

import numpy as np
import torch
from spacy.strings import get_string_id
from spacy.tokens import Doc, Token
from spacy.vectors import Vectors
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

CHARS, FILTERS, WINDOW, LONGEST_WORD = 30, 30, 3, 45
WIDTH, OUTPUT, DROPOUT = 256, 128, 0.5
UNKNOWN, PADDING = 0, 1  # words and characters
PAD_TAG = 0
EDGES = 5, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90, 100, 140


class Arrays(NamedTuple):
    """B sentences, T the edge of their bucket.

    words, tags: i64[B,T]; chars: i64[B,T,C]; lengths: i64[B]; mask: f32[B,T].
    """

    words: Tensor
    chars: Tensor
    tags: Tensor
    lengths: Tensor
    mask: Tensor
    task: int


class Alphabet:
    """Words, characters and, a task, tags as numbers."""

    def __init__(self, training: Sequence[Sequence[Doc]], other: Iterable[Doc], vectors: Vectors) -> None:
        """training: the training Docs of each task; other: Docs whose words count only where they have a vector."""
        counts = Counter(_digits_to_zero(token.text) for docs in training for doc in docs for token in doc)
        kept = [word for word, count in counts.most_common() if count > 1 or _key(word, vectors)]
        more = {_digits_to_zero(token.text) for doc in other for token in doc} - set(kept)
        kept += sorted(word for word in more if _key(word, vectors))
        self.words = {word: i for i, word in enumerate(kept[:50_000], start=2)}
        characters = sorted({character for docs in training for doc in docs for character in doc.text})
        self.characters = {character: i for i, character in enumerate(characters, start=2)}
        self.longest_word: Dict[int, int] = {}
        for doc in (doc for docs in training for doc in docs):
            edge, longest = _edge(len(doc)), max(len(token) for token in doc)
            self.longest_word[edge] = min(LONGEST_WORD, max(longest, self.longest_word.get(edge, 1)))
        self.tags: List[Dict[str, int]] = []
        for docs in training:
            found = sorted({_tag(token) for doc in docs for token in doc})
            self.tags.append({tag: i for i, tag in enumerate(found, start=PAD_TAG + 1)})

    def table(self, vectors: Vectors) -> Tensor:
        """f32[words,D]: the vector of each word, exact or of its lower case; else uniform."""
        width = vectors.shape[1]
        table = torch.empty(len(self.words) + 2, width).uniform_(-((3 / width) ** 0.5), (3 / width) ** 0.5)
        for word, i in self.words.items():
            key = _key(word, vectors)
            if key:
                table[i] = torch.from_numpy(np.asarray(vectors[key]))
        return table

    def arrays(self, docs: Sequence[Doc], task: int) -> Arrays:
        """Sentences as numbers, padded to their length bucket."""
        lengths = torch.tensor([len(doc) for doc in docs])
        shape = len(docs), _edge(int(lengths.max()))
        longest = self.longest_word.get(shape[1], LONGEST_WORD)
        words, tags = torch.full(shape, PADDING), torch.full(shape, PAD_TAG)
        chars = torch.full((*shape, longest), PADDING)
        for i, doc in enumerate(docs):
            for j, token in enumerate(doc):
                word = _digits_to_zero(token.text)
                words[i, j] = self.words.get(word, self.words.get(word.lower(), UNKNOWN))
                tags[i, j] = self.tags[task].get(_tag(token), PAD_TAG)
                known = [self.characters.get(character, UNKNOWN) for character in token.text[:longest]]
                chars[i, j, : len(known)] = torch.tensor(known)
        mask = (torch.arange(shape[1])[None, :] < lengths[:, None]).float()
        return Arrays(words, chars, tags, lengths, mask, task)


class Embedding(nn.Module):
    """[word ; maximum over the positions of a convolution of the characters], for every token and the padding."""

    def __init__(self, table: Tensor, characters: int) -> None:
        super().__init__()
        self.words = nn.Embedding.from_pretrained(table, freeze=False)
        self.chars = nn.Embedding(characters + 2, CHARS)
        self.convolution = nn.Conv1d(CHARS, FILTERS, WINDOW, padding=WINDOW - 1)

    def forward(self, batch: Arrays) -> Tensor:
        """Arrays -> f32[B,T,130]."""
        chars = self.chars(batch.chars.flatten(0, 1)).transpose(1, 2)
        found = torch.tanh(self.convolution(chars).amax(dim=2)).view(*batch.words.shape, FILTERS)
        return torch.cat([self.words(batch.words), found], dim=2)


class Encoder(nn.Module):
    """Dropout, packed BiLSTM, dropout, projection, ELU."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(inputs, WIDTH, batch_first=True, bidirectional=True)
        self.project = nn.Linear(2 * WIDTH, OUTPUT)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """f32[B,T,130] -> f32[B,T,128]."""
        packed = pack_padded_sequence(self.dropout(x), lengths, batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        return nn.functional.elu(self.project(self.dropout(states)))


class BigramCRF(nn.Module):
    """Every pair of tags has a score of its own at every position. L tags, the padding's among them; tag L starts."""

    def __init__(self, inputs: int, tags: int) -> None:
        super().__init__()
        self.tags = tags
        self.pairs = nn.Linear(inputs, (tags + 1) ** 2)
        self.singles = nn.Linear(inputs, tags + 1)

    def energies(self, x: Tensor) -> Tensor:
        """f32[B,T,D] -> f32[T,B,L+1,L+1], from the previous tag to the present one."""
        pairs = self.pairs(x).view(*x.shape[:2], self.tags + 1, self.tags + 1)
        return (pairs + self.singles(x).unsqueeze(2)).transpose(0, 1)

    def loss(self, x: Tensor, batch: Arrays) -> Tensor:
        """Mean negative log-likelihood of the sentences."""
        energies, rows = self.energies(x), torch.arange(len(batch.tags))
        previous = torch.full_like(batch.tags[:, 0], self.tags)
        gold, total = x.new_zeros(len(rows)), x.new_zeros(len(rows), self.tags + 1)
        for t in range(len(energies)):
            step, mask = energies[t], batch.mask[:, t]
            if t == 0:
                total = step[:, self.tags, :]
            else:
                total = total + (torch.logsumexp(step + total.unsqueeze(2), dim=1) - total) * mask.unsqueeze(1)
            gold = gold + step[rows, previous, batch.tags[:, t]] * mask
            previous = batch.tags[:, t]
        return (torch.logsumexp(total, dim=1) - gold).mean()

    def decode(self, x: Tensor) -> Tensor:
        """Best tags, i64[B,T], without the padding's and the start's. As published, padding is decoded like tokens."""
        energies = self.energies(x)
        steps = energies[:, :, 1:-1, 1:-1]
        best = energies[0][:, -1, 1:-1]
        pointers = []
        for t in range(1, len(energies)):
            best, pointer = (steps[t] + best.unsqueeze(2)).max(dim=1)
            pointers.append(pointer)
        tags = [best.argmax(dim=1)]
        for pointer in reversed(pointers):
            tags.append(pointer.gather(1, tags[-1].unsqueeze(1)).squeeze(1))
        return torch.stack(tags[::-1], dim=1) + 1


class Published(nn.Module):
    """One task: one encoder. Two tasks: a shared encoder, two private ones and a gate each (equations 18 to 21)."""

    def __init__(self, alphabet: Alphabet, vectors: Vectors) -> None:
        super().__init__()
        table = alphabet.table(vectors)
        self.embedding = Embedding(table, len(alphabet.characters))
        inputs, tasks = table.shape[1] + FILTERS, len(alphabet.tags)
        self.shared = Encoder(inputs)
        self.private = nn.ModuleList(Encoder(inputs) for _ in range(tasks if tasks > 1 else 0))
        self.gates = nn.ModuleList(nn.Linear(OUTPUT, OUTPUT) for _ in self.private)
        features = OUTPUT if tasks == 1 else 2 * OUTPUT
        self.crfs = nn.ModuleList(BigramCRF(features, len(tags) + 1) for tags in alphabet.tags)
        self.optimizer = torch.optim.RMSprop(self.parameters(), lr=1e-3, alpha=0.95)

    def features(self, batch: Arrays) -> Tensor:
        """Arrays -> f32[B,T,128 or 256]; every encoder has the embedding made for itself, with a dropout of its own."""
        shared = self.shared(self.embedding(batch), batch.lengths)
        if not self.private:
            return shared
        private = [encoder(self.embedding(batch), batch.lengths) for encoder in self.private]
        own, partner = private[batch.task], private[1 - batch.task]
        return torch.cat([own * torch.sigmoid(self.gates[batch.task](partner)), shared], dim=2)

    def fit(self, batches: Sequence[Arrays]) -> None:
        """One step a batch. Gradients are set to zero, not dropped, as in the PyTorch of that time."""
        self.train()
        for batch in batches:
            self.optimizer.zero_grad(set_to_none=False)
            self.crfs[batch.task].loss(self.features(batch), batch).backward()
            nn.utils.clip_grad_norm_(self.parameters(), 5.0)
            self.optimizer.step()

    @torch.no_grad()
    def tag(self, batches: Sequence[Arrays]) -> List[Tensor]:
        """The tags of each batch."""
        self.eval()
        return [self.crfs[batch.task].decode(self.features(batch)) for batch in batches]


def in_sixteens(docs: Sequence[Doc], alphabet: Alphabet, task: int) -> List[Arrays]:
    """Sentences of like length together, 16 a batch, as the published program tags them."""
    ordered = sorted(docs, key=len)
    return [alphabet.arrays(ordered[i : i + 16], task) for i in range(0, len(ordered), 16)]


def _edge(length: int) -> int:
    """What a sentence is padded to; the published program drops longer ones."""
    return next((edge for edge in EDGES if length < edge), length)


def _key(word: str, vectors: Vectors) -> int:
    """The key of a word's vector, exact or of its lower case; 0: it has none."""
    return next((key for key in map(get_string_id, (word, word.lower())) if key in vectors), 0)


def _tag(token: Token) -> str:
    return f"{token.ent_iob_}-{token.ent_type_}" if token.ent_type_ else "O"


def _digits_to_zero(word: str) -> str:
    return "".join("0" if character.isdigit() else character for character in word)
