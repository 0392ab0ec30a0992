"""The commands of the studies of corpora: ``pairs``, ``groups``, ``all``, ``sizes``, ``types``, ``vector-tables``,
``seeds``."""

from typing import TYPE_CHECKING, Tuple

import typer

from ..errors import E303, MTLError
from .studies import study_command
from .values import named_paths, names, numbers, sets, shares_of, system_of, systems_of

if TYPE_CHECKING:
    from ..experiments.study import Study
    from ..experiments.systems import System
    from ..experiments.training import Setting

SYSTEM = typer.Option(..., help="NAME=CONFIG of a system for several corpora")
BASELINE = typer.Option(
    "", help="NAME=CONFIG of what it is held against, on a corpus alone; default: the system itself"
)
MAIN = typer.Option(..., help="Main corpora, separated by commas")
CORPORA = typer.Option("", help="Corpora, separated by commas; default: every converted one of kind spans")
SEEDS = typer.Option("0", help="Seeds, separated by commas")


@study_command("""Train every ordered pair of corpora, and each alone: which partner helps which?

Writes a matrix of F1 and a heat map of gains with their significance, the partners' ranks beside their sizes (large
partners take steps from the main corpus where batches are drawn in proportion to size), the published pairs beside
ours, and pairs.json, which suggest-partners reads.

Examples:

\b
  mtl-bioner pairs runs --corpora-dir corpus --vectors vectors --system FS-MTM=configs/fully_shared.cfg \\
      --baseline STM=configs/single_task.cfg --corpora NCBI-disease,BC5CDR,Ex-PTM,BioNLP09
  # so many steps of each pair, as many batches of each corpus
  mtl-bioner pairs runs --corpora-dir corpus --system MO-MTM=configs/crichton_2017/mo_mtm.cfg \\
      --protocol.max_steps 20000 --protocol.schedule '{"@misc":"spacy_mtl_bioner.Balanced.v1"}'
  # the same in half the time: each two corpora are trained together once, and both are scored
  mtl-bioner pairs runs --corpora-dir corpus --system MO-MTM=configs/crichton_2017/mo_mtm.cfg --once \\
      --protocol.max_steps 20000 --protocol.joint_schedule '{"@misc":"spacy_mtl_bioner.Balanced.v1"}'
""")
def pairs(
    setting: "Setting",
    system: str = SYSTEM,
    baseline: str = BASELINE,
    corpora: str = CORPORA,
    seeds: str = SEEDS,
    once: bool = typer.Option(False, "--once", help="Train each two corpora once, chosen on and scored on both"),
) -> "Study":
    from ..experiments.converted import tokens_of
    from ..experiments.studies.pairs import Pairs

    chosen = _corpora(corpora, setting)
    for corpus in chosen:
        tokens_of(corpus, setting)  # which the report needs: a missing one is told before any training
    return Pairs(*_both(system, baseline), chosen, numbers("--seeds", seeds), once)


@study_command(
    """Reduce corpora to one category of entities, and train those of a category together: does the same kind help?

Categories are those of the catalogue, as 'mtl-bioner convert' reported them; a group is a category that at least two of
the corpora annotate.

Example:

\b
  mtl-bioner groups runs --corpora-dir corpus --vectors vectors --system FS-MTM=configs/fully_shared.cfg \\
      --categories Disease,Chemical
"""
)
def groups(
    setting: "Setting",
    system: str = SYSTEM,
    baseline: str = BASELINE,
    corpora: str = CORPORA,
    categories: str = typer.Option("", help="Categories, separated by commas; default: each that two corpora share"),
    seeds: str = SEEDS,
) -> "Study":
    from ..errors import E311, MTLError
    from ..experiments.converted import groups_of
    from ..experiments.studies.together import Group, Together

    chosen, wanted = _corpora(corpora, setting), names(categories)
    found = groups_of(chosen, setting)
    missing = [category for category in wanted if category not in found]
    if missing or not found:
        what = ", ".join(missing) or "a category"
        raise MTLError(E311(found=what, corpora=", ".join(chosen)))
    made = tuple(Group(category, tuple(found[category].items())) for category in wanted or found)
    title = "Groups of corpora of one category"
    return Together("groups", title, *_both(system, baseline), made, numbers("--seeds", seeds))


@study_command("""Train one model for all corpora, and hold it against each corpus alone.

Example:

\b
  mtl-bioner all runs --corpora-dir corpus --vectors vectors --system MO-MTM=configs/crichton_2017/mo_mtm.cfg \\
      --baseline STM=configs/crichton_2017/stm.cfg --seeds 0,1,2
""")
def all_(
    setting: "Setting", system: str = SYSTEM, baseline: str = BASELINE, corpora: str = CORPORA, seeds: str = SEEDS
) -> "Study":
    from ..experiments.studies.together import Group, Together

    group = Group("all together", tuple((corpus, None) for corpus in _corpora(corpora, setting)))
    return Together("all", "One model for all corpora", *_both(system, baseline), (group,), numbers("--seeds", seeds))


