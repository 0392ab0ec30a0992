"""The benchmarks run on the sample corpora, and what they compare with computes what it should."""

import importlib
import json
import subprocess
import sys
import warnings
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

from .models.encoders import tiny_bert

ROOT = Path(__file__).resolve().parents[1]
BENCHMARKS = ROOT / "benchmarks"
TOY = [
    *("--corpora", ROOT / "assets" / "corpora", "--catalogue", ROOT / "assets" / "catalogue.json"),
    *("--main", "sample-disease", "--partner", "sample-gene", "--vectors", "none", "--sentences", 40),
]


@pytest.fixture(autouse=True)
def on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))


@pytest.mark.parametrize("name", sorted(path.stem for path in BENCHMARKS.glob("*.py")))
def test_every_benchmark_finds_what_it_imports(name):
    """And is the one of this folder, not another module of that name."""
    assert Path(importlib.import_module(name).__file__).parent == BENCHMARKS


def run(name, *options):
    command = [sys.executable, str(BENCHMARKS / f"{name}.py"), *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["benchmark"], found["threads"]) == (name, 1)
    assert found["versions"]["torch"]
    for row in found["results"]:
        assert {"case", "ours", "peer", "unit", "ratio"} <= set(row)
    return found


def test_train_speed():
    found = run("train_speed", *TOY, "--rounds", 1)
    peers = [(row["case"].split()[0], row["peer_name"].split()[0]) for row in found["results"]]
    assert peers == [("CrossSharing", "published"), ("SingleTask", "published"), ("SingleTask", "spaCy")]
    for row in found["results"]:
        assert row["ratio"] == pytest.approx(row["ours"] / row["peer"], rel=0.01)
    forward, both, share = (entry["value"] for entry in found["reference"][:3])
    assert forward > both
    assert share == pytest.approx(100 * found["results"][0]["ours"] / (both / 3), rel=0.01)


def test_wang_xuan():
    """The script itself holds our loss against the peer's."""
    found = run("wang_xuan", "--rounds", 1)
    assert [row["case"].split()[0] for row in found["results"]] == ["CharBiLSTM"] * 2 + ["PositionCRF"] * 2


def test_cnn_speed():
    found = run("cnn_speed", *TOY[:-2], "--rounds", 1, "--steps", 3)
    assert [row["case"].split()[-1] for row in found["results"]] == ["float32", "bfloat16"]
    for row in found["results"]:
        assert row["peer_name"].startswith("published")
        assert row["ratio"] == pytest.approx(row["ours"] / row["peer"], rel=0.01)
    rate, share = (entry["value"] for entry in found["reference"][:2])
    assert share == pytest.approx(100 * found["results"][0]["ours"] / rate, rel=0.01)


def test_the_published_window_cnn_computes_what_ours_does():
    """The same weights give the same scores of each tag."""
    from peers.window_cnn import Published, WindowNetwork
    from spacy.lang.en import English
    from spacy.tokens import Doc
    from spacy.vectors import Vectors

    from spacy_mtl_bioner.models.batch import TokenBatch, Tokens
    from spacy_mtl_bioner.models.encoder.window_cnn import WindowConvolution

    torch.manual_seed(0)
    vocab = English().vocab
    words = ["no", "asthma", "in", "mice"]
    data = np.random.default_rng(0).normal(size=(4, 6)).astype("float32")
    vectors = Vectors(data=data, keys=[vocab.strings.add(word) for word in words], strings=vocab.strings)
    network = WindowNetwork(vectors, ["O", "S-X"]).eval()
    docs = [Doc(vocab, words=["No", "asthma", "in", "mice", "today"]), Doc(vocab, words=["mice"])]
    arrays = network.arrays(docs, [["O", "S-X", "O", "O", "O"], ["S-X"]])
    assert arrays.windows.shape == (6, 7) and arrays.windows[0].tolist() == [1, 1, 1, 2, 3, 4, 5]
    ours = WindowConvolution(6, 3, 3, [3, 4, 5], 100, 1200, False)
    ours.padding.data = network.table.weight[1]
    for bank, theirs in zip(ours.banks, network.banks):
        bank.weight.data, bank.bias.data = theirs.weight.flatten(1).data, theirs.bias.data
        # Theirs puts filters before positions, ours positions before filters.
    order = torch.cat([torch.arange(100 * n).view(100, n).t().flatten() + at for n, at in ((5, 0), (4, 500), (3, 900))])
    ours.dense.weight.data, ours.dense.bias.data = network.dense.weight.data[:, order], network.dense.bias.data
    batch = TokenBatch(Tokens(docs), np.arange(2), torch.device("cpu"))
    x = torch.zeros(2, 5, 6)
    x[batch.mask] = network.table(arrays.windows[:, 3])
    torch.testing.assert_close(network.softmax(ours(x, batch)[batch.mask]), network(arrays.windows))
    before = network.dense.weight.detach().clone()
    Published(network).fit([arrays])
    assert not torch.equal(before, network.dense.weight)


