"""Tasks, their timing, and the outcome that an exception stands for."""

from __future__ import annotations

import pickle

import pytest

from toolkit.core.errors import FailureKind, TaskError, TaskSkipped
from toolkit.core.task import NEVER, Failure, Outcome, Skip, Success, Task, Timing, failure_of, outcome_of

TASK = Task("k", {"url": "http://h/"}, "h:80", 3.0, 7)
TIMING = Timing(10.0, 12.5, "thread-1")


def test_again_counts_the_attempt_when_a_task_is_retried() -> None:
    """The next attempt is the same task, one attempt later."""
    assert TASK.again() == Task("k", {"url": "http://h/"}, "h:80", 3.0, 7, attempt=2)
    assert TASK.again().again().attempt == 3


def test_timing_seconds() -> None:
    """An attempt took the time between its start and its end; a task that was not run took none."""
    assert (TIMING.seconds, NEVER.seconds) == (2.5, 0.0)


def test_failure_of_carries_every_fact() -> None:
    """Nothing that the job knew is lost on the way to the schedule."""
    error = TaskError(FailureKind.THROTTLED, "429", retryable=True, retry_after=3.0, cool_lane=True, fatal=True)
    assert failure_of(TASK, error, TIMING) == Failure(
        TASK,
        FailureKind.THROTTLED,
        "429",
        retryable=True,
        retry_after=3.0,
        cool_lane=True,
        fatal=True,
        timing=TIMING,
    )


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (TaskSkipped("not modified"), Skip(TASK, "not modified", TIMING)),
        (TaskError(FailureKind.HTTP, "404"), Failure(TASK, FailureKind.HTTP, "404", timing=TIMING)),
        (MemoryError(), Failure(TASK, FailureKind.TOO_LARGE, "out of memory", timing=TIMING, debug="trace")),
        (KeyError("x"), Failure(TASK, FailureKind.BUG, "KeyError: 'x'", timing=TIMING, debug="trace")),
        (OSError(5, "I/O"), Failure(TASK, FailureKind.BUG, "OSError: [Errno 5] I/O", timing=TIMING, debug="trace")),
    ],
)
def test_outcome_of_an_exception(error: Exception, outcome: Outcome) -> None:
    """Ours say what they mean; any other is a bug, by name, and never retried."""
    assert outcome_of(TASK, error, TIMING, lambda: "trace") == outcome


@pytest.mark.parametrize(
    "value", [TASK, Success(TASK, 1, TIMING), Skip(TASK, "same"), Failure(TASK, FailureKind.DNS, "no")]
)
def test_outcomes_are_picklable_when_they_cross_a_process_boundary(value: object) -> None:
    """Tasks and outcomes travel to workers and back."""
    assert pickle.loads(pickle.dumps(value)) == value
