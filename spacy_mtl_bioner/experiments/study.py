"""What a study is, and how one is run from end to end."""

from pathlib import Path
from typing import Any, Dict, Iterable, List, Protocol

from .folder import write_json
from .page import write_page
from .queue import State
from .report import Report, write_report
from .training import Training


class Study(Protocol):
    """name: of its folder in OUT. Called with what is known, it gives the trainings it wants (``queue.Plan``)."""

    name: str

    def __call__(self, state: State) -> List[Training]:
        """Return every training that is wanted as far as results tell, the most wanted first."""

    def report(self, state: State) -> Report:
        """Return what the finished trainings say."""


def records_of(trainings: Iterable[Training], state: State) -> List[Dict[str, Any]]:
    """Return the records of the finished trainings among these, each with its config's folder and name."""
    found = [(training, result) for training in trainings if (result := state.result(training)) is not None]
    return [{**record, "config": config_of(training)} for training, result in found for record in result["records"]]


def config_of(training: Training) -> str:
    """The config's name behind that of its folder: ``crichton_2017/stm.cfg``."""
    return "/".join(training.config.parts[-2:])


def write_records(study: Study, state: State) -> None:
    """Write ``records.json`` alone: quickly, as each training ends."""
    write_json(state.runs.out / study.name / "records.json", records_of(study(state), state))


def write_study(study: Study, state: State, plain: bool = False, block: int = 1) -> Path:
    """Write a study's folder and the page of all studies in OUT; return the folder. plain: neither tests nor
    figures. block: see ``State``."""
    state.plain, state.block = plain, block
    folder = write_report(study.report(state), state.runs.out, plots=not plain)
    write_page(state.runs.out)
    return folder
