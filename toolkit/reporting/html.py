"""The run report as one web page that needs nothing else: `--report FILE.html`.

In memory are at most MOST_ROWS tasks of each sort and twice MOST_PAIRS pairs of pictures, however many there were.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from toolkit.core.errors import TaskError, UsageError
from toolkit.core.task import Failure, Outcome, Skip, Success
from toolkit.reporting import Event, RunFinished, TaskSettled
from toolkit.reporting._gallery import Shown
from toolkit.reporting._page import Row, page
from toolkit.storage import atomic_write

MOST_ROWS = 2_000
"""Tasks that are named on the page; those that failed come first."""
MOST_PAIRS = 60
"""Pictures that are shown before and after, spread evenly over the run."""
SIDE = 360
"""Pixels of a shown picture's longer side."""
PATIENCE = 30.0
"""Seconds after which no more pictures are made small: the page is waited for."""
ENDINGS = (".html", ".htm")

Pair = Mapping[str, Any]
"""What an app tells of one result: "name", the paths "before" and "after", and "facts", which are words of _gallery."""
Gallery = Callable[[Outcome], Pair | None]
Thumbnail = Callable[[str, int], bytes]
"""From a path and the longest side in pixels to a JPEG; raises TaskError."""


class HtmlReporter:
    """Collects what is to be told, and writes the page when the run is over."""

    def __init__(self, path: Path) -> None:
        """Write nothing yet; raises UsageError for a place or ending that cannot be."""
        check_place(path)
        self._path = path
        self._failed: list[Row] = []
        self._others: list[Row] = []
        self._sample = _Sample(None)
        self._thumbnail: Thumbnail | None = None

    def illustrate(self, gallery: Gallery | None, thumbnail: Thumbnail | None) -> None:
        """Show results as pictures; gallery and thumbnail are what an app has that makes some."""
        self._sample = _Sample(gallery if thumbnail else None)
        self._thumbnail = thumbnail

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if isinstance(event, TaskSettled) and event.retry_in is None:
            self._note(event.outcome)
        elif isinstance(event, RunFinished):
            rows = [*self._failed, *self._others][:MOST_ROWS]
            ended = event.summary.total - event.summary.left
            pairs = [*self._pairs()]
            try:
                with atomic_write(self._path) as file:
                    text = page(event.summary, rows, ended, pairs, self._sample.seen)
                    file.writelines(part.encode("utf-8", "replace") for part in text)
            except TaskError as error:  # what a disk refuses is a report that could not be written
                raise OSError(error.message) from error

    def _note(self, outcome: Outcome) -> None:
        rows = self._failed if isinstance(outcome, Failure) else self._others
        if len(rows) < MOST_ROWS:
            rows.append(_row(outcome))
        if isinstance(outcome, Success):
            self._sample.offer(outcome)

    def _pairs(self) -> Iterator[Shown]:
        started = time.monotonic()
        for pair in self._sample.pairs():
            if time.monotonic() - started > PATIENCE:
                return
            before, after = (self._small(str(pair[which])) for which in ("before", "after"))
            yield Shown(str(pair["name"]), before, after, pair["facts"])

    def _small(self, path: str) -> bytes | str:
        assert self._thumbnail is not None  # noqa: S101 - there are no pairs without it
        try:
            return self._thumbnail(path, SIDE)
        except TaskError as error:
            return error.message
        except MemoryError:
            return "out of memory"


class _Sample:
    """An even sample of results, whose number nobody knows before the end: each time it is full, half of it goes."""

    def __init__(self, gallery: Gallery | None) -> None:
        self._gallery, self._pairs, self._stride = gallery, list[Pair](), 1
        self.seen = 0

    def offer(self, outcome: Outcome) -> None:
        """Take a result, or pass it by."""
        if self._gallery is None:
            return
        if self.seen % self._stride == 0 and (pair := self._gallery(outcome)):
            self._pairs.append(pair)
            if len(self._pairs) == 2 * MOST_PAIRS:
                self._pairs, self._stride = self._pairs[::2], 2 * self._stride
        self.seen += 1

    def pairs(self) -> list[Pair]:
        """Return at most MOST_PAIRS of them, in the order in which they came."""
        many = len(self._pairs)
        return self._pairs if many <= MOST_PAIRS else [self._pairs[n * many // MOST_PAIRS] for n in range(MOST_PAIRS)]


def check_place(path: Path) -> None:
    """Raise UsageError unless a page can be written there; missing folders are made when the run is over."""
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(f"--report {path}: end it in .html")
    if path.is_dir():
        raise UsageError(f"--report {path}: this is a folder")
    above = next(place for place in path.absolute().parents if os.path.lexists(place))
    if not above.is_dir():
        raise UsageError(f"--report {path}: {above} is no folder")
    if not os.access(above, os.W_OK):
        raise UsageError(f"--report {path}: it cannot be written there")


def _row(outcome: Outcome) -> Row:
    task, seconds = outcome.task, outcome.timing.seconds
    if isinstance(outcome, Failure):
        return Row(task.key, "failed", f"{outcome.kind.value}: {outcome.message}", 0, seconds, task.attempt)
    if isinstance(outcome, Skip):
        return Row(task.key, "skipped", outcome.reason, 0, seconds, task.attempt)
    note, size = "; ".join(getattr(outcome.value, "warnings", ())), getattr(outcome.value, "bytes", 0)
    return Row(task.key, "done", note, size, seconds, task.attempt)
