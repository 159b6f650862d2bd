"""Plain threads that pull from the feed: for waiting, and for C code that lets other threads run meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

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
        threads = [
            # Daemons, so that a thread that cannot be stopped does not keep a cancelled program alive.
            threading.Thread(target=_work, args=(setup, feed, f"thread-{n}", faults), name=f"toolkit-{n}", daemon=True)
            for n in range(setup.workers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive() and not feed.cancelled:
                thread.join(0.5)
        ends = time.monotonic() + LINGER
        for thread in threads:
            thread.join(max(0.0, ends - time.monotonic()))
        if faults:
            raise faults[0]

    yield run


def _work(setup: Setup, feed: Feed, name: str, faults: list[BaseException]) -> None:
    try:
        with closing(blocking_runtime(setup, feed)) as runtime:
            feed.on_cancel(runtime.abort)
            while not isinstance(step := feed.next(), Done):
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
