"""An event loop in each of several processes: many waits at once, and a processor for each loop to compute on.

The schedule alone says what may start. This side hands it out in batches, keeps hosts together, and settles what comes
back; a worker is only a place to run: it starts at once what it gets, and computes in its loop what is quick (_calls).
"""

from __future__ import annotations

import pickle
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from toolkit.core.cpus import usable_cpus
from toolkit.core.errors import UsageError
from toolkit.core.job import Feed
from toolkit.core.loops import Computed, Lag, summed
from toolkit.models import Model, Runner, Setup, Traits, _crew, _looping
from toolkit.models._calls import computed
from toolkit.models._crew import MOST_WORKERS, Crew, crew_of
from toolkit.models._dealer import BYTES, Batch, Dealer, Dealt
from toolkit.models._deaths import Deaths
from toolkit.models._spread import Spread
from toolkit.models._supervised import Worker
from toolkit.models._suspects import Suspects
from toolkit.models._worker import LAG

BEAT = 0.2
"""Seconds between looks at the feed and the byte counters."""
GRACE = 1.0
"""Seconds beyond a task's limit for which a loop may not come round: it stops overdue tasks itself, if it can."""


@contextmanager
def start(setup: Setup) -> Iterator[Runner]:
    """Lend a runner over processes whose loops are ready and have the job; raises UsageError if they cannot have it."""
    with crew_of(setup, _looping.work, [_looping.__name__]) as crew:
        supervisor = _Supervisor(setup, crew)
        supervisor.open()
        yield supervisor.run


def expect(job: Any, client: str | None) -> None:
    """Begin to load what the processes will need."""
    _crew.expect(job, client, [_looping.__name__])


