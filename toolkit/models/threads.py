"""Plain threads that pull from the feed: for waiting, and for C code that lets other threads run meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from toolkit.core.errors import UsageError
from toolkit.core.job import Done, Feed, Wait
from toolkit.core.runtime import Cancelled
from toolkit.models import Model, Runner, Setup, Traits, blocking_runtime

LINGER = 2.0
"""Seconds that a cancelled run waits for threads that are busy in C code, which nothing can stop."""


@contextmanager
def start(setup: Setup) -> Iterator[Runner]:
    """Lend a runner that starts the threads and returns when all have ended."""

    def run(feed: Feed) -> None:
        faults: list[BaseException] = []
        gate = threading.Event()
        threads = [
            # Daemons, so that a thread that cannot be stopped does not keep a cancelled program alive.
            threading.Thread(
                target=_work, args=(setup, feed, f"thread-{n}", gate, faults), name=f"toolkit-{n}", daemon=True
            )
            for n in range(setup.workers)
        ]
        _start(threads, gate, faults)
        for thread in threads:
            while thread.is_alive() and not feed.cancelled:
                thread.join(0.5)
        ends = time.monotonic() + LINGER
        for thread in threads:
            if thread.is_alive():
                thread.join(max(0.0, ends - time.monotonic()))
        if faults:
            raise faults[0]

    yield run


def _start(threads: Sequence[threading.Thread], gate: threading.Event, faults: list[BaseException]) -> None:
    """Start all threads, or let those that did start end with nothing done."""
    started = 0
    try:
        for thread in threads:
            thread.start()
            started += 1
    except (RuntimeError, MemoryError):  # too many for this machine
        faults.append(UsageError(f"only {started} of {len(threads)} threads could be started: use fewer workers"))
    except BaseException as error:
        faults.append(error)
    finally:
        gate.set()


def _work(setup: Setup, feed: Feed, name: str, gate: threading.Event, faults: list[BaseException]) -> None:
    """Work until the feed is done, or a thread has a fault: then the run is over, and no other goes on."""
    gate.wait()
    try:
        with closing(blocking_runtime(setup, feed)) as runtime:
            feed.on_cancel(runtime.abort)
            while not faults and not isinstance(step := feed.next(), Done):
                if isinstance(step, Wait):
                    feed.wait(step)
                else:
                    feed.settle(runtime.perform(setup.job, step, name))
    except Cancelled:
        pass  # the task is left for the next run
    except BaseException as error:  # handed to the thread that waits, which raises it
        faults.append(error)


MODEL = Model(
    "threads", Traits("threads: for waiting, and for C code that frees the GIL", "blocking", "requests"), start
)
