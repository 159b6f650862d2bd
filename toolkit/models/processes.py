"""Supervised worker processes: one that is killed, crashes or hangs costs its task an attempt, and the run goes on.

One loop, in the model's thread, hands out small batches over a pipe to each worker and listens for answers and deaths.
"""

from __future__ import annotations

import atexit
import pickle
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from typing import Any

from toolkit.core.errors import RunStopped, UsageError
from toolkit.core.job import Feed
from toolkit.models import Model, Runner, Setup, Traits, rates_of
from toolkit.models._dealer import Dealer
from toolkit.models._deaths import Deaths
from toolkit.models._forkserver import serving
from toolkit.models._supervised import Worker
from toolkit.models._wire import pack_job
from toolkit.models._worker import Brief, main_script

BEAT = 0.2
"""Seconds between looks at the feed and the byte counters."""
STARTING = 60.0
"""Seconds in which a worker must be ready."""
MOST_WORKERS = 31 if sys.platform == "win32" else None
"""Windows waits for 63 things at once: two for each worker, and the alarm."""
ENDING = 2.0
"""Seconds that workers may take to end."""


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
        memory: Any = context  # its arrays, which types do not know
        rates = rates_of(setup, cells=lambda size: memory.RawArray("d", size), lock=context.Lock)
        brief = replace(brief, rates=rates)
        supervisor = _Supervisor(setup, context, brief)
        atexit.register(supervisor.kill)  # before multiprocessing's own, which asks them to end and waits for it
        try:
            supervisor.open()
            yield supervisor.run
        finally:
            supervisor.close()
            atexit.unregister(supervisor.kill)


class _Supervisor:
    """The workers, and the loop that feeds and watches them; it never waits for a single one."""

    def __init__(self, setup: Setup, context: BaseContext, brief: Brief) -> None:
        self._setup, self._context, self._brief = setup, context, brief
        self._workers: list[Worker] = []
        self._ending: list[Worker] = []
        self._starting = threading.Lock()
        self._over = False
        self._dealer = Dealer()
        self._feed: Feed | None = None
        self._deaths = Deaths(setup.task_timeout)
        self._alarm, self._bell = context.Pipe(duplex=False)

    def open(self) -> None:
        """Start the workers and wait until all are ready."""
        for number in range(min(self._setup.workers, MOST_WORKERS or self._setup.workers)):
            self._start(f"process-{number}")
        while not all(worker.ready for worker in self._workers):
            self._listen()

    def run(self, feed: Feed) -> None:
        """Run what the feed gives until it is done; a cancelled run kills its workers at once."""
        self._feed = feed
        feed.on_cancel(self._ring)
        while not feed.cancelled:
            self._hand_out(feed)
            self._deaths.judge(feed, self._dealer)
            if self._dealer.done and not self._deaths.doubtful and not any(worker.tasks for worker in self._workers):
                return
            self._listen()
            for worker in self._workers:
                if size := worker.newly_received():
                    feed.received(size)

    def close(self) -> None:
        """End all workers: those that are busy at once, the others by asking."""
        with ExitStack() as all_of_it:  # whatever fails, the rest is done
            all_of_it.callback(self._alarm.close)
            all_of_it.callback(self._bell.close)
            ends = time.monotonic() + ENDING
            for worker in (*self._ending, *self._workers):
                all_of_it.callback(lambda each: each.end(max(0.0, ends - time.monotonic())), worker)
            for worker in self._workers:
                all_of_it.callback(worker.kill if worker.tasks or not worker.ready else worker.dismiss)
            self._workers, self._ending = [], []

    def kill(self) -> None:
        """Kill all workers, and start no other; for the end of a program that has not closed its run."""
        with self._starting:
            self._over = True
            for worker in (*self._workers, *self._ending):
                with suppress(OSError, ValueError):
                    worker.kill()

    def _start(self, name: str) -> None:
        with self._starting:
            if self._over:
                raise RunStopped("the program ends")
            try:
                self._workers.append(Worker(self._context, replace(self._brief, name=name)))
            except (OSError, EOFError) as error:
                raise RunStopped(f"a worker process cannot be started ({error}): use fewer workers") from error

    def _ring(self) -> None:
        with suppress(OSError):  # it is over, and the pipe is closed
            self._bell.send_bytes(b"!")

    # What goes out

    def _hand_out(self, feed: Feed) -> None:
        """Give batches to workers with nothing to do, then ahead to those that will soon have nothing."""
        free = [worker for worker in self._workers if worker.ready and not worker.retiring]
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
        now = time.monotonic()
        for worker in [worker for worker in self._ending if worker.has_ended() or now >= worker.ends_at]:
            self._ending.remove(worker)
            worker.end(0.0)

    def _patience(self, now: float) -> float:
        """Return how long to listen; kill workers whose time is over."""
        limit = self._setup.task_timeout
        until = now + BEAT
        if (again := self._dealer.asks_again_at) is not None and self._has_idle():
            until = min(until, again)
        for worker in self._workers:
            if not worker.ready and now > worker.born + STARTING:
                worker.kill()
            elif limit and not worker.overdue and (current := worker.current()):
                task, since = current
                if now >= since + limit:
                    worker.overdue = task
                    worker.kill()
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
        self._dealer.put_back(untouched)
        for outcome in outcomes:
            self._feed.settle(outcome)
        if outcomes:
            self._deaths.forget()
            self._dealer.learn(outcomes)
        worker.retiring = worker.retiring or worker.grown(memory) > self._setup.recycle_growth
        if worker.retiring and not worker.batches:
            self._retire(worker)

    def _retire(self, worker: Worker) -> None:
        """Let a worker end by itself, beside the others, and start another."""
        worker.dismiss()
        worker.ends_at = time.monotonic() + ENDING
        self._ending.append(worker)  # first, for kill() must find it in either
        self._workers.remove(worker)
        self._start(worker.name)

    # Who dies

    def _bury(self, worker: Worker) -> None:
        """Take a dead worker away: the task it was on fails, the others it held go to others, another takes its place.

        What it had finished but not sent is done again.
        """
        self._workers.remove(worker)
        current = worker.current()
        blamed = self._deaths.examine(worker, current, worker.end(ENDING), self._feed)
        self._dealer.put_back(task for task in worker.tasks if task is not blamed)
        if not self._dealer.done:
            self._start(worker.name)


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
)
