"""Plain threads that pull from the feed: for waiting, and for C code that lets other threads run meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from toolkit.core.errors import RunStopped
from toolkit.core.job import Done, Feed, Wait
from toolkit.core.runtime import BlockingRuntime, Cancelled
from toolkit.models import Model, Runner, Setup, Traits, blocking_runtime, rates_of

LINGER = 2.0
"""Seconds that a cancelled run waits for threads that are busy in C code, which nothing can stop."""


@contextmanager
def start(setup: Setup) -> Iterator[Runner]:
    """Lend a runner that starts threads as work needs them, and returns when all have ended."""

    def run(feed: Feed) -> None:
        _Crew(setup, feed).work()

    yield run


class _Crew:
    """The threads of a run: while all are busy another comes, up to the workers that are allowed.

    It is the model's own thread that starts them: would one that is about to work start the next, which does the same,
    all would be there before any of them had come to an end.
    """

    def __init__(self, setup: Setup, feed: Feed) -> None:
        self._setup, self._feed = setup, feed
        self._rates = rates_of(setup)
        self._threads: list[threading.Thread] = []
        self._busy: set[str] = set()
        self._most = setup.workers
        self._short = threading.Event()
        self._ended: list[str] = []
        self._faults: list[BaseException] = []

    def work(self) -> None:
        """Work until the feed is done; raises what a thread raised, once all have ended."""
        self._hire()
        while len(self._ended) < len(self._threads) and not self._feed.cancelled:
            if self._short.wait(0.5):
                self._short.clear()
                self._hire()
        ends = time.monotonic() + LINGER
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, ends - time.monotonic()))
        if self._faults:
            raise self._faults[0]

    def _hire(self) -> None:
        """Start another thread if all are busy and it is allowed; do without if this machine has no more."""
        number = len(self._threads)
        if len(self._busy) < number or number >= self._most or self._faults:
            return
        # A daemon, so that a thread that cannot be stopped does not keep a cancelled program alive.
        thread = threading.Thread(target=self._run, args=(f"thread-{number}",), name=f"toolkit-{number}", daemon=True)
        self._threads.append(thread)
        try:
            thread.start()
        except (RuntimeError, MemoryError) as error:
            self._threads.pop()
            self._most = number
            if not number:
                raise RunStopped(f"no thread can be started ({error}): end other programs first") from error

    def _run(self, name: str) -> None:
        """Work until the feed is done, or a thread has a fault: then the run is over, and no other goes on."""
        try:
            with closing(blocking_runtime(self._setup, self._feed, self._rates)) as runtime:
                self._feed.on_cancel(runtime.abort)
                self._pull(runtime, name)
        except Cancelled:
            pass  # the task is left for the next run
        except BaseException as error:  # handed to the thread that waits, which raises it
            self._faults.append(error)
            self._feed.wake()
        finally:
            self._ended.append(name)
            self._short.set()

    def _pull(self, runtime: BlockingRuntime, name: str) -> None:
        feed, job, busy, threads = self._feed, self._setup.job, self._busy, self._threads
        step = feed.next()
        while not isinstance(step, Done) and not self._faults:
            if isinstance(step, Wait):
                if feed.scarce:
                    runtime.close()
                feed.wait(step)
                step = feed.next()
                continue
            busy.add(name)
            if len(busy) == len(threads) < self._most:
                self._short.set()
            outcome = runtime.perform(job, step, name)
            busy.discard(name)
            step = feed.next(outcome)


MODEL = Model("threads", Traits("threads: for waiting, and for C code that frees the GIL", "blocking"), start)
