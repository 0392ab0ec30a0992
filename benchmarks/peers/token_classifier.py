"""The token classifier of the library transformers in a plain training loop, as its own examples write it."""

from typing import Any, List, Sequence, Tuple

import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer

Tagged = Tuple[List[str], List[int]]
"""The words of a sentence, and the number of each one's tag."""

IGNORED = -100


class TokenClassifier:
    """A linear layer over the encoder, labels on the first piece of a word, AdamW, a clipped gradient norm."""

    def __init__(self, encoder: str, tags: int, rate: float = 5e-5) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(encoder)
        self.model = AutoModelForTokenClassification.from_pretrained(encoder, num_labels=tags)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=rate, weight_decay=0.01)

    def train(self, batches: Sequence[Sequence[Tagged]]) -> None:
        """One step a batch."""
        self.model.train()
        for batch in batches:
            encoded = self._encode([words for words, _ in batch])
            labels = torch.full(encoded["input_ids"].shape, IGNORED)
            for i, (_, tags) in enumerate(batch):
                for piece, word in enumerate(encoded.word_ids(i)):
                    if word is not None and word != (encoded.word_ids(i)[piece - 1] if piece else None):
                        labels[i, piece] = tags[word]
            self.model(**encoded, labels=labels).loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimizer.step()
            self.optimizer.zero_grad()

    @torch.inference_mode()
    def tag(self, batches: Sequence[Sequence[List[str]]]) -> int:
        """The tags of every word; returns how many are not Outside."""
        self.model.eval()
        found = 0
        for batch in batches:
            encoded = self._encode(batch)
            best = self.model(**encoded).logits.argmax(-1).numpy()
            for i, words in enumerate(batch):
                firsts = {word: piece for piece, word in reversed(list(enumerate(encoded.word_ids(i))))}
                found += sum(int(best[i, firsts[word]] > 0) for word in range(len(words)) if word in firsts)
        return found

    def _encode(self, batch: Sequence[List[str]]) -> Any:
        settings = {"padding": "longest", "truncation": True, "max_length": 512, "return_tensors": "pt"}
        return self.tokenizer(list(batch), is_split_into_words=True, **settings)
