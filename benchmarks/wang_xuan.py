"""The parts of Wang Xuan et al. 2018: sentence-level character LSTMs, and a CRF whose transitions follow the features,
on one CPU thread, beside the published arithmetic in today's PyTorch.

Run ``python benchmarks/wang_xuan.py``; the last line is one JSON object, which ``--save`` also writes to
``docs/results/wang_xuan.json``. The peers are ``nn.LSTM`` in both directions over the same padded characters, padding
included as in the published program, and the CRF recursions under autograd.
"""

from typing import Callable, List

import numpy as np
import torch
from report import Row, arguments, least, one_thread, publish, rates, row
from spacy.tokens import Doc
from spacy.vocab import Vocab
from torch import Tensor, nn

from spacy_mtl_bioner.layers.structure import initialize_with
from spacy_mtl_bioner.layers.torch_layer import run, shim_of
from spacy_mtl_bioner.models.batch import TokenBatch, Tokens
from spacy_mtl_bioner.models.decoder.position_crf import PositionCRF
from spacy_mtl_bioner.models.embed.char_bilstm import CharBiLSTM
from spacy_mtl_bioner.models.lexicon import Lexicon
from spacy_mtl_bioner.types import CorpusSpec

CPU, WIDTH, UNITS, FEATURES = torch.device("cpu"), 30, 300, 300


def batch_of(sentences: int, tokens: int) -> TokenBatch:
    """Sentences of like length, of random words of 1 to 12 letters."""
    random = np.random.RandomState(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz-0123"))
    vocab, docs = Vocab(), []
    for _ in range(sentences):
        sizes = random.randint(1, 13, size=tokens - random.randint(4))
        docs.append(Doc(vocab, words=["".join(random.choice(letters, size)) for size in sizes]))
    found = Tokens(docs)
    return TokenBatch(found, np.arange(sentences), CPU)


def characters(rounds: int) -> List[Row]:
    """Training batches of 10 sentences and prediction batches of 64."""
    results = []
    for case, sentences, tokens, training in (("train", 10, 25, True), ("predict", 64, 40, False)):
        batch = batch_of(sentences, tokens)
        lexicon = Lexicon(batch.tokens.vocab)
        lexicon.forms.update(batch.form_strings())
        model = CharBiLSTM(WIDTH, UNITS).initialize(X=lexicon)
        module = shim_of(model).module
        peer = nn.LSTM(WIDTH, UNITS, batch_first=True, bidirectional=True).train(training)
        padded = torch.from_numpy(module.train(training).lay_out(batch).ahead)
        table = nn.Embedding(len(module.embedding), WIDTH)

        def ours() -> None:
            _step(module, lambda: run(model, TokenBatch(batch.tokens, batch.sentences, CPU), training), training)

        def theirs() -> None:
            _step(peer, lambda: peer(nn.functional.dropout(table(padded), 0.5, training))[0], training)

        times = least(rounds, ours, theirs)
        results.append(rates(f"CharBiLSTM {case}", int(batch.lengths.sum()), *times, peer_name="nn.LSTM, padded"))
    return results


def decoder(labels: int, rounds: int) -> List[Row]:
    """Loss with gradient, and decoding, of 16 sentences of 25 tokens."""
    batch, spec = batch_of(16, 25), CorpusSpec("spans", tuple(f"label-{i}" for i in range(labels)))
    model = initialize_with(PositionCRF(emissions=False, constrained=False), FEATURES, Y=spec)
    module, size = shim_of(model).module, model.get_dim("nO")
    x, gold = torch.randn(*batch.shape, FEATURES, requires_grad=True), torch.zeros(batch.shape, dtype=torch.int64)

    def ours() -> Tensor:
        return run(model, (x, batch, gold), True)

    def theirs() -> Tensor:
        links = module.links(x).unflatten(2, (size, size))
        value, score = module.start(x[:, 0]), module.start(x[:, 0])[:, 0]
        for t in range(1, x.shape[1]):
            inside = batch.mask[:, t]
            into = torch.logsumexp(value.unsqueeze(2) + links[:, t], 1)
            value = torch.where(inside.unsqueeze(1), into, value)
            score = score + torch.where(inside, links[:, t, 0, 0], 0.0)
        return torch.logsumexp(value, 1) - score

    torch.testing.assert_close(ours().float(), theirs(), rtol=1e-4, atol=1e-3)
    times = least(rounds, lambda: _step(module, ours, True), lambda: _step(module, theirs, True))
    milliseconds = (1e3 * seconds for seconds in times)
    case = f"PositionCRF loss+backward K={size}"
    return [row(case, *milliseconds, "ms", digits=3, more_is_better=False, peer_name="autograd")]


def _step(module: nn.Module, forward: Callable[[], Tensor], training: bool) -> None:
    with torch.inference_mode(not training):
        found = forward()
    if training:
        module.zero_grad()
        found.sum().backward()


def main() -> None:
    """Measure, print a table, print the JSON line."""
    one_thread()
    options = arguments(__doc__, rounds=10).parse_args()
    results = characters(options.rounds)
    for labels in (1, 5):
        results += decoder(labels, options.rounds)
    publish("wang_xuan", results, ("torch",), options.save)


if __name__ == "__main__":
    main()
