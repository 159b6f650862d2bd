"""What runs next: a pure state machine with no clock, no threads and no I/O of its own; time comes from outside.

Every task drawn from the plan ends exactly once, or is counted as left when the run stops early:
drawn == succeeded + skipped + failed + in_flight + waiting, at any moment.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from toolkit.core.adaptive import UNLIMITED, Adaptive
from toolkit.core.errors import FailureKind, RunStopped
from toolkit.core.job import Done, Wait
from toolkit.core.lane import INFINITY, Lane
from toolkit.core.policy import Policy
from toolkit.core.slowed import SlowedHosts
from toolkit.core.task import Failure, Outcome, Skip, Success, Task

PULLS = 64
"""Tasks taken from the plan in one call at most, so that no call is long."""
PAUSE = 0.05
"""Seconds until a plan that has nothing yet is asked again."""
MOST_DOUBLINGS = 64
"""Times that a backoff is doubled, so that thousands of retries are no overflow."""
MOST_CRASHES = 2
"""A task whose worker died this often is not tried again."""
CHOICE = 512
"""Tasks among which the first to start is the largest: to know how large a picture is, its file must be read."""
AHEAD = 8
"""Tasks that are drawn for each one that starts from then on, so that reading ahead never holds up the workers."""
FARTHER = 4
"""Times the look-ahead that is drawn while workers are idle: all that is in view may belong to hosts that are full."""

Planned = Task[Any] | Skip | Failure | None


@dataclass(slots=True)
class Counts:
    """The accounts of a run."""

    drawn: int = 0
    succeeded: int = 0
    skipped: int = 0
    failed: int = 0
    retried: int = 0

    @property
    def ended(self) -> int:
        """Tasks that ended."""
        return self.succeeded + self.skipped + self.failed


@dataclass(frozen=True, slots=True)
class Retry:
    """The task will run again at `due`."""

    due: float


class Schedule:
    """Draws tasks from a plan lazily and says which to start; not thread-safe by itself."""

    def __init__(self, plan: Iterable[Planned], policy: Policy, draw: random.Random | None = None) -> None:
        """in_flight: tasks. connections: those that they may use. memory: bytes that they are estimated to need.
        received: bytes, kept up to date from outside. starved: whether nothing is left to start, since the plan had
        none yet when it was asked last."""  # noqa: D209, D205
        self.policy = policy
        self.limiter = Adaptive(policy.workers or UNLIMITED, adaptive=policy.adaptive)
        self.counts = Counts()
        self.slowed = SlowedHosts()
        self.in_flight = 0
        self.connections = 0
        self.memory = 0
        self.received = 0
        self.starved = False
        self.stopped = ""
        self.expired = False
        self.error: Exception | None = None
        self._plan: Iterator[Planned] | None = iter(plan)
        self._random = draw or random.Random()
        self._lanes: dict[str, Lane] = {}
        self._ready: deque[Lane] = deque()
        self._timers: list[tuple[float, int, Lane | Task[Any]]] = []
        self._decided: deque[Skip | Failure] = deque()
        self._sequence = count()
        self._queued = 0
        self._retrying = 0
        self._ends: float | None = None
        # One task may use its slots even where fewer tasks run at once.
        self._most_connections = max(policy.workers, policy.slots) if policy.workers else UNLIMITED

    @property
    def waiting(self) -> int:
        """Tasks that were drawn and neither run nor ended."""
        return self._queued + self._retrying + len(self._decided)

    @property
    def has_ready(self) -> bool:
        """Whether another task could start at once."""
        return bool(self._ready) and self._has_room and self._fits

    @property
    def has_more(self) -> bool:
        """Whether it makes sense to look for another task now."""
        if not (self._has_room and self._fits):
            return False
        return bool(self._ready) or (self._plan is not None and self.waiting <= self._view - PULLS)

    @property
    def due(self) -> float:
        """When something may change by itself, if nothing ends."""
        return self._timers[0][0] if self._timers else INFINITY

    def next(self, now: float) -> Task[Any] | Skip | Failure | Wait | Done:
        """Return a task to start; or an outcome decided without running, which has ended; or Wait; or Done."""
        self.starved = False
        self._check_time(now)
        if not self.stopped:
            self._fire(now)
        if self.policy.order == "largest":
            self._fill(min(self.policy.look_ahead, max(CHOICE, self.waiting + AHEAD)), now)
        for _ in range(PULLS):
            if self._decided:
                decided = self._decided.popleft()
                self._count(decided)
                return decided
            if self.stopped:
                return Done(self.stopped)
            if task := self._start(now):
                return task
            if self._decided or self.stopped:  # by what was drawn on the way
                continue
            if not self._has_room or self._plan is None or self.waiting >= self._view or not self._fits:
                return self._nothing()
            if not self._pull(now):
                self.starved = not self._queued
                return Wait(now + PAUSE)
        return Wait(now)

    def settle(self, outcome: Outcome, now: float) -> Retry | None:
        """Take the outcome of a started task; return Retry if it is to run again, None if it has ended."""
        lane = self._lanes[outcome.task.lane]
        self.limiter.ended(outcome, self.in_flight, self.received, now)
        self.in_flight -= 1
        self.connections -= outcome.task.slots
        self.memory -= outcome.task.memory
        was_dead = bool(lane.dead)
        lane.settle(outcome, now)
        if lane.dead and not was_dead and not self.stopped:
            self._give_up(lane)
        retry = self._retry(outcome, lane, now) if isinstance(outcome, Failure) else None
        if retry is None:
            self._count(outcome)
        self._offer(lane, now)
        if lane.idle:
            self._forget(lane, now)
        return retry

    def review(self, now: float) -> None:
        """Look at the clock and the bytes, while nothing starts or ends."""
        self._check_time(now)
        self.limiter.review(self.in_flight, self.received, now)

    def stop(self, reason: str) -> None:
        """Start nothing more; what waits is left for another run."""
        self.stopped = self.stopped or reason

    def _check_time(self, now: float) -> None:
        if self.policy.deadline is None:
            return
        if self._ends is None:
            self._ends = now + self.policy.deadline
        if now >= self._ends:
            self.expired = self.expired or not self.stopped
            self.stop(f"the time limit of {self.policy.deadline:g} s was reached")

    def _fire(self, now: float) -> None:
        while self._timers and self._timers[0][0] <= now:
            due, _, what = heapq.heappop(self._timers)
            if isinstance(what, Task):
                self._retrying -= 1
                self._enqueue(what, now)
            elif due == what.timer:  # else it has been armed for an earlier moment since
                what.timer = INFINITY
                self._offer(what, now)
                if what.idle:
                    self._forget(what, now)

    @property
    def _has_room(self) -> bool:
        return self.in_flight < self.limiter.limit and self.connections < self._most_connections

    @property
    def _fits(self) -> bool:
        """Whether the task whose turn it is finds memory; one that needs more than there is runs alone.

        Nothing smaller overtakes it: as long as small ones go on, a large one would wait, perhaps until the end.
        """
        most = self.policy.memory
        if most is None or not self.in_flight or not self._ready:
            return True
        queue = self._ready[0].queue
        return not queue or self.memory + queue[0][2].memory <= most

    @property
    def _view(self) -> int:
        """How many tasks may wait: more where a limit says that workers are idle."""
        return self.policy.look_ahead * (FARTHER if self.policy.workers else 1)

    def _start(self, now: float) -> Task[Any] | None:
        if self._queued < self.policy.slots and self.policy.slots > 1 and self._has_room:
            self._fill(self.policy.slots, now)  # to know whether others want connections
        limited = self.policy.memory is not None
        while self._ready and self._has_room:
            lane = self._ready[0]
            opens = lane.has_room and lane.opens_at <= now
            if opens and limited and not self._fits:
                return None
            self._ready.popleft()
            lane.in_ready = False
            task = self._take(lane, now) if opens else None
            self._offer(lane, now)
            if task is not None:
                return task
        return None

    def _take(self, lane: Lane, now: float) -> Task[Any]:
        slots = self._slots(lane) if self.policy.slots > 1 else 1
        stretch = 1 + self._random.uniform(0, self.policy.jitter) if self.policy.jitter else 1.0
        task = lane.start(now, slots, stretch)
        self._queued -= 1
        self.limiter.started(self.in_flight, now)
        self.in_flight += 1
        self.connections += slots
        self.memory += task.memory
        return task if task.slots == slots else replace(task, slots=slots)

    def _slots(self, lane: Lane) -> int:
        """Return how many connections the lane's next task may use: its share of what is free, itself included."""
        if not lane.name or len(lane.queue) >= lane.limit:
            return 1
        coming = self._plan is not None  # an input that has none yet may have one soon
        of_lane = int(lane.limit - lane.connections) // (len(lane.queue) + coming)
        of_all = (self._most_connections - self.connections) // (self._queued + coming)
        return max(1, min(self.policy.slots, of_lane, of_all))

    def _offer(self, lane: Lane, now: float) -> None:
        """Put a lane where it will be looked at again: at the end of the ready ones, or on a timer."""
        if lane.in_ready or not lane.has_room:
            return
        opens = lane.opens_at
        if opens <= now:
            lane.in_ready = True
            self._ready.append(lane)
        else:
            self._arm(lane, opens)

    def _arm(self, lane: Lane, when: float) -> None:
        if when < lane.timer:
            lane.timer = when
            heapq.heappush(self._timers, (when, next(self._sequence), lane))

    def _forget(self, lane: Lane, now: float) -> None:
        """Drop an idle lane, now or by a timer: a list may name more hosts than fit in memory."""
        if lane.keep_until > now:
            self._arm(lane, lane.keep_until)
        elif self._lanes.get(lane.name) is lane:  # else this is an old timer, and the name is a new lane's
            del self._lanes[lane.name]

    def _fill(self, target: int, now: float) -> None:
        while self._plan is not None and self.waiting < target and not self.stopped and self._pull(now):
            pass

    def _pull(self, now: float) -> bool:
        """Draw one task; False if the plan has none yet. A plan that raises stops the run, never ends it quietly."""
        assert self._plan is not None  # noqa: S101 - the callers have looked
        try:
            planned = next(self._plan)
        except StopIteration:
            self._plan = None
            return True
        except Exception as error:
            self._plan = None
            self.error = error
            what = str(error) or type(error).__name__
            self.stop(what if isinstance(error, RunStopped) else f"the input broke off: {what}")
            return True
        if planned is None:
            return False
        self.counts.drawn += 1
        if isinstance(planned, Task):
            self._enqueue(planned, now)
        else:
            self._decided.append(planned)
        return True

    def _enqueue(self, task: Task[Any], now: float) -> None:
        lane = self._lanes.get(task.lane)
        if lane is None:
            lane = self._lanes[task.lane] = Lane(task.lane, self.policy)
        if lane.dead:
            self._decided.append(_host_down(task, lane))
            return
        priority = -task.cost if self.policy.order == "largest" else task.index
        lane.push(priority, next(self._sequence), task)
        self._queued += 1
        self._offer(lane, now)

    def _give_up(self, lane: Lane) -> None:
        self._decided.extend(_host_down(task, lane) for _, _, task in lane.queue)
        self._queued -= len(lane.queue)
        lane.queue.clear()

    def _retry(self, failure: Failure, lane: Lane, now: float) -> Retry | None:
        self.slowed.note(lane, failure, now)
        if failure.fatal:
            self.stop(failure.message)
        wait, policy = failure.retry_after or 0.0, self.policy
        crashed_out = failure.kind is FailureKind.WORKER_DIED and failure.task.attempt >= MOST_CRASHES
        if (
            not failure.retryable
            or self.stopped
            or lane.dead
            or crashed_out
            or failure.task.attempt > policy.retries
            or wait > policy.retry_after_cap
            or self.counts.retried >= policy.retry_floor + policy.retry_share * self.counts.drawn
        ):
            return None
        ceiling = min(policy.backoff_cap, policy.backoff * 2.0 ** min(failure.task.attempt - 1, MOST_DOUBLINGS))
        due = now + wait + self._random.uniform(0.0, ceiling)
        self.counts.retried += 1
        self._retrying += 1
        heapq.heappush(self._timers, (due, next(self._sequence), failure.task.again()))
        return Retry(due)

    def _count(self, outcome: Outcome) -> None:
        counts = self.counts
        if isinstance(outcome, Success):
            counts.succeeded += 1
        elif isinstance(outcome, Skip):
            counts.skipped += 1
        else:
            counts.failed += 1
        self._check_errors()

    def _check_errors(self) -> None:
        limit, counts = self.policy.max_errors, self.counts
        if limit is None:
            return
        tried = counts.succeeded + counts.failed
        if isinstance(limit, int):
            over = counts.failed > limit
        else:
            over = tried >= self.policy.errors_floor and counts.failed > limit * tried
        if over:
            self.stop(f"{counts.failed} of {tried} tasks failed, more than --max-errors allows")

    def _nothing(self) -> Wait | Done:
        if not (self.in_flight or self._queued or self._retrying or self._plan):
            return Done()
        if not self._has_room:
            return Wait()
        return Wait(self._timers[0][0] if self._timers else None)


def _host_down(task: Task[Any], lane: Lane) -> Failure:
    return Failure(task, FailureKind.HOST_DOWN, f"{lane.name} was given up: {lane.dead}")
