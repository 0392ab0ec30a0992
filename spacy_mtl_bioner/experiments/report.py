"""The results of a comparison as files: records, tables."""

from typing import Any, Dict, List

from .compare import Comparison
from .folder import write_json, write_text
from .queue import State
from .tables import results_table
from .training import Training


def records_of(trainings: List[Training], state: State) -> List[Dict[str, Any]]:
    """Return the records of the finished trainings among these."""
    results = [state.result(training) for training in trainings]
    return [record for result in results if result is not None for record in result["records"]]


def write_comparison(study: Comparison, state: State) -> str:
    """Write ``results.json`` (every record) and ``results.txt``; return the text: the table of the chosen partners
    and, where there was a choice, the table of all."""
    out, wanted = state.runs.out, study(state)
    records = records_of(wanted, state)
    chosen = {(main, system.name): study.chosen(system, main, state) for main in study.mains for system in study.systems}
    main_rows = [r for r in records if (r["corpus"], r["system"]) not in chosen or _is_chosen(r, chosen)]
    text = results_table(main_rows)
    others = [record for record in records if record not in main_rows]
    if others:
        text += f"\nOther partners, at the first seed:\n{results_table(others)}"
    write_json(out / "results.json", records)
    write_text(out / "results.txt", text)
    return text


def _is_chosen(record: Dict[str, Any], chosen: Dict[Any, Any]) -> bool:
    partners = chosen[record["corpus"], record["system"]]
    return partners is not None and set(partners) <= set(record["partners"])
