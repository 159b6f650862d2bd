"""Supervised worker processes: one that is killed, crashes or hangs costs its task an attempt, and the run goes on.

One loop, in the model's thread, hands out small batches over a pipe to each worker and listens for answers and deaths.
"""

from __future__ import annotations

import pickle
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from typing import Any

from toolkit.core.errors import FailureKind, RunStopped, UsageError
from toolkit.core.job import Done, Feed, Wait
from toolkit.core.runtime import overdue
from toolkit.core.task import Failure, Task, Timing, failure_of
from toolkit.models import Model, Runner, Setup, Traits
from toolkit.models._forkserver import serving
from toolkit.models._supervised import Worker, cause_of_death
from toolkit.models._wire import named, pack_job, pack_task
from toolkit.models._worker import Brief, main_script

BATCH_SECONDS = 0.05
"""Work that a batch should hold: enough to hide the pipe, little enough to share out evenly."""
MOST = 64
"""Tasks in a batch."""
QUICK = 0.01
"""Tasks shorter than this, in seconds, are sent ahead: a worker finds its next batch waiting."""
BYTES_AHEAD = 32 * 1024
"""Bytes sent to a worker that is busy: they must fit into the pipe, or both sides would wait for each other."""
BYTES = 1024 * 1024
"""Bytes of a batch, about."""
BEAT = 0.2
"""Seconds between looks at the feed and the byte counters."""
STARTING = 60.0
"""Seconds in which a worker must be ready."""
ENDING = 2.0
"""Seconds that workers may take to end."""
MOST_DEATHS = 3
"""Workers that may die in a row without being on a task."""


@contextmanager
def start(setup: Setup) -> Iterator[Runner]:
    """Lend a runner over workers that are up and have loaded the job; raises UsageError if they cannot."""
    job, modules = pack_job(setup.job)
    main = main_script()
    if "__main__" in modules and not main:
        raise UsageError("worker processes cannot load a job that was typed or piped in: put it into a file")
    brief = Brief("", job, main, setup.client.name, setup.client_options)
    # The user's script is not loaded beforehand: only a worker that needs it runs it.
    modules = ["toolkit.models._alone", "toolkit.models._worker", *(name for name in modules if name != "__main__")]
    if setup.fetches:
        modules.append(f"toolkit.clients.{setup.client.name}")
    with serving(modules) as context:
        supervisor = _Supervisor(setup, context, brief)
        try:
            supervisor.open()
            yield supervisor.run
        finally:
            supervisor.close()