def test_predict_speed():
    found = run("predict_speed", *TOY, "--rounds", 1, "--steps", 4)
    cases = {row["case"] for row in found["results"]}
    for kind in ("without scores", "with scores", "bfloat16, without scores"):
        assert f"CrossSharing, 1 of 2 corpora, {kind}" in cases
        assert f"CrossSharing, 2 of 2 corpora, {kind}" in cases
    assert {"raw text, CrossSharing", "raw text, SingleTask"} <= cases


def test_parameters():
    found = run("parameters", *TOY[:-2])
    rows = {row["case"]: row for row in found["results"]}
    assert len(rows) == 3 * 5
    for system in ("STM", "FS-MTM", "SP-MTM", "ADV-MTM", "CS-MTM"):
        assert rows[f"{system}, encoders and gates"]["ratio"] == 1
        rest = rows[f"{system}, all but words"]
        parts = {name: count for name, count in rest["parts"].items() if name != "words"}
        assert rest["ours"] == pytest.approx(sum(parts.values()) / 1e6, abs=1e-3)
        assert rows[f"{system}, all with 28,000 words"]["ours"] == pytest.approx(rest["ours"] + 2.8)
    assert rows["ADV-MTM, all but words"]["parts"]["classifier"] == 2 * 128 + 2


def figure(paper, system, partner, value, *, metric="F1", share="100"):
    from spacy_mtl_bioner.experiments.published import Published

    return Published(paper, system, "", "a", partner, share, "GloVe", metric, value, "", "")


def test_agreement_with_published_partners(monkeypatch):
    import partners

    wang, scores = "Wang Xi et al. 2019", (("b", 80.0), ("Linnaeus", 84.0), ("c", 82.0), ("missing", 99.0))
    figures = [figure(wang, "CS-MTM", partner, score) for partner, score in scores]
    figures += [figure(wang, "CS-MTM", "b", 1.0, metric="P"), figure(wang, "CS-MTM", "b", 3.0, share="50")]
    figures += [figure(wang, "STM", "b", 2.0), figure(wang, "CS-MTM", "", 4.0)]
    monkeypatch.setattr(partners, "published", lambda: figures)
    table = partners.tables_of(dict.fromkeys(("a", "b", "c", "linnaeus"), set()))[wang]
    assert table == {"a": {"b": 80.0, "linnaeus": 84.0, "c": 82.0}}
    assert partners.agreement(table, lambda main, partner: table[main][partner]) == {"rho": 1, "gain": 2, "most": 2}
    assert partners.agreement(table, lambda main, partner: -table[main][partner]) == {"rho": -1, "gain": -2, "most": 2}


def test_partners_are_ranked_by_size_for_each_paper(tmp_path, monkeypatch, capsys):
    import partners
    from spacy.tokens import Doc
    from spacy.vocab import Vocab

    from spacy_mtl_bioner.corpora.documents import write_docbin

    for name, size in (("a", 2), ("b", 3), ("c", 5)):
        doc = Doc(Vocab(), words=["mice", *name * (size - 1)], ents=["B-X"] * size)
        write_docbin([doc], tmp_path / name / "train.spacy")
    figures = []
    for (paper, system), small, large in zip(partners.TABLES.items(), (2.0, 1.0), (1.0, 2.0)):
        figures += [figure(paper, system, partner, score) for partner, score in (("b", small), ("c", large))]
    monkeypatch.setattr(partners, "published", lambda: figures)
    monkeypatch.setattr(sys, "argv", ["partners.py", str(tmp_path)])
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of rankings in which both partners are alike
        partners.main()
    found = json.loads(capsys.readouterr().out.splitlines()[-1])["small_first"]
    assert {paper: peer["rho"] for paper, peer in found.items()} == dict(zip(partners.TABLES, (1, -1)))


@pytest.mark.slow
def test_scaling():
    names = ("sample-disease", "sample-gene", "sample-chemical")
    small = ("--counts", 2, 3, "--sentences", 48, "--steps", 3, "--rounds", 1, "--keep", 20)
    found = run("scaling", *TOY[:-2], "--names", *names, *small, "--systems", "FullyShared", "CrossSharing")
    rows = {row["case"]: row for row in found["results"]}
    assert len(rows) == 2 * 2 * 3
    for system in ("FullyShared", "CrossSharing"):
        assert rows[f"{system}, training, 2 corpora"]["ratio"] == 1 == rows[f"{system}, memory, 2 corpora"]["ratio"]
        tagging = rows[f"{system}, prediction by 3 of 3 corpora"]
        assert tagging["peer_name"] == "1 of 3 corpora" and tagging["ours"] > 0


