"""Every system is trained as the protocol says, and its key tells what its result depends on."""

import shutil
from dataclasses import replace
from functools import partial

import pytest
from spacy.util import registry
from thinc.api import Config

from spacy_mtl_bioner.errors import MTLError
from spacy_mtl_bioner.experiments.passes import Passes, count_passes, fill_schedules, limits
from spacy_mtl_bioner.experiments.protocol import compose, describe, merge
from spacy_mtl_bioner.training.batcher import create_corpus_batches, length_buckets
from spacy_mtl_bioner.training.reader import create_multi_corpus
from spacy_mtl_bioner.training.schedules import alternate, sequential

from .conftest import ROOT


def test_the_model_is_the_systems_and_the_training_the_protocols(systems, setting):
    alone, several = systems
    one = compose(alone.train("sample-gene", (), 3), setting)
    two = compose(several.train("sample-gene", ("sample-disease",), 3), setting)
    for found in (one, two):
        assert found.config["training"]["optimizer"]["learn_rate"] == 0.001  # not the 0.005 of the sample config
        assert found.config["training"]["batcher"]["schedule"]["main"] == "sample-gene"
        assert found.config["components"]["mtl_ner"]["model"]["precision"] == "bfloat16"
        assert found.config["system"]["seed"] == 3
        assert found.protocol["max_passes"] == 2
        assert list(found.config["corpora"]["dev"]["paths"]) == ["sample-gene"]
    assert one.config["components"]["mtl_ner"]["model"]["sharing"]["@architectures"].endswith("SingleTask.v1")
    assert list(two.config["corpora"]["train"]["paths"]) == ["sample-gene", "sample-disease"]


def test_a_joint_training_scores_all(systems, setting):
    _, several = systems
    config = compose(several.train(None, ("sample-gene", "sample-disease"), 0), setting).config
    assert list(config["corpora"]["dev"]["paths"]) == ["sample-gene", "sample-disease"]
    assert config["training"]["batcher"]["schedule"]["@misc"].endswith("Proportional.v1")


@pytest.mark.parametrize(
    "family, rates, last",
    [
        ("crichton_2017", [1e-4] * 40, 1e-4),
        ("zhang_chen_2022", [0, 2e-4 / 3, 4e-4 / 3], 0),
        ("wang_xi_2019", [1e-3] * 10 + [0.97e-3] * 10, 1e-3 * 0.97**3),
    ],
)
def test_a_family_has_its_own_protocol(family, rates, last, systems, setting):
    """Its optimizer and batches resolve, and its rate is as stated, with passes of ten steps."""
    protocol = replace(setting, protocol=ROOT / "configs" / family / "protocol.cfg")
    training = compose(systems[0].train("sample-disease", (), 0), protocol).config["training"]
    fill_schedules(training["optimizer"], Passes(0, 10), 30)
    resolved = registry.resolve({name: training[name] for name in ("optimizer", "batcher")})
    found = []
    for _ in range(40):
        found.append(resolved["optimizer"].learn_rate)
        resolved["optimizer"].step_schedules()
    assert found[: len(rates)] == pytest.approx(rates)
    assert found[-1] == pytest.approx(last)


def test_which_systems_take_partners(systems):
    alone, several = systems
    assert describe(alone.config) == (True, ()) and describe(several.config) == (False, ())


def test_a_corpus_that_the_model_names_is_a_part_of_the_system(systems, setting, tmp_path):
    _, several = systems
    text = several.config.read_text(encoding="utf8")
    text = text.replace('FullyShared.v1"', 'FullyShared.v1"\nauxiliary = "sample-species"')
    text = "\n".join(
        line for line in text.splitlines() if not line.startswith(("sample-chemical = ", "sample-gene = "))
    )
    (tmp_path / "dependent.cfg").write_text(text, encoding="utf8")
    system = several._replace(config=tmp_path / "dependent.cfg")
    assert describe(system.config) == (True, ("sample-species",))
    training = system.train("sample-disease", (), 0)
    assert training.corpora == ("sample-disease", "sample-species") and training.scored == ("sample-disease",)
    assert compose(training, setting).config["training"]["batcher"]["schedule"]["@misc"].endswith("Proportional.v1")