class _Supervisor:
    """The workers, and the loop that feeds and watches them."""

    def __init__(self, setup: Setup, context: BaseContext, brief: Brief) -> None:
        self._setup, self._context, self._brief = setup, context, brief
        self._workers: list[Worker] = []
        self._returned: deque[Task[Any]] = deque()
        self._step: Wait | Done | None = None
        self._feed: Feed | None = None
        self._pace: float | None = None
        self._laned = False
        self._deaths = 0
        self._alarm, self._bell = context.Pipe(duplex=False)

    def open(self) -> None:
        """Start the workers and wait until all are ready."""
        for number in range(self._setup.workers):
            self._workers.append(self._start(f"process-{number}"))
        while not all(worker.ready for worker in self._workers):
            self._listen()

    def run(self, feed: Feed) -> None:
        """Run what the feed gives until it is done; a cancelled run kills its workers at once."""
        self._feed = feed
        feed.on_cancel(self._ring)
        while not feed.cancelled:
            self._hand_out(feed)
            if isinstance(self._step, Done) and not any(worker.tasks for worker in self._workers):
                return
            self._listen()
            for worker in self._workers:
                if size := worker.newly_received():
                    feed.received(size)

    def close(self) -> None:
        """End all workers: those that are busy at once, the others by asking."""
        for worker in self._workers:
            if worker.ready and not worker.tasks:
                worker.dismiss()
            else:
                worker.process.kill()
        ends = time.monotonic() + ENDING
        for worker in self._workers:
            worker.end(max(0.0, ends - time.monotonic()))
        self._workers.clear()
        self._bell.close()
        self._alarm.close()

    def _start(self, name: str) -> Worker:
        return Worker(self._context, replace(self._brief, name=name))

    def _ring(self) -> None:
        with suppress(OSError):  # it is over, and the pipe is closed
            self._bell.send_bytes(b"!")

    # What goes out

    def _hand_out(self, feed: Feed) -> None:
        """Give batches to workers with nothing to do, then ahead to those that will soon have nothing."""
        free = [worker for worker in self._workers if worker.ready and not worker.retiring]
        for worker in [worker for worker in free if not worker.batches]:
            if not self._give(worker, feed, BYTES):
                return
        if self._pace is None or self._pace > QUICK or self._laned:
            return
        for worker in [worker for worker in free if len(worker.batches) == 1]:
            if not self._give(worker, feed, BYTES_AHEAD):
                return

    def _give(self, worker: Worker, feed: Feed, room: int) -> bool:
        """Send a worker a batch of what there is; return whether there was anything."""
        batch: list[tuple[Task[Any], bytes]] = []
        size = max(1, min(MOST, int(BATCH_SECONDS / self._pace))) if self._pace else 1
        while len(batch) < size and room > 0 and (task := self._take(feed)):
            try:
                packed = pack_task(task)
            except Exception as error:
                what = f"the task cannot be sent to a worker process: {named(error)}"
                feed.settle(Failure(task, FailureKind.UNPICKLABLE, what))
                continue
            room -= len(packed)
            if room < 0 and worker.batches:
                self._returned.appendleft(task)
                break
            batch.append((task, packed))
            # The schedule times the starts in a lane: such a task does not wait behind another.
            self._laned = bool(task.lane)
            if self._laned:
                break
        if batch:
            worker.send(batch)
        return bool(batch)

    def _take(self, feed: Feed) -> Task[Any] | None:
        """Return the next task: one that came back, or the feed's; none comes back into a run that is stopped."""
        if not isinstance(self._step, Done):
            step = feed.next()
            if isinstance(step, Task):
                self._returned.append(step)
            else:
                self._step = step
        if isinstance(self._step, Done):
            self._returned.clear()
        return self._returned.popleft() if self._returned else None

    # What comes in

    def _listen(self) -> None:
        """Wait for answers, deaths and the alarm, and deal with them."""
        patience = self._patience(time.monotonic())
        pipes = [worker.connection for worker in self._workers]
        sentinels = [worker.process.sentinel for worker in self._workers]
        heard = wait([*pipes, *sentinels, self._alarm], max(0.0, patience))
        for worker, pipe, sentinel in zip(list(self._workers), pipes, sentinels, strict=True):
            if pipe in heard:
                try:
                    message = pipe.recv_bytes()
                except (EOFError, OSError):
                    self._bury(worker)
                else:
                    self._hear(worker, message)
            elif sentinel in heard:
                self._bury(worker)

    def _patience(self, now: float) -> float:
        """Return how long to listen; kill workers whose time is over."""
        limit = self._setup.task_timeout
        until = now + BEAT
        if isinstance(self._step, Wait) and self._step.until is not None and self._has_idle():
            until = min(until, self._step.until)
        for worker in self._workers:
            if not worker.ready and now > worker.born + STARTING:
                worker.process.kill()
            elif limit and not worker.overdue and (current := worker.current()):
                task, since = current
                if now >= since + limit:
                    worker.overdue = task
                    worker.process.kill()
                until = min(until, since + limit)
        return until - now

    def _has_idle(self) -> bool:
        return any(worker.ready and not worker.batches for worker in self._workers)

    def _hear(self, worker: Worker, message: bytes) -> None:
        if not worker.ready:
            if message:
                raise UsageError(f"the job cannot be loaded in a worker process: {message.decode()}")
            worker.ready = True
            return
        assert self._feed is not None  # noqa: S101 - answers come to a run only
        results, memory = pickle.loads(message)  # noqa: S301 - from our own worker
        if isinstance(results, UsageError):
            raise results
        outcomes, untouched = worker.answered(results)
        self._returned.extend(untouched)
        for outcome in outcomes:
            self._feed.settle(outcome)
        if outcomes:
            self._deaths = 0
            seconds = (outcomes[-1].timing.ended - outcomes[0].timing.started) / len(outcomes)
            self._pace = seconds if self._pace is None else 0.7 * self._pace + 0.3 * seconds
        worker.retiring = worker.retiring or worker.grown(memory) > self._setup.recycle_growth
        if worker.retiring and not worker.batches:
            worker.dismiss()
            worker.end(ENDING)
            self._workers[self._workers.index(worker)] = self._start(worker.name)

    def _bury(self, worker: Worker) -> None:
        """Take a dead worker away: the task it was on fails, the others it held go to others, another takes its place.

        What it had finished but not sent is done again.
        """
        self._workers.remove(worker)
        current, name = worker.current(), worker.name
        why = cause_of_death(worker.end(ENDING))
        blamed = None
        if current is not None and worker.overdue in (None, current[0]):
            blamed = current[0]
            self._fail(blamed, worker, why, current[1])
        self._returned.extendleft(reversed([task for task in worker.tasks if task is not blamed]))
        if blamed is None and worker.overdue is None:
            self._deaths += 1
            if self._deaths >= MOST_DEATHS:
                raise RunStopped(f"{MOST_DEATHS} worker processes in a row died outside a task: {why}")
        if not isinstance(self._step, Done):
            self._workers.append(self._start(name))

    def _fail(self, task: Task[Any], worker: Worker, why: str, since: float) -> None:
        assert self._feed is not None  # noqa: S101 - a task comes from a feed
        timing = Timing(since, time.monotonic(), worker.name)
        if worker.overdue is task:
            self._feed.settle(failure_of(task, overdue(self._setup.task_timeout), timing))
        else:
            self._feed.settle(Failure(task, FailureKind.WORKER_DIED, why, retryable=True, timing=timing))


MODEL = Model(
    "processes",
    Traits(
        "supervised processes: for computing; a crash costs one task",
        "blocking",
        "requests",
        parallel_cpu=True,
        survives_killed_worker=True,
        stops_overdue=True,
    ),
    start,
)
