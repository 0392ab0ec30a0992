"""``mtl-bioner compare``: systems trained under one protocol, side by side."""

from typing import TYPE_CHECKING

import typer

from .studies import study_command
from .values import names, numbers, sets, systems_of

if TYPE_CHECKING:
    from ..experiments.study import Study
    from ..experiments.training import Setting

_HELP = """Train systems under one protocol and compare them.

A system whose config lists one training corpus is trained on each --main corpus alone. One whose config lists several
gets a partner: each of --partners is tried at the first seed, the best on devel is taken for the further seeds. With
--together, such systems are also trained on all of these corpora at once, and scored on each; without, they need a
partner for each --main corpus. Each system is tested
against the first. A system named as in its paper (STM, CS-MTM, MTM-CW, ...) gets the published figure beside its own.

Examples:

\b
  # two systems on two corpora, three seeds, two processes; the queue first
  mtl-bioner compare runs --corpora-dir corpus --vectors vectors \\
      --systems STM=configs/single_task.cfg,CS-MTM=configs/cross_sharing.cfg --main NCBI-disease,Ex-PTM \\
      --partners BioNLP09,BC5CDR,JNLPBA --seeds 0,1,2 --jobs 2 --dry-run
  # one model for four corpora
  mtl-bioner compare runs --corpora-dir corpus --vectors vectors --systems FS-MTM=configs/fully_shared.cfg \\
      --together BC2GM,BC5CDR,NCBI-disease,JNLPBA
  # two partners at once, and half the patience
  mtl-bioner compare runs --corpora-dir corpus --systems FS-MTM=configs/fully_shared.cfg --main NCBI-disease \\
      --partners BioNLP09+BC5CDR --protocol.patience 4
  # what has finished so far, while the above goes on
  mtl-bioner compare runs --corpora-dir corpus ... --report-only
"""


@study_command(_HELP)
def compare(
    setting: "Setting",
    systems: str = typer.Option(..., help="NAME=CONFIG, separated by commas"),
    main: str = typer.Option("", help="Corpora to compare on, separated by commas"),
    partners: str = typer.Option("", help="Partners to try, separated by commas; A+B are two at once"),
    together: str = typer.Option("", help="Corpora to train on at once, separated by commas"),
    seeds: str = typer.Option("0", help="Seeds, separated by commas; partners are chosen at the first"),
) -> "Study":
    from ..experiments.compare import Comparison

    every = systems_of(systems)
    return Comparison(every, names(main), sets(partners), numbers("--seeds", seeds), names(together))
