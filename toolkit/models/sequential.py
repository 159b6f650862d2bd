"""One task after the other: the baseline that every other model is compared with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from toolkit.core.job import Done, Feed, Wait
from toolkit.core.runtime import Cancelled
from toolkit.models import Model, Runner, Setup, Traits, blocking_runtime, rates_of


@contextmanager
def start(setup: Setup) -> Iterator[Runner]:
    """Lend a runner that works in the thread that calls it."""

    def run(feed: Feed) -> None:
        with closing(blocking_runtime(setup, feed, rates_of(setup))) as runtime:
            feed.on_cancel(runtime.abort)
            try:
                outcome = None
                while not isinstance(step := feed.next(outcome), Done):
                    outcome = None
                    if isinstance(step, Wait):
                        feed.wait(step)
                    else:
                        outcome = runtime.perform(setup.job, step, "main")
            except Cancelled:
                pass  # the task is left for the next run

    yield run


MODEL = Model("sequential", Traits("a loop: the baseline", "blocking"), start)
