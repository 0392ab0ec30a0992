"""How well cheap rankings of partners agree with published tables: which corpora shall help which in ``CrossSharing``.

Run ``python benchmarks/partners.py CORPORA``; CORPORA is a folder of converted corpora (DocBins). The last line is one
JSON object, which ``--save`` also writes to ``docs/results/partners.json``. The tables are those of Wang Xi et al. 2019
(cross-sharing, 4 main corpora, 5 partners) and of Crichton et al. 2017 (all ordered pairs), as the package has them.

Of each ranking: Spearman's correlation with the published F1 of the partners, the mean over main corpora (ours), beside
that of a ranking by size, small partners first (peer); ``gain`` is how far the F1 of the first partner lies above the
mean over partners, ``most`` how far that of the best does.
"""

from pathlib import Path
from typing import Callable, Dict, List, Set

import numpy as np
import spacy
from report import Row, arguments, publish, row

from spacy_mtl_bioner.corpora.documents import read_docbin
from spacy_mtl_bioner.experiments.published import published
from spacy_mtl_bioner.models.sharing.partners import likeness, sketch

PACKAGES = "spacy_mtl_bioner", "spacy", "scipy"
TABLES = {"Wang Xi et al. 2019": "CS-MTM", "Crichton et al. 2017": "MO-MTM"}
NAMES = {"Linnaeus": "linnaeus"}
Table = Dict[str, Dict[str, float]]
Sets = Dict[str, Set[int]]
Ranking = Callable[[str, str], float]


def tables_of(corpora: Sets) -> Dict[str, Table]:
    """{paper: {main corpus: {partner: F1}}} of the corpora at hand."""
    tables: Dict[str, Table] = {paper: {} for paper in TABLES}
    for figure in published():
        if TABLES.get(figure.paper) == figure.system and figure.metric == "F1" and figure.share == "100":
            main, partner = NAMES.get(figure.corpus, figure.corpus), NAMES.get(figure.partner, figure.partner)
            if main in corpora and partner in corpora:
                tables[figure.paper].setdefault(main, {})[partner] = figure.value
    return tables


def agreement(table: Table, ranking: Ranking) -> Dict[str, float]:
    """Mean correlation, gain of the first partner, and the most there is to gain."""
    from scipy.stats import spearmanr

    found: List[List[float]] = []
    for main, scores in table.items():
        partners = list(scores)
        ranks, values = [ranking(main, partner) for partner in partners], [scores[partner] for partner in partners]
        mean = float(np.mean(values))
        found.append([spearmanr(ranks, values)[0], scores[partners[int(np.argmax(ranks))]] - mean, max(values) - mean])
    return dict(zip(("rho", "gain", "most"), np.mean(found, axis=0).round(2).tolist()))


def main() -> None:
    """Rank, compare, print a table, print the JSON line."""
    parser = arguments(__doc__, rounds=1)
    parser.add_argument("corpora", type=Path, help="folder of converted corpora")
    options = parser.parse_args()
    vocab, sizes, words, annotated = spacy.blank("en").vocab, {}, {}, {}
    for file in sorted(options.corpora.glob("*/train.spacy")):
        docs, name = read_docbin(file, vocab), file.parent.name
        inside = [token.lower for doc in docs for entity in doc.ents for token in entity]
        if inside:
            annotated[name], words[name] = set(inside), {token.lower for doc in docs for token in doc}
            sizes[name] = sum(map(len, docs))
    sketches = {name: sketch(hashes) for name, hashes in words.items()}

    def jaccard(sets: Sets) -> Ranking:
        return lambda a, b: len(sets[a] & sets[b]) / len(sets[a] | sets[b])

    rankings: Dict[str, Ranking] = {
        "all words, Jaccard (CrossSharing's, from sketches)": lambda a, b: likeness(sketches[a], sketches[b]),
        "annotated words, Jaccard": jaccard(annotated),
        "annotated words, share of one's own": lambda a, b: len(annotated[a] & annotated[b]) / len(annotated[a]),
        "all words, Jaccard": jaccard(words),
        "all words, share of the partner's": lambda a, b: len(words[a] & words[b]) / len(words[b]),
    }
    results: List[Row] = []
    peers: Dict[str, Dict[str, float]] = {}
    for paper, table in tables_of(annotated).items():
        peer = peers[paper] = agreement(table, lambda a, b: -sizes[b])
        for name, ranking in rankings.items():
            found, unit = agreement(table, ranking), {"unit": "rho", "digits": 2, "more_is_better": True}
            results.append(row(f"{paper}: {name}", found["rho"], peer["rho"], peer_name="small first", **unit, **found))
            print(f"{paper}: {name}: {found}")
    publish("partners", results, PACKAGES, options.save, small_first=peers)


if __name__ == "__main__":
    main()