def test_a_corpus_that_another_setting_names_is_a_partner_like_others(systems, tmp_path):
    """In the order of a merge policy, say, which holds for whatever was trained."""
    _, several = systems
    policy = '{"@misc":"spacy_mtl_bioner.MergeByPriority.v1","corpora":["sample-species","sample-gene"]}'
    text = several.config.read_text(encoding="utf8")
    assert text.count('factory = "mtl_ner"') == 1
    (tmp_path / "merged.cfg").write_text(
        text.replace('factory = "mtl_ner"', f'factory = "mtl_ner"\nmerge = {policy}'), encoding="utf8"
    )
    assert describe(tmp_path / "merged.cfg") == (False, ())


def test_the_key(systems, setting, tmp_path):
    """The same for the same content at another place; another for whatever the result depends on."""
    alone, _ = systems
    training = alone.train("sample-disease", (), 0)
    key = compose(training, setting).key
    assert compose(replace(training), replace(setting)).key == key
    moved = shutil.copytree(setting.corpora_dir, tmp_path / "moved")
    assert compose(training, replace(setting, corpora_dir=moved)).key == key
    shutil.copy(moved / "sample-gene" / "train.spacy", moved / "sample-disease" / "train.spacy")
    copied = shutil.copy(alone.config, tmp_path / "copy.cfg")
    assert compose(replace(training, config=copied), setting).key == key
    changed = [
        compose(
            training,
            replace(setting, corpora_dir=moved, overrides=(*setting.overrides, ("training.accumulate_gradient", 1))),
        ).key,
        compose(replace(training, seed=1), setting).key,
        compose(replace(training, main="sample-gene", corpora=("sample-gene",)), setting).key,
        compose(replace(training, overrides=(("training.dropout", 0.1),)), setting).key,
        compose(training, replace(setting, overrides=(("protocol.patience", 3),))).key,
        compose(training, replace(setting, overrides=(*setting.overrides, ("paths.vectors", str(moved))))).key,
    ]
    assert len({key, *changed}) == 1 + len(changed)


def test_a_path_of_another_system_changes_nothing(systems, setting, tmp_path):
    """So that one command may compare a system that reads a file with one that was trained without."""
    alone, _ = systems
    training = alone.train("sample-disease", (), 0)
    more = (*setting.overrides, ("paths.auxiliary", str(tmp_path)))
    assert compose(training, replace(setting, overrides=more)).key == compose(training, setting).key
    text = alone.config.read_text(encoding="utf8").replace("lookups = null", "lookups = ${paths.auxiliary}")
    (tmp_path / "reads.cfg").write_text(text, encoding="utf8")
    reads = replace(training, config=tmp_path / "reads.cfg")
    elsewhere = (*setting.overrides, ("paths.auxiliary", str(tmp_path / "reads.cfg")))
    assert len({compose(reads, replace(setting, overrides=found)).key for found in (more, elsewhere)}) == 2


def test_a_path_is_known_by_either_sign(systems, setting, tmp_path):
    """``${paths:vectors}`` is ``${paths.vectors}`` to thinc."""
    alone, _ = systems
    text = alone.config.read_text(encoding="utf8")
    assert "${paths.vectors}" in text
    (tmp_path / "colon.cfg").write_text(text.replace("${paths.vectors}", "${paths:vectors}"), encoding="utf8")
    training = alone._replace(config=tmp_path / "colon.cfg").train("sample-disease", (), 0)
    tables = [shutil.copy(alone.config, tmp_path / "one"), tmp_path / "two"]
    tables[1].write_text("another")
    found = [(*setting.overrides, ("paths.vectors", str(table))) for table in tables]
    assert len({compose(training, replace(setting, overrides=overrides)).key for overrides in found}) == 2


def test_a_schedule_that_a_training_does_not_follow_changes_nothing(systems, setting):
    """So that what was trained alone need not be again for another schedule of pairs."""
    alone, several = systems
    block = {"@misc": "spacy_mtl_bioner.Balanced.v1"}
    other = replace(setting, overrides=(*setting.overrides, ("protocol.joint_schedule", block)))
    mine, joint = alone.train("sample-disease", (), 0), several.train(None, ("sample-disease", "sample-gene"), 0)
    assert compose(mine, other).key == compose(mine, setting).key
    assert compose(joint, other).key != compose(joint, setting).key


