"""What a job puts beside its output: files and a folder that are named after it."""

from pathlib import Path

JOB, LOCK, ERRORS, SUMMARY = ".job", ".lock", ".errors.jsonl", ".summary.json"
ALL = ("", JOB, LOCK, ERRORS, SUMMARY)
"""What an output's name is followed by in the names of all that a job makes."""


def companion(output: Path, ending: str) -> Path:
    """The path beside an output with one of these endings."""
    return output.with_name(output.name + ending)
