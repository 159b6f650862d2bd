"""Who is to blame when a worker process dies: the task it was on, nobody, or whoever stops the whole run."""

from __future__ import annotations

import signal
import time
from collections import deque
from typing import Any

from toolkit.core.errors import FailureKind, RunStopped
from toolkit.core.job import Feed
from toolkit.core.runtime import overdue
from toolkit.core.task import Failure, Task, Timing, failure_of
from toolkit.models._dealer import Dealer
from toolkit.models._supervised import Worker

TOLD_TO_END = (-signal.SIGTERM, -signal.SIGINT)
"""Exit codes of workers that a signal told to end. Sent to the whole process group, it has stopped the run as well."""
DOUBT = 0.3
"""Seconds in which the run must turn out to be stopped, or the death of such a worker is its task's failure."""
MOST = 3
"""Workers that may die in a row without being on a task."""


class Deaths:
    """The deaths in one run. limit: seconds that a task may take, or None."""

    def __init__(self, limit: float | None) -> None:
        self._limit = limit
        self._doubts: deque[tuple[float, Failure]] = deque()
        self._in_a_row = 0
        self._lost_server: int | None = None

    @property
    def doubtful(self) -> bool:
        """Whether there is a task that is not settled yet, of a worker that was told to end."""
        return bool(self._doubts)

    def examine(
        self, worker: Worker, current: tuple[Task[Any], float] | None, code: int | None, feed: Feed | None
    ) -> Task[Any] | None:
        """Settle the task that is to blame, now or later, and return it; current: what the worker was on, since when.

        Raises RunStopped if too many die in a row with no task to blame.
        """
        if code is not None and current is not None and worker.overdue in (None, current[0]):
            assert feed is not None  # noqa: S101 - a task comes from a feed
            self._blame(worker, current, code, feed)
            return current[0]
        if worker.overdue is None:
            self._count(worker, code)
        return None

    def judge(self, feed: Feed, dealer: Dealer) -> None:
        """Settle what workers were on that were told to end, unless the run has been stopped, too: then it is left."""
        if not self._doubts or self._doubts[0][0] > time.monotonic():
            return
        dealer.ask(feed)
        if dealer.stopped or feed.cancelled:
            self._doubts.clear()
        else:
            feed.settle(self._doubts.popleft()[1])

    def forget(self) -> None:
        """Begin to count anew: tasks do end."""
        self._in_a_row = 0

    def _blame(self, worker: Worker, current: tuple[Task[Any], float], code: int, feed: Feed) -> None:
        task, since = current
        timing = Timing(since, time.monotonic(), worker.name)
        if worker.overdue is task:
            feed.settle(failure_of(task, overdue(self._limit), timing))
            return
        failure = Failure(task, FailureKind.WORKER_DIED, cause_of_death(code), retryable=True, timing=timing)
        if code in TOLD_TO_END:
            self._doubts.append((time.monotonic() + DOUBT, failure))
        else:
            feed.settle(failure)

    def _count(self, worker: Worker, code: int | None) -> None:
        """Count a death that no task is to blame for; that of a fork server is one, however many workers it had."""
        if code is not None or worker.server != self._lost_server:
            self._in_a_row += 1
        if code is None:
            self._lost_server = worker.server
        if self._in_a_row >= MOST:
            raise RunStopped(f"{MOST} worker processes in a row died outside a task: {cause_of_death(code)}")


def cause_of_death(code: int | None) -> str:
    """Return in words what an exit code says."""
    if code is None:
        return "the process that starts the worker processes died"
    if code >= 0:
        return f"its worker process ended itself with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = _HINTS.get(name)
    return f"its worker process was killed by {name}" + (f" ({hint})" if hint else "")


_HINTS = {
    "SIGKILL": "out of memory?",
    "SIGSEGV": "a crash in C code",
    "SIGBUS": "a crash in C code, or a file that shrank",
    "SIGABRT": "an abort in C code",
    "SIGFPE": "a crash in C code",
    "SIGILL": "a crash in C code",
}
