"""CRF loss with gradient and decoding, ours and pytorch-crf, on one CPU thread.

Run ``python benchmarks/crf.py``; the last line is one JSON object, which ``--save`` also writes to
``docs/results/crf.json``. Ours and the peer take turns; each time is the least of all rounds, in processor time: on a
busy machine a wall clock would flatter the shorter side, which is interrupted less often.
"""

import warnings
from typing import Callable, List

import torch
import torchcrf
from report import Row, arguments, least, one_thread, publish, row
from torch import Tensor

from spacy_mtl_bioner.layers.crf_marginals import span_scores
from spacy_mtl_bioner.layers.crf_nll import crf_nll
from spacy_mtl_bioner.layers.crf_viterbi import crf_decode

SENTENCES, TOKENS, TAGS = 64, 40, (3, 11, 33, 69)


def measure(size: int, rounds: int) -> List[Row]:
    """Both cases at one number of tags, with the same scores on both sides; their results must agree."""
    torch.manual_seed(size)
    peer = torchcrf.CRF(size, batch_first=True)
    parameters = (peer.transitions, peer.start_transitions, peer.end_transitions)
    emissions = torch.randn(SENTENCES, TOKENS, size, requires_grad=True)
    tags = torch.randint(size, (SENTENCES, TOKENS))
    lengths = torch.full((SENTENCES,), TOKENS)
    mask = torch.ones(SENTENCES, TOKENS, dtype=torch.bool)
    scores = (emissions.detach(), lengths, *(value.detach() for value in parameters))

    def train(loss: Callable[[], Tensor]) -> Tensor:
        for value in (emissions, *parameters):
            value.grad = None
        total = loss()
        total.backward()
        return total.detach()

    def our_loss() -> Tensor:
        return train(lambda: crf_nll(emissions, tags, lengths, *parameters).sum())

    def peer_loss() -> Tensor:
        return train(lambda: -peer(emissions, tags, mask=mask, reduction="sum"))

    def our_decode() -> Tensor:
        return crf_decode(*scores)

    def peer_decode() -> List[List[int]]:
        with torch.no_grad():
            return peer.decode(scores[0], mask=mask)

    torch.testing.assert_close(our_loss().float(), peer_loss(), rtol=1e-4, atol=1e-3)
    decoded = our_decode()
    assert decoded.tolist() == peer_decode(), "the two decoders disagree"
    first = torch.arange(1, TOKENS, 13).repeat(SENTENCES)
    sentence = torch.arange(SENTENCES).repeat_interleave(len(first) // SENTENCES)
    spans = (sentence, first, (first + 2).clamp(max=TOKENS), torch.ones_like(first))
    loss = least(rounds, our_loss, peer_loss)
    decode = least(rounds, our_decode, peer_decode)
    (extra,) = least(rounds, lambda: span_scores(*scores, decoded, spans))
    share = extra / decode[0]
    print(f"span scores K={size}: {1e3 * extra:.2f} ms for {len(first)} spans, {share:.1f} times our decoding")
    return [entry("loss+backward", size, *loss), entry("decode", size, *decode)]


def entry(case: str, size: int, ours: float, peer: float) -> Row:
    """One row of the results, from seconds."""
    times = 1e3 * ours, 1e3 * peer
    return row(f"{case} K={size}", *times, "ms", digits=3, more_is_better=False, peer_name="pytorch-crf")


def main() -> None:
    """Measure, print a table, print the JSON line."""
    one_thread()
    options = arguments(__doc__, rounds=30).parse_args()
    warnings.filterwarnings("ignore", category=UserWarning)  # the peer's use of torch.where
    print(f"{SENTENCES} sentences of {TOKENS} tokens, one thread; peer: pytorch-crf")
    results = [result for size in TAGS for result in measure(size, options.rounds)]
    publish("crf", results, ("torch", "pytorch-crf"), options.save)


if __name__ == "__main__":
    main()
