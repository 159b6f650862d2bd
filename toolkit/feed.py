"""Between the conductor and a model: what models pull from, and the thread in which a model runs."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from toolkit.core.job import Done, Wait
from toolkit.core.schedule import Retry, Schedule
from toolkit.core.task import Failure, Outcome, Skip, Task
from toolkit.models import Model, Setup
from toolkit.reporting import Tick

BEAT = 0.05
"""Seconds between the conductor's looks at what has landed; each is one write to the store."""
BACKLOG = 5_000
"""Outcomes that wait for the store before nothing more is started."""


class ScheduleFeed:
    """What models pull from: the schedule behind a lock, with the clock, and a tray for what has landed."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._wake = threading.Condition()
        self._waiters = 0
        self._tray: deque[tuple[Outcome, Retry | None]] = deque()
        self._actions: list[Callable[[], None]] = []
        self.bytes = 0
        self._counting = threading.Lock()
        self.cancelled = False

    def next(self) -> Task[Any] | Wait | Done:
        """Return what to start now."""
        with self._wake:
            now = time.monotonic()
            if len(self._tray) > BACKLOG:
                return Wait(now + BEAT)
            step = self._schedule.next(now)
            while isinstance(step, Skip | Failure):
                self._tray.append((step, None))
                if len(self._tray) > BACKLOG:
                    return Wait(now + BEAT)
                step = self._schedule.next(now)
            # Each start wakes the next worker, if there is work for it: waking all for every task costs dearly.
            if isinstance(step, Done):
                self._wake.notify_all()
            elif self._waiters and self._schedule.has_ready:
                self._wake.notify()
            return step

    def settle(self, outcome: Outcome) -> None:
        """Take an attempt's outcome."""
        with self._wake:
            self._tray.append((outcome, self._schedule.settle(outcome, time.monotonic())))

    def wait(self, step: Wait, *, most: float = 0.2) -> None:
        """Block until there may be something to start, `most` seconds at the longest."""
        with self._wake:
            pause = most if step.until is None else min(most, step.until - time.monotonic())
            if pause > 0:
                self._waiters += 1
                self._wake.wait(pause)
                self._waiters -= 1

    def received(self, size: int) -> None:
        """Count bytes that came in."""
        with self._counting:
            self.bytes += size

    def on_cancel(self, action: Callable[[], None]) -> None:
        """Have action called when running tasks must be given up."""
        self._actions.append(action)
        if self.cancelled:  # it came too late for the round of calls
            action()

    def take(self) -> list[tuple[Outcome, Retry | None]]:
        """Return what has landed since the last call, in order."""
        return [self._tray.popleft() for _ in range(len(self._tray))]

    def stop(self, reason: str) -> None:
        """Start nothing more."""
        self._schedule.stop(reason)

    def cancel(self) -> None:
        """Give up what runs."""
        self.cancelled = True
        for action in list(self._actions):
            action()

    def tick(self, seconds: float, total: int | None) -> Tick:
        """Return how far the run is."""
        counts, schedule = self._schedule.counts, self._schedule
        return Tick(
            counts.succeeded,
            counts.skipped,
            counts.failed,
            counts.retried,
            schedule.in_flight,
            self.bytes,
            seconds,
            total,
            schedule.stopped,
        )


class Engine(threading.Thread):
    """The thread in which a model runs."""

    def __init__(self, model: Model, setup: Setup, feed: ScheduleFeed) -> None:
        super().__init__(name="toolkit-model", daemon=True)
        self._model, self._setup, self._feed = model, setup, feed
        self.over = threading.Event()
        self.failure: BaseException | None = None
        self.startup = 0.0

    def run(self) -> None:
        """Start the model, do the work, and tear it down."""
        started = time.monotonic()
        try:
            with self._model.start(self._setup) as runner:
                self.startup = time.monotonic() - started
                runner(self._feed)
        except BaseException as error:  # raised again in the caller's thread
            self.failure = error
        finally:
            self.over.set()
