"""Supervised worker processes: one that is killed, crashes or hangs costs its task an attempt, and the run goes on.

One loop, in the model's thread, hands out small batches over a pipe to each worker and listens for answers and deaths.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from toolkit.core.errors import UsageError
from toolkit.core.job import Feed
from toolkit.models import Model, Runner, Setup, Traits, _batches, _crew
from toolkit.models._crew import MOST_WORKERS, Crew, crew_of
from toolkit.models._dealer import Dealer
from toolkit.models._deaths import Deaths
from toolkit.models._supervised import Worker

BEAT = 0.2
"""Seconds between looks at the feed and the byte counters."""


@contextmanager
def start(setup: Setup) -> Iterator[Runner]:
    """Lend a runner over workers that are up and have loaded the job; raises UsageError if they cannot."""
    with crew_of(setup, _batches.work, [_batches.__name__]) as crew:
        supervisor = _Supervisor(setup, crew)
        supervisor.open()
        yield supervisor.run


def expect(job: Any, client: str | None) -> None:
    """Begin to load what the processes will need."""
    _crew.expect(job, client, [_batches.__name__])


class _Supervisor:
    """The loop that feeds and watches the workers; it never waits for a single one."""

    def __init__(self, setup: Setup, crew: Crew) -> None:
        self._setup, self._crew = setup, crew
        self._dealer = Dealer()
        self._feed: Feed | None = None
        self._deaths = Deaths(setup.task_timeout)

    def open(self) -> None:
        """Start the workers and wait until all are ready."""
        for number in range(min(self._setup.workers, MOST_WORKERS or self._setup.workers)):
            self._crew.start(f"process-{number}")
        while not self._crew.ready:
            self._listen()

    def run(self, feed: Feed) -> None:
        """Run what the feed gives until it is done; a cancelled run kills its workers at once."""
        self._feed = feed
        feed.on_cancel(self._crew.ring)
        while not feed.cancelled:
            self._hand_out(feed)
            self._deaths.judge(feed, self._dealer)
            busy = any(worker.tasks for worker in self._crew.workers)
            if self._dealer.done and not self._deaths.doubtful and not busy:
                return
            self._listen()
            for worker in self._crew.workers:
                if size := worker.newly_received():
                    feed.received(size)

    # What goes out

    def _hand_out(self, feed: Feed) -> None:
        """Give batches to workers with nothing to do, then ahead to those that will soon have nothing."""
        free = [worker for worker in self._crew.workers if worker.ready and not worker.retiring]
        for worker in [worker for worker in free if not worker.batches]:
            if not self._give(worker, feed, ahead=False):
                return
        if self._dealer.deals_ahead:
            for worker in [worker for worker in free if len(worker.batches) == 1]:
                if not self._give(worker, feed, ahead=True):
                    return

    def _give(self, worker: Worker, feed: Feed, *, ahead: bool) -> bool:
        """Send a worker a batch of what there is; return whether there was anything."""
        batch = self._dealer.batch(feed, ahead=ahead)
        if batch:
            worker.send(batch)
        return bool(batch)

    # What comes in

    def _listen(self) -> None:
        """Wait for answers, deaths and the alarm, and deal with them."""
        for worker, message in self._crew.listen(self._until(time.monotonic())):
            if message is None:
                self._bury(worker)
            else:
                self._hear(worker, message)

    def _until(self, now: float) -> float:
        """Return until when to listen; kill workers whose time is over."""
        limit = self._setup.task_timeout
        until = now + BEAT
        if (again := self._dealer.asks_again_at) is not None and self._has_idle():
            until = min(until, again)
        unwanted = self._feed.unwanted if self._feed is not None else ()
        for worker in self._crew.workers:
            if (limit or unwanted) and not worker.overdue and (current := worker.current()):
                task, since = current
                if task.key in unwanted or (limit and now >= since + limit):
                    worker.overdue = task
                    worker.kill()
                until = min(until, since + limit) if limit else until
        return until

    def _has_idle(self) -> bool:
        return any(worker.ready and not worker.batches for worker in self._crew.workers)

    def _hear(self, worker: Worker, message: bytes) -> None:
        assert self._feed is not None  # noqa: S101 - answers come to a run only
        results, memory = pickle.loads(message)  # noqa: S301 - from our own worker
        if isinstance(results, UsageError):
            raise results
        outcomes, untouched = worker.answered(results)
        self._dealer.put_back(untouched)
        for outcome in outcomes:
            self._feed.settle(outcome)
        if outcomes:
            self._deaths.forget()
            self._dealer.learn(outcomes)
        worker.retiring = worker.retiring or worker.grown(memory) > self._setup.recycle_growth
        if worker.retiring and not worker.batches:
            self._crew.retire(worker)
            self._crew.start(worker.name)

    # Who dies

    def _bury(self, worker: Worker) -> None:
        """Take a dead worker away: the task it was on fails, the others it held go to others, another takes its place.

        What it had finished but not sent is done again.
        """
        current = worker.current()
        blamed = self._deaths.examine(worker, current, self._crew.bury(worker), self._feed)
        self._dealer.put_back(task for task in worker.tasks.values() if task is not blamed)
        if not self._dealer.done:
            self._crew.start(worker.name)


MODEL = Model(
    "processes",
    Traits(
        "supervised processes: for computing; a crash costs one task",
        "blocking",
        parallel_cpu=True,
        survives_killed_worker=True,
        stops_overdue=True,
        most_workers=MOST_WORKERS,
    ),
    start,
    expect,
)
