"""A task, and the three ways in which it can end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from toolkit.core.errors import FailureKind, TaskError, TaskSkipped

P = TypeVar("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Task(Generic[P]):
    """One unit of work.

    key: what the store knows it by, the same in every run. payload: what the job needs, small and picklable.
    lane: what it shares politeness with (a host), or "". cost: a guess of its size in any unit, for largest-first
    order. index: its place in the plan, from 0. attempt: counted from 1. slots: connections that it may use at once,
    as the schedule allows when it starts. memory: bytes that it is estimated to need while it runs.
    """

    key: str
    payload: P
    lane: str = ""
    cost: float = 0.0
    index: int = 0
    attempt: int = 1
    slots: int = 1
    memory: int = 0

    def again(self) -> Task[P]:
        """Return this task as its next attempt."""
        return replace(self, attempt=self.attempt + 1)


@dataclass(frozen=True, slots=True)
class Timing:
    """When and where an attempt ran: seconds on the monotonic clock, and the worker's name."""

    started: float = 0.0
    ended: float = 0.0
    worker: str = ""

    @property
    def seconds(self) -> float:
        """How long the attempt took."""
        return self.ended - self.started


NEVER = Timing()
"""The timing of a task that was not run."""


@dataclass(frozen=True, slots=True)
class Success(Generic[R]):
    """The job returned value."""

    task: Task[Any]
    value: R
    timing: Timing = NEVER


@dataclass(frozen=True, slots=True)
class Skip:
    """The task needed no work; reason is a short phrase that is the same for all of its sort."""

    task: Task[Any]
    reason: str
    timing: Timing = NEVER
    lane_delay: float | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """The task failed; the fields are those of TaskError, debug is a traceback for `--debug`."""

    task: Task[Any]
    kind: FailureKind
    message: str
    retryable: bool = False
    retry_after: float | None = None
    cool_lane: bool = False
    fatal: bool = False
    timing: Timing = NEVER
    debug: str = ""
    lane_delay: float | None = None


Outcome = Success[Any] | Skip | Failure


def failure_of(task: Task[Any], error: TaskError, timing: Timing = NEVER) -> Failure:
    """Return the outcome that a TaskError stands for."""
    return Failure(
        task,
        error.kind,
        error.message,
        error.retryable,
        error.retry_after,
        error.cool_lane,
        error.fatal,
        timing,
        lane_delay=error.lane_delay,
    )


def outcome_of(task: Task[Any], error: BaseException, timing: Timing, debug: Callable[[], str] = str) -> Outcome:
    """Return the outcome that any exception of a job stands for; an unexpected one is a bug, by name.

    debug: gives its traceback, which costs more than the rest of a failure, and is asked for where one is shown.
    """
    if isinstance(error, TaskSkipped):
        return Skip(task, error.reason, timing, error.lane_delay)
    if isinstance(error, TaskError):
        return failure_of(task, error, timing)
    if isinstance(error, MemoryError):
        return Failure(task, FailureKind.TOO_LARGE, "out of memory", timing=timing, debug=debug())
    try:
        what = f"{type(error).__name__}: {error}"
    except Exception:  # its own text may fail, too
        what = type(error).__name__
    return Failure(task, FailureKind.BUG, what, timing=timing, debug=debug())