@study_command("""Train on shares of a corpus' training sentences, alone and with a partner: how little data is enough?

The partner is the best of --partners on devel, with all sentences, at the first seed. Each seed draws its own
sentences.

Examples:

\b
  mtl-bioner sizes runs --corpora-dir corpus --vectors vectors --system CS-MTM=configs/cross_sharing.cfg \\
      --baseline STM=configs/single_task.cfg --main Ex-PTM,NCBI-disease --partners BioNLP09,BC5CDR --seeds 0,1,2
  # a pass over a tenth of the sentences is short: count in steps, so that every share trains as long
  mtl-bioner sizes runs --corpora-dir corpus --vectors vectors --system MO-MTM=configs/crichton_2017/mo_mtm.cfg \\
      --baseline STM=configs/crichton_2017/stm.cfg --main Ex-PTM --partners BioNLP11EPI --protocol.max_passes 1000 \\
      --protocol.patience 1000 --protocol.max_steps 8000 --protocol.min_eval_frequency 500
""")
def sizes(
    setting: "Setting",
    system: str = SYSTEM,
    baseline: str = BASELINE,
    main: str = MAIN,
    partners: str = typer.Option(..., help="Partners to try, separated by commas; A+B are two at once"),
    shares: str = typer.Option("100,50,25,10", help="Percent of the training sentences, separated by commas"),
    seeds: str = SEEDS,
) -> "Study":
    from ..experiments.studies.sizes import Sizes

    return Sizes(*_both(system, baseline), names(main), sets(partners), shares_of(shares), numbers("--seeds", seeds))


@study_command("""Train with one entity type of a partner at a time: what of a corpus is it that helps?

Example:

\b
  mtl-bioner types runs --corpora-dir corpus --vectors vectors --system CS-MTM=configs/cross_sharing.cfg \\
      --baseline STM=configs/single_task.cfg --main linnaeus --partners BioNLP11ID,BC5CDR
""")
def types(
    setting: "Setting",
    system: str = SYSTEM,
    baseline: str = BASELINE,
    main: str = MAIN,
    partners: str = typer.Option(..., help="Partners, separated by commas"),
    seeds: str = SEEDS,
) -> "Study":
    from ..experiments.studies.types import Types

    return Types(*_both(system, baseline), names(main), names(partners), numbers("--seeds", seeds))


@study_command("""Train with several tables of word vectors, all else alike; --vectors is not needed.

Example:

\b
  mtl-bioner vector-tables runs --corpora-dir corpus --systems STM=configs/single_task.cfg --main NCBI-disease \\
      --tables glove=vectors/glove,pubmed=vectors/pubmed --seeds 0,1,2
""")
def vector_tables(
    setting: "Setting",
    systems: str = typer.Option(..., help="NAME=CONFIG, separated by commas"),
    main: str = MAIN,
    tables: str = typer.Option(
        ..., help="NAME=FOLDER of 'mtl-bioner vectors', separated by commas; the first is the base"
    ),
    partners: str = typer.Option("", help="Partners of systems that take them, separated by commas"),
    seeds: str = SEEDS,
) -> "Study":
    from ..experiments.studies.vector_tables import VectorTables

    found = named_paths("--tables", tables)
    return VectorTables(systems_of(systems), names(main), found, names(partners), numbers("--seeds", seeds))


@study_command(
    """Train the same with many seeds: how far does F1 spread, and does devel tell which seed is good on test?

Example:

\b
  mtl-bioner seeds runs --corpora-dir corpus --vectors vectors --systems STM=configs/single_task.cfg \\
      --main NCBI-disease --seeds 0,1,2,3,4,5,6,7,8,9
"""
)
def seeds(
    setting: "Setting",
    systems: str = typer.Option(..., help="NAME=CONFIG, separated by commas"),
    main: str = MAIN,
    partners: str = typer.Option(
        "", help="Partners to try, separated by commas, for systems for several; chosen on devel at the first seed"
    ),
    seeds: str = typer.Option("0,1,2,3,4", help="Seeds, separated by commas"),
) -> "Study":
    from ..experiments.compare import Comparison
    from ..experiments.studies.seeds import Seeds

    return Seeds(Comparison(systems_of(systems), names(main), sets(partners), numbers("--seeds", seeds)))


def _both(system: str, baseline: str) -> Tuple["System", "System"]:
    """The system, which must take partners, and what it is held against. Raises MTLError (MTL303)."""
    found = system_of("--system", system)
    if found.alone:
        raise MTLError(E303(option="--system", found=system, expected="a config with several training corpora"))
    return found, system_of("--baseline", baseline or system)


def _corpora(text: str, setting: "Setting") -> Tuple[str, ...]:
    """The named corpora, or all."""
    from ..experiments.converted import spans_corpora

    return names(text) or spans_corpora(setting.corpora_dir)
