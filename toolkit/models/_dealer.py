"""What goes to worker processes: tasks in batches, large enough to hide the pipe and small enough to be shared out.

It also keeps what came back from workers, and what the feed said last.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from toolkit.core.errors import FailureKind
from toolkit.core.job import Done, Feed, Wait
from toolkit.core.task import Failure, Outcome, Task
from toolkit.models._wire import named, pack_task

BATCH_SECONDS = 0.05
"""Work that a batch should hold: enough to hide the pipe, little enough to share out evenly."""
MOST = 64
"""Tasks in a batch."""
QUICK = 0.01
"""Tasks shorter than this, in seconds, are sent ahead: a worker finds its next batch waiting."""
BYTES = 1024 * 1024
"""Bytes of a batch, about."""
BYTES_AHEAD = 32 * 1024
"""The same for a worker that is busy: most of it should find room in the pipe."""

Dealt = tuple[Task[Any], bytes]
"""A task with its packed form."""
Batch = list[Dealt]


class Dealer:
    """Deals tasks out."""

    def __init__(self) -> None:
        self._returned: deque[Task[Any]] = deque()
        self._step: Wait | Done | None = None
        self._pace: float | None = None
        self._laned = False

    @property
    def done(self) -> bool:
        """Whether nothing more is to be started."""
        return isinstance(self._step, Done)

    @property
    def stopped(self) -> bool:
        """Whether the run was stopped: what has not ended is left for another."""
        return isinstance(self._step, Done) and bool(self._step.reason)

    @property
    def asks_again_at(self) -> float | None:
        """Return when the feed wants to be asked again (monotonic seconds), if it said so."""
        return self._step.until if isinstance(self._step, Wait) else None

    @property
    def deals_ahead(self) -> bool:
        """Whether tasks are so short that a worker should find its next batch waiting."""
        return self._pace is not None and self._pace <= QUICK and not self._laned

    def batch(self, feed: Feed, *, ahead: bool) -> Batch:
        """Return what one worker is to get, or nothing."""
        batch: Batch = []
        size = max(1, min(MOST, int(BATCH_SECONDS / self._pace))) if self._pace else 1
        room = BYTES_AHEAD if ahead else BYTES
        while len(batch) < size and room > 0 and (dealt := self.deal(feed)):
            task, packed = dealt
            room -= len(packed)
            if room < 0 and ahead:
                self._returned.appendleft(task)
                break
            batch.append(dealt)
            # The schedule times the starts in a lane: such a task does not wait behind another.
            self._laned = bool(task.lane)
            if self._laned:
                break
        return batch

    def deal(self, feed: Feed) -> Dealt | None:
        """Return the next task, or None; one that cannot be packed fails here."""
        while task := self._take(feed):
            try:
                return task, pack_task(task)
            except Exception as error:
                what = f"the task cannot be sent to a worker process: {named(error)}"
                feed.settle(Failure(task, FailureKind.UNPICKLABLE, what))
        return None

    def ask(self, feed: Feed) -> None:
        """Ask the feed for its next step, and keep it."""
        if not self.done:
            step = feed.next()
            if isinstance(step, Task):
                self._returned.append(step)
            else:
                self._step = step
        if self.done:
            self._returned.clear()  # none comes back into a run that is stopped

    def put_back(self, tasks: Iterable[Task[Any]]) -> None:
        """Take tasks that were not begun; they come first again, in this order."""
        self._returned.extendleft(reversed(list(tasks)))

    def learn(self, outcomes: Sequence[Outcome]) -> None:
        """Learn how long tasks take."""
        seconds = (outcomes[-1].timing.ended - outcomes[0].timing.started) / len(outcomes)
        self._pace = seconds if self._pace is None else 0.7 * self._pace + 0.3 * seconds

    def _take(self, feed: Feed) -> Task[Any] | None:
        """Return the next task: one that came back, or the feed's."""
        self.ask(feed)
        return self._returned.popleft() if self._returned else None
