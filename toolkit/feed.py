"""Between the conductor and a model: what models pull from, and the thread in which a model runs."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from toolkit.core.adaptive import Change
from toolkit.core.errors import FailureKind
from toolkit.core.job import Done, Wait
from toolkit.core.loops import Computed, Lag, summed
from toolkit.core.schedule import Retry, Schedule
from toolkit.core.task import Failure, Outcome, Skip, Task
from toolkit.models import Model, Setup
from toolkit.reporting import Tick

BEAT = 0.05
"""Seconds between the conductor's looks at what has landed; each is one write to the store."""
BACKLOG = 5_000
"""Outcomes that wait for the store before nothing more is started."""
ASLEEP = 5.0
"""Seconds that a waiter sleeps unless it is woken; only the one on guard looks at the clock."""
LITTLE = 4
"""Tasks under way, at most, while workers with nothing to do have the conductor called. A busy run has more: there each
write to the store is to take many outcomes along."""
SOON = 0.001
"""Seconds until a plan is asked again that has none yet, while outcomes land which may lead it to more."""
LATER = 4
"""The plan is asked again after this part of the time that landing takes already: a long one is not looked at often."""
CLOSE = 0.001
"""Seconds between two moments that are as good as one."""
NEVER = float("inf")


class _Waiter:
    """A thread with nothing to do, which a bell wakes."""

    __slots__ = ("_bell",)

    def __init__(self) -> None:
        self._bell = threading.Lock()
        self._bell.acquire()

    def sleep(self, seconds: float) -> None:
        self._bell.acquire(timeout=seconds)

    def wake(self) -> None:
        self._bell.release()


