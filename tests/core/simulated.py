"""A simulated server for the adaptive limit: tasks share what it gives, on a clock of its own."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass

from toolkit.core.adaptive import Adaptive
from toolkit.core.errors import FailureKind
from toolkit.core.task import Failure, Outcome, Success, Task, Timing

PULSE = 0.05
"""Seconds between looks at the bytes."""


@dataclass(frozen=True)
class Server:
    """speed: parts of a task that each of n tasks gets done in a second. size: bytes of a task. spread: of task sizes.

    refuses: the kind of failure of a task that ends while n run, or None.
    """

    speed: Callable[[int], float]
    size: int = 0
    spread: float = 0.1
    refuses: Callable[[int], FailureKind | None] = lambda _: None


@dataclass
class Course:
    """What became of it: the limit at the end of each second, and tasks done."""

    limits: list[int]
    settled: list[int]
    done: int
    seconds: float


def run(
    limiter: Adaptive, server: Server, seconds: float, *, room: int = 1 << 30, seed: int = 0, start: float = 100.0
) -> Course:
    """Keep a server busy for so many seconds from `start` on, with never more than `room` tasks."""
    draw = random.Random(seed)
    course = Course([], [], 0, seconds)
    now = start
    work = received = 0.0
    running: list[tuple[float, float, float]] = []
    pulse, second = now + PULSE, now + 1.0
    while now < start + seconds:
        while len(running) < min(limiter.limit, room):
            limiter.started(len(running), now)
            share = max(0.05, draw.gauss(1.0, server.spread))
            heapq.heappush(running, (work + share, draw.random(), now))
        speed = server.speed(len(running))
        ends = now + (running[0][0] - work) / speed
        until = min(ends, pulse, second)
        work += (until - now) * speed
        received += (until - now) * speed * len(running) * server.size
        now = until
        if now >= second:
            course.limits.append(limiter.limit)
            course.settled.append(limiter.settled)
            second += 1.0
        elif now >= pulse:
            limiter.review(len(running), int(received), now)
            pulse += PULSE
        else:
            began = heapq.heappop(running)[2]
            limiter.ended(_outcome(server.refuses(len(running) + 1), began, now), len(running) + 1, int(received), now)
            course.done += 1
    return course


def _outcome(kind: FailureKind | None, began: float, now: float) -> Outcome:
    task, timing = Task("", None), Timing(began, now)
    return Success(task, None, timing) if kind is None else Failure(task, kind, "no", timing=timing)
