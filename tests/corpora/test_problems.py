"""The collector of problems: raise or count, and never in silence."""

import logging

import pytest

from spacy_mtl_bioner.corpora.problems import Problems
from spacy_mtl_bioner.errors import E003, MTLError

MESSAGE = E003(path="x.tsv", expected="sentences")


def test_raise():
    with pytest.raises(MTLError, match=r"^\[MTL003\] x.tsv"):
        Problems().error(MESSAGE)


def test_skip_logs_and_counts(caplog):
    problems = Problems("skip")
    with caplog.at_level(logging.WARNING, "spacy_mtl_bioner"):
        problems.error(MESSAGE)
        problems.error(MESSAGE)
        problems.warn("identical document", "document 7 again")
    assert caplog.messages == [f"left out: {MESSAGE}", f"left out: {MESSAGE}", "document 7 again"]
    assert problems.summary() == "left out 2 (MTL003: 2); warnings 1 (identical document: 1)"


def test_nothing_to_say():
    assert Problems().summary() == ""


def test_unknown_mode():
    with pytest.raises(ValueError, match="ignore"):
        Problems("ignore")