@pytest.mark.parametrize(
    "line, instead, code",
    [
        ("max_passes = 40", "max_passes = many", "MTL303.*max_passes: 'many'.*a number"),
        ("max_passes = 40", "", "MTL303.*max_passes"),
        ("max_passes = 40", "max_passes = -1", "MTL303.*max_passes: -1.*above 0"),
        ("patience = 8", "patience = 0", "MTL303.*patience: 0.*above 0"),
        ("joint_schedule = ", "# ", "MTL303.*joint_schedule"),
        ("[training.batcher]", "[training.bat]", "MTL301.*training.batcher"),
    ],
)
def test_a_protocol_that_lacks_a_setting(systems, setting, tmp_path, line, instead, code):
    text = setting.protocol.read_text(encoding="utf8")
    assert line in text
    (tmp_path / "protocol.cfg").write_text(text.replace(line, instead), encoding="utf8")
    with pytest.raises(MTLError, match=code):
        compose(
            systems[0].train("sample-disease", (), 0),
            replace(setting, protocol=tmp_path / "protocol.cfg", overrides=()),
        )


def test_the_key_knows_what_initialization_reads(systems, setting, tmp_path):
    """By content too where the config names it without [paths]."""
    alone, _ = systems
    (tmp_path / "vectors").mkdir()
    named = replace(setting, overrides=(*setting.overrides, ("initialize.vectors", str(tmp_path / "vectors"))))
    keys = set()
    for content in ("one", "two", "two"):
        (tmp_path / "vectors" / "table").write_text(content)
        compose.cache_clear()
        keys.add(compose(alone.train("sample-disease", (), 0), named).key)
        assert len(keys) == 1 + (content == "two")


def named(name, training, setting, folder):
    return replace(training, main=name, corpora=(name,)), setting


@pytest.mark.parametrize(
    "code, change",
    [
        ("MTL300", lambda t, s, p: (replace(t, config=p / "none.cfg"), s)),
        ("MTL301", lambda t, s, p: (t, replace(s, protocol=t.config))),
        ("MTL302", lambda t, s, p: (t, replace(s, overrides=(("training.nowhere.rate", 1),)))),
        ("MTL302", lambda t, s, p: (t, replace(s, overrides=(("protocol.patienc", 4),)))),
        ("MTL302", lambda t, s, p: (t, replace(s, overrides=(("training.patience", 4),)))),
        ("MTL302", lambda t, s, p: (t, replace(s, overrides=(("system.seed", 4),)))),
        ("MTL302", lambda t, s, p: (t, replace(s, overrides=(("training.seed", 4),)))),
        ("MTL302", lambda t, s, p: (t, replace(s, overrides=(("system.sed", 4),)))),
        ("MTL302", lambda t, s, p: (t, replace(s, overrides=(("paths.corpora", "elsewhere"),)))),
        ("MTL302", lambda t, s, p: (t, replace(s, overrides=(("training.batcher.schedule.batches", 4),)))),
        ("MTL302", lambda t, s, p: (replace(t, overrides=(("training.max_steps", 4),)), s)),
        ("MTL302.*training.dropout", lambda t, s, p: (t, replace(s, overrides=(("training.droput", 0.1),)))),
        ("MTL302.*nlp.batch_size", lambda t, s, p: (t, replace(s, overrides=(("nlp.batchsize", 3),)))),
        ("MTL302.*initialize.vectors", lambda t, s, p: (t, replace(s, overrides=(("initialize.vectrs", "x"),)))),
        *[("MTL313", partial(named, name)) for name in ("#2 disease", "a;b", "a=b", "[x]", "$x", "${x}", " x", "@x")],
        ("MTL304", lambda t, s, p: (replace(t, main="none", corpora=("none",)), s)),
    ],
)
def test_coded_errors(systems, setting, tmp_path, code, change):
    with pytest.raises(MTLError, match=code):
        compose(*change(systems[0].train("sample-disease", (), 0), setting, tmp_path))


def test_a_whole_block_may_be_overridden(systems, setting):
    block = {"@misc": "spacy_mtl_bioner.Balanced.v1", "batches": 7}
    balanced = replace(setting, overrides=(("protocol.schedule", block), ("protocol.max_steps", 20000)))
    training = systems[1].train("sample-gene", ("sample-disease",), 0)
    config, protocol, key = compose(training, balanced)
    assert config["training"]["batcher"]["schedule"] == block and protocol["max_steps"] == 20000
    assert key != compose(training, setting).key
    assert limits(Passes(3, 10), {**protocol, "max_passes": 40})["max_steps"] == 400
    assert limits(Passes(3, 10), {**protocol, "max_passes": 10**6})["max_steps"] == 20000


