"""A lane: what shares politeness, such as a host; its cap, its pace, its cool-downs and its circuit breaker."""

from __future__ import annotations

import heapq
from typing import Any

from toolkit.core.errors import FailureKind
from toolkit.core.policy import Policy
from toolkit.core.task import Failure, Outcome, Success, Task

UNREACHABLE = frozenset({FailureKind.DNS, FailureKind.CONNECT, FailureKind.TIMEOUT})
"""Failures that say something about the host, not about the page."""
TELLS_NOTHING = frozenset(
    {
        FailureKind.INPUT,
        FailureKind.NAME,
        FailureKind.DISK,
        FailureKind.LIMIT,
        FailureKind.OVERDUE,
        FailureKind.WORKER_DIED,
        FailureKind.UNPICKLABLE,
        FailureKind.BUG,
    }
)
"""Failures on our side: they say nothing about the host."""

INFINITY = float("inf")
MOST_ASKED = 60.0
"""Seconds between two starts that a host may ask for; one that asks for more gets these."""
MEMORY = 60.0
"""Seconds for which a lane with failures is remembered after its last task."""


class Lane:
    """The queue and the limits of one lane; the nameless lane has no limits. dead: why it is given up, or ""."""

    __slots__ = (
        "asked",
        "connections",
        "cool_until",
        "cut_at",
        "dead",
        "failures",
        "forgiven",
        "in_flight",
        "in_ready",
        "keep_until",
        "limit",
        "met",
        "name",
        "next_start",
        "policy",
        "queue",
        "started",
        "timer",
        "trips",
    )

    def __init__(self, name: str, policy: Policy) -> None:
        self.name = name
        self.policy = policy
        self.queue: list[tuple[float, int, Task[Any]]] = []
        self.in_flight = 0
        self.connections = 0
        self.asked = 0.0
        self.cut_at = -INFINITY
        self.limit = float(policy.per_lane) if name else INFINITY
        self.met = not policy.meeting
        self.next_start = 0.0
        self.started = -INFINITY
        self.cool_until = 0.0
        self.failures = 0
        self.forgiven = 0
        self.trips = 0
        self.dead = ""
        self.in_ready = False
        self.keep_until = 0.0
        self.timer = INFINITY

    @property
    def has_room(self) -> bool:
        """Whether something is queued and one more connection may be used, were it only a question of number."""
        return bool(self.queue) and self.connections < self.limit

    @property
    def opens_at(self) -> float:
        """When the next task may start."""
        return max(self.next_start, self.cool_until)

    @property
    def idle(self) -> bool:
        """Whether nothing is queued or running."""
        return not (self.queue or self.in_flight or self.dead)

    def push(self, priority: float, sequence: int, task: Task[Any]) -> None:
        """Queue a task; the lowest priority starts first, then the lowest sequence."""
        heapq.heappush(self.queue, (priority, sequence, task))

    def start(self, now: float, slots: int = 1, stretch: float = 1.0) -> Task[Any]:
        """Take the next task, for so many connections; the caller has checked has_room and opens_at.

        stretch: how many times the delay it is to the next one, from 1.
        """
        task = heapq.heappop(self.queue)[2]
        self.in_flight += 1
        self.connections += slots
        if self.name:
            self.started = now
            wait = max(self.policy.delay, self.asked) * stretch
            self.next_start = now + (wait if self.met else max(wait, self.policy.meeting))
        return task

    def settle(self, outcome: Outcome, now: float) -> None:
        """Learn from an outcome: recover after good ones, slow down or pause after bad ones.

        An idle lane is to be kept until its pace and its bad memories have faded.
        """
        self.in_flight -= 1
        self.connections -= outcome.task.slots
        if self.name:
            self._meet()
            self._learn(outcome, now)
        marked = self.failures or self.trips or self.asked or self.limit < self.policy.per_lane
        self.keep_until = max(self.opens_at, now + MEMORY if marked else 0.0)

    def _meet(self) -> None:
        """Wait no longer for what the first task may tell."""
        if not self.met:
            self.met = True
            self.next_start = self.started + max(self.policy.delay, self.asked)

    def _learn(self, outcome: Outcome, now: float) -> None:
        late = self.forgiven > 0  # it was already under way when the breaker opened
        self.forgiven -= late
        self._listen(getattr(outcome.value if isinstance(outcome, Success) else outcome, "lane_delay", None))
        if not isinstance(outcome, Failure):
            self._recover()
            return
        if outcome.cool_lane and (outcome.kind is FailureKind.THROTTLED or outcome.retry_after is not None):
            self._cool(outcome, now)
        elif outcome.cool_lane or outcome.kind is FailureKind.TIMEOUT:  # overloaded, it seems, but it asks for nothing
            self._halve(outcome, now)
        if outcome.kind in UNREACHABLE:
            if not late:
                self._missed(outcome.message, now)
        elif outcome.kind not in TELLS_NOTHING:
            self.failures = self.trips = 0  # it answered, if only to say no

    def _listen(self, delay: float | None) -> None:
        """Take the pace that the host asks for, as in robots.txt; what it asked for last holds."""
        if delay is not None:
            self.asked = min(max(0.0, delay), MOST_ASKED)
            self.next_start = max(self.next_start, self.started + self.asked)

    def _cool(self, failure: Failure, now: float) -> None:
        wait = failure.retry_after if failure.retry_after is not None else self.policy.backoff
        self._halve(failure, now)
        self.cool_until = max(self.cool_until, now + min(wait, self.policy.retry_after_cap))
        if wait > self.policy.retry_after_cap:  # nobody waits that long, least of all once for each task
            self.dead = f"it asks to be left alone for {wait:,.0f} s"

    def _halve(self, failure: Failure, now: float) -> None:
        """Let half as many run, but once for all that were under way together: eight timeouts are one sign."""
        if failure.timing.started >= self.cut_at:
            self.limit = max(1.0, self.limit / 2)
            self.cut_at = now

    def _recover(self) -> None:
        self.failures = self.trips = 0
        self.limit = min(float(self.policy.per_lane), self.limit + 1 / self.limit)

    def _missed(self, why: str, now: float) -> None:
        self.failures += 1
        if self.failures < self.policy.breaker and not self.trips:
            return
        self.trips += 1
        self.failures = 0
        self.forgiven = self.in_flight
        if self.trips > self.policy.breaker_trips:
            self.dead = f"it could not be reached many times in a row ({why})"
            return
        self.limit = 1.0  # one probe at a time until one succeeds
        self.cool_until = max(self.cool_until, now + self.policy.breaker_pause * 2 ** (self.trips - 1))