class _Supervisor:
    """The loop that feeds and watches the workers; it never waits for a single one."""

    def __init__(self, setup: Setup, crew: Crew) -> None:
        self._setup, self._crew = setup, crew
        self._feed: Feed | None = None
        self._dealer = Dealer()
        self._spread = Spread()
        self._deaths = Deaths(setup.task_timeout)
        self._suspects = Suspects()
        self._alone: deque[Dealt] = deque()
        self._hung: set[Worker] = set()
        self._lag, self._computed = Lag(), tuple[Computed, ...]()

    def open(self) -> None:
        """Start the workers and wait until all are ready."""
        count = min(usable_cpus(), self._setup.workers)
        for number in range(min(count, MOST_WORKERS or count)):
            self._crew.start(f"loop-{number}")
        while not self._crew.ready:
            self._listen()

    def run(self, feed: Feed) -> None:
        """Run what the feed gives until it is done; a cancelled run kills its workers at once."""
        self._feed = feed
        feed.on_cancel(self._crew.ring)
        try:
            self._supervise(feed)
        finally:
            for worker in self._crew.workers:
                self._note(worker)
            feed.looped(self._lag, self._computed)

    def _supervise(self, feed: Feed) -> None:
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

    def _note(self, worker: Worker) -> None:
        """Add up what a worker's loop has noted of itself, before it goes."""
        noted = worker.noted
        self._lag.add(noted, LAG)
        self._computed = summed([*self._computed, *computed(noted)])

    # What goes out

    def _hand_out(self, feed: Feed) -> None:
        """Give workers all that may start now."""
        free = {worker.name: worker for worker in self._crew.workers if worker.ready and not worker.retiring}
        if self._suspects:
            self._isolate(free)
        held = {name: len(worker.tasks) for name, worker in free.items()}
        batches: dict[str, Batch] = {name: [] for name in free}
        room, size = self._room, 0
        while held and room > 0 and size < BYTES and (dealt := self._dealer.deal(feed)):
            task, packed = dealt
            if self._suspects.must_be_alone(task):
                self._alone.append(dealt)
                continue
            name = self._spread.choose(task.lane, held)
            batches[name].append(dealt)
            held[name] += 1
            size += len(packed)
            room -= 1
        for name, batch in batches.items():
            if batch:
                free[name].send(batch)

    def _isolate(self, free: dict[str, Worker]) -> None:
        """Give the next suspect a worker of its own as soon as one has nothing to do, and keep others away from it."""
        for name, worker in free.items():
            if any(self._suspects.must_be_alone(task) for task in worker.tasks.values()):
                del free[name]
                return
        if self._dealer.done:  # nothing is started any more
            self._alone.clear()
        if self._alone and free:
            name = min(free, key=lambda name: len(free[name].tasks))
            worker = free.pop(name)
            if not worker.tasks:
                worker.send([self._alone.popleft()])

    @property
    def _room(self) -> int:
        """How many more tasks may run at once."""
        return self._setup.workers - sum(len(worker.tasks) for worker in self._crew.workers)

    # What comes in

    def _listen(self) -> None:
        """Wait for results, deaths and the alarm, and deal with them."""
        heard = self._crew.listen(self._until(time.monotonic()))
        for worker, message in heard:
            if message is None:
                self._bury(worker)
            else:
                self._hear(worker, message)
        if self._setup.task_timeout is not None:
            speaking = [worker for worker, _ in heard]  # who could not speak as long as nobody listened is not hung
            self._kill_hung([worker for worker in self._crew.workers if worker not in speaking])

    def _until(self, now: float) -> float:
        """Return until when to listen."""
        again = self._dealer.asks_again_at
        return now + BEAT if again is None or self._room <= 0 else min(now + BEAT, again)

    def _hear(self, worker: Worker, message: bytes) -> None:
        assert self._feed is not None  # noqa: S101 - answers come to a run only
        read, results, memory, spoiled = pickle.loads(message)  # noqa: S301 - from our own worker
        if isinstance(results, UsageError):
            raise results
        outcomes = worker.finished(read, results)
        for outcome in outcomes:
            self._spread.ended(outcome.task.lane)
            self._suspects.clear(outcome.task)
            self._feed.settle(outcome)
        if outcomes:
            self._deaths.forget()
        if not worker.retiring and (spoiled or worker.grown(memory) > self._setup.recycle_growth):
            worker.retiring = True  # it ends what it has, while another takes its place
            self._crew.start(worker.name)
        if worker.retiring and not worker.tasks:
            self._note(worker)
            self._crew.retire(worker)

    # Who hangs, and who dies

    def _kill_hung(self, workers: list[Worker]) -> None:
        """Kill workers whose loop has not come round for longer than a task may take."""
        assert self._setup.task_timeout is not None  # noqa: S101 - the caller has looked
        ends = time.monotonic() - self._setup.task_timeout - GRACE
        for worker in workers:
            if worker.tasks and worker.last_round < ends:
                self._hung.add(worker)
                worker.kill()

    def _bury(self, worker: Worker) -> None:
        """Take a dead worker away, and put another in its place.

        The task that it was busy with fails. The others, and all where nobody knows which it was, are done again.
        """
        self._note(worker)
        since, suspects = worker.last_round, worker.suspects()
        code = self._crew.bury(worker)
        blamed = None
        if worker in self._hung:
            self._hung.remove(worker)
            worker.overdue = suspects[0]
        if len(suspects) > 1 and code is not None:
            self._suspects.note(suspects)
        else:
            current = (suspects[0], since) if suspects else None
            blamed = self._deaths.examine(worker, current, code, self._feed)
        for task in worker.tasks.values():
            self._spread.ended(task.lane)
        self._dealer.put_back(task for task in worker.tasks.values() if task is not blamed)
        if not self._dealer.done and not worker.retiring:
            self._crew.start(worker.name)


MODEL = Model(
    "hybrid",
    Traits(
        "an event loop in each of several processes: for many waits and for computing",
        "async",
        parallel_cpu=True,
        survives_killed_worker=True,
        stops_overdue=True,
    ),
    start,
    expect,
)