def test_memory():
    found = run("memory", *TOY, "--steps", 2, "--width", 8)
    for row in found["results"]:
        curve = row["curve_mib"]
        assert len(curve) == 20
        assert row["growth_mib"] == pytest.approx(max(curve[2:]) - curve[1], abs=0.06)
        assert (row["ratio"] >= 1) == (row["ours"] <= 5)


def test_transformer_speed(tmp_path):
    encoder = tiny_bert(tmp_path / "bert", positions=512)
    found = run("transformer_speed", *TOY, "--rounds", 1, "--encoder", encoder)
    cases = [row["case"] for row in found["results"]]
    assert cases[0] == "training, BERT-STM" and cases[2] == "prediction, BERT-STM"
    assert [case.split(", ")[-1] for case in cases[3:]] == ["1 corpora", "4 corpora", "7 corpora"]


def test_the_plain_token_classifier_learns(tmp_path):
    from peers.token_classifier import TokenClassifier

    torch.manual_seed(0)
    sentences = [["the", "BRCA1", "gene"], ["no", "gene"], ["cancer", "of", "MDM2"]]
    tags = [[0, 1, 2], [0, 2], [1, 0, 0]]
    peer = TokenClassifier(str(tiny_bert(tmp_path / "bert")), 3, rate=0.02)
    peer.train([list(zip(sentences, tags))] * 80)
    assert peer.tag([sentences]) == 4
    assert peer.tag([[["no"]], [["gene"], ["of"]]]) == 1


def test_crf():
    found = run("crf", "--rounds", 1)
    assert len(found["results"]) == 8


def test_sides_take_turns_and_the_least_counts(monkeypatch):
    import report

    clock, order = [0.0], []
    monkeypatch.setattr(report.time, "process_time", lambda: clock[0])

    def act(side):
        order.append(side)
        clock[0] += {0: (9, 4, 2), 1: (1, 5, 6)}[side][order.count(side) - 1]

    assert report.least(2, act, act, fresh=lambda side: (side,)) == [2, 5]
    assert order == [0, 1, 0, 1, 0, 1]


def test_the_last_line_is_what_is_saved(monkeypatch, tmp_path, capsys):
    import report

    monkeypatch.setattr(report, "RESULTS", tmp_path / "results")
    faster = report.rates("a", 100, 1.0, 2.0)
    shorter = report.row("b", 1.0, 2.0, "ms", digits=1, more_is_better=False)
    assert (faster["ratio"], shorter["ratio"]) == (2, 2)
    report.publish("name", [faster, shorter], ["torch"], True, note=1)
    last = capsys.readouterr().out.splitlines()[-1]
    assert (tmp_path / "results" / "name.json").read_text(encoding="utf-8") == last + "\n"
    assert json.loads(last)["note"] == 1


def test_the_published_crf_against_every_path():
    from peers.published import Arrays, BigramCRF

    torch.manual_seed(0)
    length, tags = 4, 4  # padding, O and two more
    crf, x = BigramCRF(5, tags).double(), torch.randn(1, length, 5, dtype=torch.float64)
    energies = crf.energies(x)[:, 0]

    def score(path):
        return sum(energies[t, before, now] for t, (before, now) in enumerate(zip((tags, *path), path)))

    every = torch.stack([score(path) for path in product(range(tags + 1), repeat=length)])
    gold = (2, 1, 3, 1)
    empty = torch.zeros(1, length, dtype=torch.int64)
    batch = Arrays(empty, empty, torch.tensor([gold]), torch.tensor([length]), torch.ones(1, length).double(), 0)
    assert crf.loss(x, batch).item() == pytest.approx((every.logsumexp(0) - score(gold)).item())
    best = max(product(range(1, tags), repeat=length), key=score)
    assert crf.decode(x).tolist() == [list(best)]


def test_the_published_loss_ignores_padding():
    from peers.published import Arrays, BigramCRF

    torch.manual_seed(0)
    crf, x, tags = BigramCRF(5, 3), torch.randn(1, 6, 5), torch.randint(1, 3, (1, 6))
    lengths, mask = torch.tensor([4]), (torch.arange(6) < 4).float()[None]
    padded = crf.loss(x, Arrays(tags, tags, tags, lengths, mask, 0))
    alone = crf.loss(x[:, :4], Arrays(tags, tags, tags[:, :4], lengths, mask[:, :4], 0))
    assert padded.item() == pytest.approx(alone.item(), rel=1e-5)


def test_the_stream_keeps_giving_new_forms():
    from memory import stream

    made = list(stream(["in 1998 , 12 of them", "none"], 40, new_words=0.5))
    assert len(made) == 40
    assert sum(len(text.split()) in (2, 7) for text in made) == sum("ab" in text for text in made) > 5
    assert len({text.split()[1] for text in made[::2]}) > 15
    assert made == list(stream(["in 1998 , 12 of them", "none"], 40, new_words=0.5))