class ScheduleFeed:
    """What models pull from: the schedule behind a lock, with the clock, and a tray for what has landed.

    Of the threads that wait one is on guard: it looks again when the schedule said so. The others sleep until there is
    work for them, the last to come first, so that few connections stay warm and a herd of idle threads costs nothing.
    """

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._lock = threading.Lock()
        self._waiters: list[_Waiter] = []
        self._guard: _Waiter | None = None
        self._guarded = NEVER
        self._is_over = False
        self._tray: deque[tuple[Outcome, Retry | None]] = deque()
        self._call = threading.Event()
        self._landing = False
        self._longed = NEVER
        self._actions: list[Callable[[], None]] = []
        self.bytes = 0
        self._counting = threading.Lock()
        self.cancelled = False
        self.unwanted = frozenset[str]()
        self.lag = Lag()
        self.computed: tuple[Computed, ...] = ()

    def next(self, settled: Outcome | None = None) -> Task[Any] | Wait | Done:
        """Return what to start now; settled: an attempt's outcome to take on the way, for one lock less."""
        with self._lock:
            now = time.monotonic()
            if settled is not None:
                self._settle(settled, now)
            step = self._step(now)
            if isinstance(step, Done):
                self._is_over = True
                self._wake_all()
            elif self._waiters:
                self._rouse(step)
            return step

    def settle(self, outcome: Outcome) -> None:
        """Take an attempt's outcome."""
        with self._lock:
            self._settle(outcome, time.monotonic())

    def wait(self, step: Wait, *, most: float = 0.2) -> None:
        """Block until there may be something to start; the one on guard, `most` seconds at the longest."""
        waiter = _Waiter()
        with self._lock:
            pause = most if step.until is None else min(most, step.until - time.monotonic())
            if pause <= 0 or self._is_over or (self._schedule.has_ready and len(self._tray) <= BACKLOG):
                return  # it came about since the step was given
            due = time.monotonic() + pause
            if self._guard is None or due < self._guarded - CLOSE:
                self._guard, self._guarded = waiter, due
            else:
                pause = ASLEEP
            self._waiters.append(waiter)
        waiter.sleep(pause)
        with self._lock:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            if waiter is self._guard:
                self._guard, self._guarded = None, NEVER

    def wake(self) -> None:
        """Let all that wait look again."""
        with self._lock:
            self._wake_all()

    def received(self, size: int) -> None:
        """Count bytes that came in."""
        with self._counting:
            self.bytes += size

    def looped(self, lag: Lag, computed: tuple[Computed, ...]) -> None:
        """Take what event loops have noted of themselves."""
        self.lag.merge(lag)
        self.computed = summed([*self.computed, *computed])

    def on_cancel(self, action: Callable[[], None]) -> None:
        """Have action called when running tasks must be given up."""
        self._actions.append(action)
        if self.cancelled:  # it came too late for the round of calls
            action()

    def called(self, most: float) -> bool:
        """Block until the conductor is called, for `most` seconds at the longest; return whether it was."""
        called = self._call.wait(most)
        self._call.clear()
        return called

    def call(self) -> None:
        """Call the conductor: somebody waits for what has landed, or for nothing any more."""
        self._call.set()

    def take(self) -> list[tuple[Outcome, Retry | None]]:
        """Return what has landed since the last call, in order."""
        self._landing = bool(self._tray)
        return [self._tray.popleft() for _ in range(len(self._tray))] if self._landing else []

    def landed(self) -> None:
        """Have the plan asked again by one that waits: what was taken is stored, and may have led it to more."""
        if not self._landing:
            return
        if not self._lock.acquire(timeout=BEAT):  # the plan holds things up: it is being asked
            return
        try:
            self._landing, self._longed = False, NEVER
            if self._waiters and self._schedule.starved:
                self._wake_one()
        finally:
            self._lock.release()

    def pulse(self) -> list[Change]:
        """Let the schedule look at the clock and the bytes, a few times a second; return new limits to tell of."""
        if not self._lock.acquire(timeout=BEAT):  # the plan holds things up, and a Ctrl-C must not wait for it
            return []
        try:
            schedule = self._schedule
            schedule.received = self.bytes
            schedule.review(time.monotonic())
            if schedule.stopped:
                self._wake_all()
            elif self._waiters and schedule.has_more:
                self._wake_one()
            changes = schedule.limiter.changes
            return [changes.popleft() for _ in range(len(changes))]
        finally:
            self._lock.release()

    @property
    def scarce(self) -> bool:
        """Whether this machine has run out of something, such as open files."""
        return self._schedule.limiter.scarce

    @property
    def expired(self) -> bool:
        """Whether the time limit of the run is over."""
        return self._schedule.expired

    def stop(self, reason: str) -> None:
        """Start nothing more; those that wait are told at the next pulse."""
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
            schedule.limiter.limit if schedule.policy.workers else None,
            schedule.slowed.resting(time.monotonic()),
        )

    def _settle(self, outcome: Outcome, now: float) -> None:
        self._schedule.received = self.bytes
        self._tray.append((outcome, self._schedule.settle(outcome, now)))
        if isinstance(outcome, Failure) and outcome.kind is FailureKind.LIMIT:
            self._wake_all()  # those that wait have connections to close

    def _step(self, now: float) -> Task[Any] | Wait | Done:
        tray = self._tray
        if len(tray) > BACKLOG:
            return Wait(now + BEAT)
        step = self._schedule.next(now)
        while isinstance(step, Skip | Failure):
            tray.append((step, None))
            if len(tray) > BACKLOG:
                return Wait(now + BEAT)
            step = self._schedule.next(now)
        return self._longing(step, now) if isinstance(step, Wait) and self._schedule.starved else step

    def _longing(self, step: Wait, now: float) -> Wait:
        """Call the conductor if little is under way and what lands may be all that the plan waits for; ask soon."""
        if self._schedule.in_flight > LITTLE or not (self._tray or self._landing):
            return step
        self._longed = min(self._longed, now)
        if self._tray:
            self.call()
        return Wait(now + min(BEAT, max(SOON, (now - self._longed) / LATER)))

    def _rouse(self, step: Task[Any] | Wait) -> None:
        """Wake one waiter if there may be work for it, or nobody is on guard; waking all for each task costs dearly."""
        if isinstance(step, Task) and (
            self._guard is None or self._schedule.due < self._guarded - CLOSE or self._schedule.has_more
        ):
            self._wake_one()

    def _wake_one(self) -> None:
        """Wake the waiter that came last, for its connections are warm; the guard only if there is no other."""
        at = -2 if self._waiters[-1] is self._guard and len(self._waiters) > 1 else -1
        self._waiters.pop(at).wake()

    def _wake_all(self) -> None:
        while self._waiters:
            self._waiters.pop().wake()


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
            self._feed.call()