def test_merging():
    config = {"a": {"@x": "one", "b": 1, "c": 2}, "d": {"@x": "one", "e": 1}, "f": {"g": 1}}
    merge(config, Config({"a": {"b": 3}, "d": {"@x": "two", "h": 4}, "f": {"@x": "one"}, "i": {"j": 5}}))
    assert config == {
        "a": {"@x": "one", "b": 3, "c": 2},
        "d": {"@x": "two", "h": 4},
        "f": {"@x": "one"},
        "i": {"j": 5},
    }


@pytest.fixture
def examples(corpora):
    import spacy

    names = ("sample-disease", "sample-gene")
    reader = create_multi_corpus({name: corpora / name / "train.spacy" for name in names})
    return list(reader(spacy.blank("en")))


def batches(schedule):
    return create_corpus_batches(length_buckets(16), schedule)


def test_passes_are_counted_in_steps(examples):
    sizes = {}
    for example in examples:
        sizes[example.reference._.corpus] = sizes.get(example.reference._.corpus, 0) + 1
    size = {name: -(-count // 16) for name, count in sizes.items()}
    main = "sample-disease"
    assert count_passes(examples, batches(alternate(main)), main, "x") == (0, 2 * size[main])
    assert count_passes(examples, batches(alternate(main)), None, "x") == (0, sum(size.values()))
    first = sequential(epochs={"sample-gene": 3})
    assert count_passes(examples, batches(first), main, "x") == (3 * size["sample-gene"], size[main])
    with pytest.raises(MTLError, match="MTL306"):
        count_passes(examples, batches(lambda sizes, epoch: ["sample-gene"]), main, "x")


def test_limits_in_steps():
    protocol = {"evaluations": 2, "patience": 3, "max_passes": 10}
    expected = {"eval_frequency": 5, "patience": 136, "max_steps": 220, "max_epochs": 0}
    assert limits(Passes(100, 12), protocol) == expected
    assert limits(Passes(0, 0.4), {**protocol, "evaluations": 10})["eval_frequency"] == 1
    for least, frequency, most in ((None, 5, 220), (4, 5, 220), (50, 55, 220), (500, 220, 220)):
        found = limits(Passes(100, 12), {**protocol, "min_eval_frequency": least})
        assert found == {**expected, "eval_frequency": frequency, "max_steps": most}


@pytest.mark.parametrize("steps, most", [(13847.0, 190000), (339.4, 20000), (2404.2, 20000), (221.0, None), (7.7, 5)])
def test_the_last_step_is_evaluated(steps, most):
    protocol = {"evaluations": 1, "patience": 20, "max_passes": 40, "max_steps": most}
    found, wanted = limits(Passes(0, steps), protocol), min(round(40 * steps), most or 10**9)
    assert found["max_steps"] % found["eval_frequency"] == 0
    assert 0.98 * wanted <= found["max_steps"] <= wanted


def test_rates_that_fall_by_passes():
    optimizer = {"learn_rate": {"decay": 0.97, "steps": None}, "L2": 0.0, "other": {"steps": 7, "passes": None}}
    fill_schedules(optimizer, Passes(100, 12.4), 124)
    assert optimizer == {
        "learn_rate": {"decay": 0.97, "steps": 12},
        "L2": 0.0,
        "other": {"steps": 7, "passes": 124 / 12},
    }


def test_a_longer_training_has_a_rate_to_its_end(systems, setting):
    protocol = replace(setting, protocol=ROOT / "configs" / "zhang_chen_2022" / "protocol.cfg")
    training = compose(systems[0].train("sample-disease", (), 0), protocol).config["training"]
    fill_schedules(training["optimizer"], Passes(0, 10), 100)
    optimizer = registry.resolve({"optimizer": training["optimizer"]})["optimizer"]
    rates = []
    for _ in range(101):
        rates.append(optimizer.learn_rate)
        optimizer.step_schedules()
    assert min(rates[1:100]) > 0 and rates[100] == 0
