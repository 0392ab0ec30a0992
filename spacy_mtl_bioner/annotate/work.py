"""One chunk's work: parse, tag, write its part of the output. It runs where the pipeline is loaded, in any process."""

import gc
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Callable, List, Mapping, Optional, Sequence, Tuple, Union

from ..errors import E354, E356, MTLError
from ..types import Document
from .annotator import Annotator
from .chunks import Chunk, document_of_record
from .formats import get_writer
from .records import REPEATED, Annotated, Failure
from .reports import COUNTS, Report, Settings, disk_error

ZONE = 1 << 18
"""Tokens after which spaCy forgets the word forms that it met: seldom enough to know most words of a chunk already."""

Announce = Callable[[int], None]
Result = Union[Annotated, Failure]


class Worker:
    """Does chunks with a pipeline of its own, in memory that does not grow (``nlp.memory_zone``)."""

    def __init__(self, settings: Settings) -> None:
        """Load the pipeline; raises as ``Annotator`` does."""
        import torch

        torch.set_num_threads(settings.threads)
        self.columns = settings.columns
        self.writer = get_writer(settings.format)
        self.annotator = Annotator(settings.model, keep_docs=self.writer.keep_docs, **vars(settings.options))
        self._zone, self._tokens = ExitStack(), ZONE
        gc.collect()
        gc.freeze()  # the pipeline stays: looking through it again and again was a quarter of what is not the model

    def __call__(
        self, chunk: Chunk, part: Path, *, deadly: Mapping[int, str] = {}, announce: Optional[Announce] = None
    ) -> Report:
        """Write the chunk's part and tell what became of it.

        deadly: numbers of records at which a process died before, and how: they fail unseen (MTL356). announce: is
        called with the number of each record before it is tagged, each alone; None: the chunk is one batch. A
        document that the format cannot hold fails alone (MTL354).
        RAISES (MTLError): MTL353 where the part cannot be written.
        """
        began = time.perf_counter()
        found: List[Union[Document, Failure]] = [document_of_record(record, self.columns) for record in chunk.records]
        for number, fate in deadly.items():
            found[number] = Failure(found[number].id, E356(reason=fate))
        self._fresh_zone()
        data, results = self._written(_told_apart(self._tagged(found, announce), chunk.repeated))
        tagged = [result for result in results if isinstance(result, Annotated)]
        try:
            part.write_bytes(data)
        except OSError as error:
            raise disk_error(part, error) from error
        report = _report(chunk, part, tagged, [result for result in results if isinstance(result, Failure)])
        self._tokens += report.counts["tokens"]
        return report._replace(seconds=time.perf_counter() - began)

    def close(self) -> None:
        """Leave the memory zone, for whoever goes on with the pipeline."""
        self._zone.close()
        self._tokens = ZONE
        gc.unfreeze()

    def _fresh_zone(self) -> None:
        if self._tokens >= ZONE:
            self._zone.close()
            self._zone.enter_context(self.annotator.nlp.memory_zone())
            self._tokens = 0

    def _written(self, results: List[Result]) -> Tuple[bytes, List[Result]]:
        """The part, and the results with a failure in the place of each document that cannot be written."""
        try:
            return self._part(results), results
        except MTLError:
            raise
        except Exception:
            results = [self._held(result) for result in results]
            return self._part(results), results

    def _part(self, results: Sequence[Result]) -> bytes:
        tagged = [result for result in results if isinstance(result, Annotated)]
        return self.writer.part(tagged) if tagged else b""

    def _held(self, result: Result) -> Result:
        try:
            self._part([result])
        except Exception as error:  # whatever the format's library raises
            return Failure(result.id, E354(kind=type(error).__name__, reason=error))
        return result

    def _tagged(
        self, found: Sequence[Union[Document, Failure]], announce: Optional[Announce]
    ) -> List[Result]:
        """A result for each, in order."""
        if announce is None:
            tagged = iter(self.annotator.annotate([item for item in found if isinstance(item, Document)]))
            return [item if isinstance(item, Failure) else next(tagged) for item in found]
        results: List[Result] = []
        for number, item in enumerate(found):
            announce(number)
            results += [item] if isinstance(item, Failure) else self.annotator.annotate([item])
        return results


def _told_apart(results: List[Result], repeated: Mapping[int, str]) -> List[Result]:
    """The results, those whose id stood before with what goes behind it; an id that is reported as failed stays."""
    for number, behind in repeated.items():
        result = results[number]
        if isinstance(result, Annotated):
            result.id += behind
            result.problems[REPEATED] = 1
    return results


def _report(chunk: Chunk, part: Path, tagged: List[Annotated], failures: List[Failure]) -> Report:
    labels = Counter(entity.shown for document in tagged for entity in document.entities)
    problems: Counter = Counter()
    for document in tagged:
        problems.update(document.problems)
    characters = sum(len(document.text) for document in tagged)
    tokens = sum(document.tokens for document in tagged)
    counts = dict(zip(COUNTS, (len(tagged), len(failures), characters, tokens)))
    return Report(chunk.index, chunk.checksum, part, counts, dict(labels), dict(problems), tuple(failures), 0.0)
