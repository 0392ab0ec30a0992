"""Parameters of each system of Wang Xi et al. 2019 beside the published counts (their Table 3).

Run ``python benchmarks/parameters.py``; the last line is one JSON object, which ``--save`` also writes to
``docs/results/parameters.json``. The pipelines are those of ``configs/wang_xi_2019``, initialized on a main corpus and
a partner. The published counts hold a word table that the paper does not give the size of; all five fit some 28,000
words, which stand for it here, while ``parts`` has the words that these corpora give. Encoders and gates depend on
sizes alone, and their published numbers are worked out from these.
"""

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Dict, List

from report import Row, arguments, one_thread, publish, row

if TYPE_CHECKING:
    from material import Material

PACKAGES = "spacy_mtl_bioner", "spacy", "thinc", "torch"
LSTM = 2 * (4 * 256 * (130 + 256) + 2 * 4 * 256)  # both directions: weights, and two biases a gate
ENCODER = LSTM + 512 * 128 + 128
GATE = 128 * 128 + 128
WORDS = 28_000
SYSTEMS = {  # config: (published millions, encoders and gates of the published sizes)
    "stm": (3.68, ENCODER),
    "fs_mtm": (3.68, ENCODER),
    "sp_mtm": (5.41, 3 * ENCODER),
    "adv_mtm": (5.41, 3 * ENCODER),
    "cs_mtm": (5.44, 3 * ENCODER + 2 * GATE),
}
PARTS = {"word_vectors": "words", "char_cnn": "characters", "crf": "heads", "corpus_discriminator": "classifier"}


def count(material: "Material", system: str) -> Dict[str, int]:
    """Parameters of a system's pipeline: words, characters, heads, classifier, and the rest as ``encoders``."""
    from material import CONFIGS, Trainer

    config = CONFIGS["SingleTask"].parent / "wang_xi_2019" / f"{system}.cfg"
    corpora = [material.main] if system == "stm" else [material.main, material.partner]
    model = Trainer(material, system, corpora=corpora, config=config).nlp.get_pipe("mtl_ner").model
    found = dict.fromkeys(("words", "characters", "encoders", "heads", "classifier"), 0)
    for node in model.walk():
        for shim in node.shims:
            if shim.built:
                found[PARTS.get(node.name, "encoders")] += sum(p.numel() for p in shim.module.parameters())
    return found


def rows_of(system: str, found: Dict[str, int]) -> List[Row]:
    """What was counted beside what was published."""
    from material import WIDTH

    published, sizes = SYSTEMS[system]
    name, rest, table = system.upper().replace("_", "-"), sum(found.values()) - found["words"], WORDS * WIDTH
    million = {"unit": "M", "digits": 3, "more_is_better": False}
    sized, less = "published sizes", f"published, less {WORDS:,} words"
    return [
        row(f"{name}, encoders and gates", found["encoders"] / 1e6, sizes / 1e6, peer_name=sized, **million),
        row(f"{name}, all but words", rest / 1e6, published - table / 1e6, peer_name=less, parts=found, **million),
        row(f"{name}, all with {WORDS:,} words", (rest + table) / 1e6, published, peer_name="published", **million),
    ]


def main() -> None:
    """Count, print a table, print the JSON line."""
    one_thread()
    from material import WIDTH, add_options, prepare

    parser: argparse.ArgumentParser = arguments(__doc__, rounds=1)
    add_options(parser)
    options = parser.parse_args()
    print("parameters, in millions; words are those of the corpora")
    with tempfile.TemporaryDirectory() as folder:
        material = prepare(options, Path(folder), top=0)
        counts = {system: count(material, system) for system in SYSTEMS}
    for system, found in counts.items():
        print(f"{system}: {found['words'] // WIDTH:,} words; " + ", ".join(f"{k} {v:,}" for k, v in found.items()))
    results = [one for system, found in counts.items() for one in rows_of(system, found)]
    publish("parameters", results, PACKAGES, options.save, material=material.note)


if __name__ == "__main__":
    main()
