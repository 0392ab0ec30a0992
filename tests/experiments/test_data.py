"""Parts of corpora: labels, shares, and that they are what a training gets."""

from dataclasses import replace
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin

from spacy_mtl_bioner.corpora.documents import read_docbin
from spacy_mtl_bioner.experiments.data import write_part
from spacy_mtl_bioner.experiments.protocol import compose
from spacy_mtl_bioner.experiments.training import Training, Variant, part_name


def read(path):
    return read_docbin(path, spacy.blank("en").vocab)


def lines(docs):
    return [str(sentence) for doc in docs for sentence in doc.sents]


def entities(docs):
    return [(entity.text, entity.label_) for doc in docs for entity in doc.ents]


def test_labels(setting, tmp_path):
    """Everything but the other entities stays, in every split."""
    folder = write_part("sample-chemical", Variant(("Disease",)), setting, tmp_path)
    for split in ("train", "devel", "test"):
        whole, part = read(setting.docbin("sample-chemical", split)), read(folder / f"{split}.spacy")
        assert lines(part) == lines(whole)
        wanted = [entity for entity in entities(whole) if entity[1] == "Disease"]
        assert entities(part) == wanted and 0 < len(wanted) < len(entities(whole))
        assert all(doc.has_annotation("ENT_IOB", require_complete=True) for doc in part)
        assert [doc._.corpus for doc in part] == [doc._.corpus for doc in whole]


def test_shares_of_the_training_sentences(setting, tmp_path):
    """Nested for one seed, other sentences for another, devel and test whole, entities as they were."""
    whole = lines(read(setting.docbin("sample-gene", "train")))
    kept = {}
    for share, seed in ((0.5, 0), (0.25, 0), (0.25, 1)):
        folder = write_part("sample-gene", Variant(None, share, seed), setting, tmp_path)
        docs = read(folder / "train.spacy")
        kept[share, seed] = lines(docs)
        assert len(kept[share, seed]) == round(share * len(whole))
        assert kept[share, seed] == [line for line in whole if line in kept[share, seed]], "their order stays"
        of = dict(zip(lines(read(setting.docbin("sample-gene", "train"))), map(entities_of, sentences(setting))))
        assert all(entities([doc]) == of[line] for doc, line in zip(docs, kept[share, seed]))
        assert lines(read(folder / "test.spacy")) == lines(read(setting.docbin("sample-gene", "test")))
    assert set(kept[0.25, 0]) < set(kept[0.5, 0]) and kept[0.25, 0] != kept[0.25, 1]


def sentences(setting):
    return [sent for doc in read(setting.docbin("sample-gene", "train")) for sent in doc.sents]


def entities_of(sentence):
    return [(entity.text, entity.label_) for entity in sentence.ents]


def test_a_part_is_written_once_and_named_by_its_content(setting, tmp_path):
    variant = Variant(("Disease",))
    folder = write_part("sample-chemical", variant, setting, tmp_path)
    assert folder.name == part_name("sample-chemical", variant, setting)
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert write_part("sample-chemical", variant, setting, tmp_path) == folder
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert set(before) == {"train.spacy", "devel.spacy", "test.spacy"}
    names = {part_name("sample-chemical", v, setting) for v in (variant, Variant(("Chemical",)), Variant(None, 0.5))}
    assert len(names) == 3
    attrs = [
        DocBin().from_disk(path).attrs for path in (folder / "train.spacy", setting.docbin("sample-gene", "train"))
    ]
    assert attrs[0] == attrs[1]


@pytest.mark.parametrize("main", ["sample-chemical", None])
def test_a_training_reads_its_parts(systems, setting, runs, main):
    _, several = systems
    part = (("sample-chemical", Variant(("Disease",), 0.5, 3)),)
    others = ("sample-gene",) if main else ("sample-chemical", "sample-gene")
    training = several.train(main, others, 0, part)
    whole = compose(replace(training, variants=()), setting)
    config, _, key = compose(training, setting)
    assert key != whole.key and "data" not in whole.config["paths"]
    folder = runs.prepare(training)
    paths = spacy.util.load_config(
        folder / "config.cfg", overrides={"paths.data": str(runs.out / "data")}, interpolate=True
    )
    train = paths["corpora"]["train"]["paths"]["sample-chemical"]
    assert {label for _, label in entities(read(runs.out / "data" / train))} == {"Disease"}
    assert config["corpora"]["train"]["paths"]["sample-gene"] == "${paths.corpora}/sample-gene/train.spacy"
    assert training.title().startswith("several sample-chemical (50% Disease) + sample-gene")


def test_long_names_fit_a_file_system(setting):
    labels = tuple(f"Label-{i}" for i in range(60))
    name = part_name("sample-chemical", Variant(labels), setting)
    assert len(name.encode()) < 200 and name.startswith("sample-chemical")
    assert name != part_name("sample-chemical", Variant(labels[:-1]), setting)
    chosen = (("sample-chemical", Variant(labels)),)
    training = Training("MTM", Path("c"), ("sample-chemical",), "sample-chemical", variants=chosen)
    assert len(training.slug().encode()) < 200
