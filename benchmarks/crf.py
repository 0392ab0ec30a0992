"""CRF loss with gradient and decoding, ours and pytorch-crf, on one CPU thread.

Run ``python benchmarks/crf.py``; the last line is one JSON object, which ``--save`` also writes to
``docs/results/crf.json``. Ours and the peer take turns; each time is the least of all rounds, in processor time: on a
busy machine a wall clock would flatter the shorter side, which is interrupted less often.
"""

import argparse
import json
import platform
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any, Callable, Dict, List

import torch
import torchcrf
from torch import Tensor

from spacy_mtl_bioner.layers.crf_marginals import span_scores
from spacy_mtl_bioner.layers.crf_nll import crf_nll
from spacy_mtl_bioner.layers.crf_viterbi import crf_decode

SENTENCES, TOKENS, TAGS = 64, 40, (3, 11, 33, 69)
PEER = version("pytorch-crf")
RESULT = Path(__file__).resolve().parents[1] / "docs" / "results" / "crf.json"


def least(rounds: int, *actions: Callable[[], object]) -> List[float]:
    """Least milliseconds of processor time of each action; they take turns."""
    times: List[List[float]] = [[] for _ in actions]
    for turn in range(rounds + 1):
        for action, spent in zip(actions, times):
            began = time.process_time()
            action()
            if turn:  # the first round warms up
                spent.append((time.process_time() - began) * 1e3)
    return [min(spent) for spent in times]


def measure(size: int, rounds: int) -> List[Dict[str, Any]]:
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
    row = torch.arange(SENTENCES).repeat_interleave(len(first) // SENTENCES)
    spans = (row, first, (first + 2).clamp(max=TOKENS), torch.ones_like(row))
    loss = least(rounds, our_loss, peer_loss)
    decode = least(rounds, our_decode, peer_decode)
    (extra,) = least(rounds, lambda: span_scores(*scores, decoded, spans))
    print(f"span scores K={size}: {extra:.2f} ms for {len(row)} spans, {extra / decode[0]:.1f} times our decoding")
    return [entry("loss+backward", size, *loss), entry("decode", size, *decode)]


def entry(case: str, size: int, ours: float, peer: float) -> Dict[str, Any]:
    """One row of the results; ``ratio`` says how many times faster ours is."""
    times = {"ours": round(ours, 3), "peer": round(peer, 3), "unit": "ms", "ratio": round(peer / ours, 2)}
    return {"case": f"{case} K={size}", **times}


def main() -> None:
    """Measure, print a table, print the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30, help="how often each side runs (default: %(default)s)")
    parser.add_argument("--save", action="store_true", help=f"write the result to docs/results/{RESULT.name}")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", category=UserWarning)  # the peer's use of torch.where
    print(f"{SENTENCES} sentences of {TOKENS} tokens, one thread; peer: pytorch-crf {PEER}")
    results = [row for size in TAGS for row in measure(size, options.rounds)]
    print(f"\n{'case':<22}{'ours ms':>10}{'peer ms':>10}{'ratio':>8}")
    for row in results:
        print(f"{row['case']:<22}{row['ours']:>10.3f}{row['peer']:>10.3f}{row['ratio']:>8.2f}")
    versions = {"python": platform.python_version(), "torch": torch.__version__, "pytorch-crf": PEER}
    report = json.dumps({"benchmark": "crf", "threads": 1, "versions": versions, "results": results})
    if options.save:
        RESULT.parent.mkdir(parents=True, exist_ok=True)
        RESULT.write_text(report + "\n", encoding="utf-8")
    print(report)


if __name__ == "__main__":
    main()
