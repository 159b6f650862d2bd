"""What crosses between a worker process and its parent: the job once, then tasks and results, each pickled by itself.

A bad one harms no other, and nothing but small values crosses: the parent puts the task back into its outcome.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Sequence
from io import BytesIO
from typing import Any

from toolkit.core.errors import FailureKind, UsageError
from toolkit.core.task import Failure, Outcome, Skip, Success, Task, Timing

LARGEST = 64 * 1024 * 1024
"""Bytes of a packed result: one must not hold up the parent, nor fill it."""


def pack_job(job: Any) -> tuple[bytes, Sequence[str]]:
    """Return a job packed, and the modules that loading it needs; raises UsageError if it cannot be sent."""
    try:
        packed = pickle.dumps(job)
        spy = _Spy(BytesIO(packed))
        spy.load()
    except Exception as error:
        raise UsageError(f"the job cannot be sent to worker processes, try --model threads: {named(error)}") from error
    return packed, sorted(spy.modules.union(getattr(job, "preload", ())))


def pack_task(task: Task[Any]) -> bytes:
    """Return a task packed; raises whatever pickling it raises."""
    return pickle.dumps((task.key, task.payload, task.lane, task.cost, task.index, task.attempt, task.slots))


def pack_outcome(outcome: Outcome) -> bytes:
    """Return an outcome packed without its task; one that cannot be is packed as the failure that says so."""
    try:
        packed = pickle.dumps(_facts(outcome))
    except Exception as error:
        kind = type(outcome.value).__qualname__ if isinstance(outcome, Success) else "failure"
        return pack_failure(f"a result of type {kind} cannot be sent from a worker process: {named(error)}")
    if len(packed) > LARGEST:
        size = f"{len(packed):,} bytes, and a worker process sends {LARGEST:,} at most: write it to a file"
        return pack_failure(f"the result has {size}", FailureKind.TOO_LARGE)
    return packed


def pack_failure(message: str, kind: FailureKind = FailureKind.UNPICKLABLE) -> bytes:
    """Return a failure packed."""
    now = time.monotonic()
    return pickle.dumps(("failure", (kind.value, message, False, None, False, False, "", None), now, now))


def unpack_outcome(packed: bytes, task: Task[Any], worker: str) -> Outcome:
    """Return the outcome that a worker sent, with the task put back."""
    try:
        what, facts, started, ended = pickle.loads(packed)  # noqa: S301 - from our own worker
    except Exception as error:
        return Failure(task, FailureKind.UNPICKLABLE, f"the result cannot be loaded again: {named(error)}")
    timing = Timing(started, ended, worker)
    if what == "success":
        return Success(task, facts, timing)
    if what == "skip":
        reason, delay = facts
        return Skip(task, reason, timing, delay)
    kind, message, retryable, retry_after, cool_lane, fatal, debug, delay = facts
    return Failure(task, FailureKind(kind), message, retryable, retry_after, cool_lane, fatal, timing, debug, delay)


def named(error: BaseException) -> str:
    """Return an exception as one line."""
    return f"{type(error).__name__}: {error}"


def _facts(outcome: Outcome) -> tuple[Any, ...]:
    started, ended = outcome.timing.started, outcome.timing.ended
    if isinstance(outcome, Success):
        return "success", outcome.value, started, ended
    if isinstance(outcome, Skip):
        return "skip", (outcome.reason, outcome.lane_delay), started, ended
    o = outcome
    facts = (o.kind.value, o.message, o.retryable, o.retry_after, o.cool_lane, o.fatal, o.debug, o.lane_delay)
    return "failure", facts, started, ended


class _Spy(pickle.Unpickler):
    """Notes the modules that a pickle names."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self.modules: set[str] = set()

    def find_class(self, module: str, name: str) -> Any:
        """Note the module."""
        self.modules.add(module)
        return super().find_class(module, name)
