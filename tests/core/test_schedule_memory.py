"""The schedule's limit on memory: what runs stays within it, what needs more runs alone, and nobody overtakes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from toolkit.core.errors import FailureKind
from toolkit.core.job import Done, Wait
from toolkit.core.policy import Policy
from toolkit.core.schedule import AHEAD, CHOICE, Planned, Schedule
from toolkit.core.task import Failure, Success, Task


def needing(*sizes: int, lane: str = "") -> list[Planned]:
    return [Task(f"t{index}", None, lane, index=index, memory=size) for index, size in enumerate(sizes)]


def started(schedule: Schedule, now: float = 0.0) -> list[Task[Any]]:
    """Start whatever may start now."""
    found = []
    while isinstance(step := schedule.next(now), Task):
        found.append(step)
    return found


def keys(tasks: list[Task[Any]]) -> list[str]:
    return [task.key for task in tasks]


def test_tasks_start_as_long_as_memory_lasts() -> None:
    """Just the limit is within it; an end gives back what its task had."""
    schedule = Schedule(needing(40, 60, 1), Policy(memory=100))
    first, second = started(schedule)
    assert schedule.memory == 100
    assert schedule.next(0.0) == Wait(None)
    assert not schedule.has_ready
    assert not schedule.has_more
    schedule.settle(Success(first, None), 0.0)
    assert schedule.has_ready
    assert schedule.has_more
    assert keys(started(schedule)) == ["t2"]
    schedule.settle(Success(second, None), 0.0)
    assert schedule.memory == 1


def test_there_is_no_limit_unless_one_is_given() -> None:
    """Whatever tasks say that they need."""
    assert len(started(Schedule(needing(*[10**12] * 9), Policy()))) == 9


def test_a_task_that_needs_more_than_there_is_runs_alone() -> None:
    """It waits until nothing runs, and nothing starts beside it, not even what needs nothing."""
    schedule = Schedule(needing(10, 500, 0), Policy(memory=100))
    (small,) = started(schedule)
    schedule.settle(Success(small, None), 0.0)
    (huge,) = started(schedule)
    assert huge.key == "t1"
    schedule.settle(Success(huge, None), 0.0)
    assert keys(started(schedule)) == ["t2"]


@pytest.mark.parametrize("lanes", [("", "", ""), ("a", "b", "c")])
def test_nothing_overtakes_the_task_that_waits_for_memory(lanes: tuple[str, ...]) -> None:
    """Small ones that come later would fit, and would keep the large one waiting for ever; hosts are no way round."""
    sizes = (50, 90, 10)
    plan = [Task(f"t{n}", None, lane, index=n, memory=sizes[n]) for n, lane in enumerate(lanes)]
    schedule = Schedule(plan, Policy(memory=100))
    (first,) = started(schedule)
    assert schedule.waiting == 1  # nor is anything drawn that could not start
    schedule.settle(Success(first, None), 0.0)
    assert keys(started(schedule)) == ["t1", "t2"]


def test_a_host_that_rests_holds_nobody_up_though_its_task_would_not_fit() -> None:
    """Its turn has not come: those of other hosts start meanwhile."""
    asks = [("c", 20), ("a", 20), ("a", 90), ("b", 10)]
    plan = [Task(f"t{n}", None, lane, index=n, memory=size) for n, (lane, size) in enumerate(asks)]
    schedule = Schedule(plan, Policy(memory=100))
    _, of_a = started(schedule)
    assert schedule.next(0.0) == Wait(None)
    schedule.settle(Failure(of_a, FailureKind.THROTTLED, "busy", cool_lane=True, retry_after=9.0), 0.0)
    assert keys(started(schedule)) == ["t3"]
    assert schedule.next(0.0) == Wait(9.0)


def test_a_retry_needs_memory_again() -> None:
    """Its turn comes when its time and its memory have come."""
    schedule = Schedule(needing(60, 60), Policy(memory=100, backoff=0.0))
    (first,) = started(schedule)
    assert schedule.settle(Failure(first, FailureKind.TIMEOUT, "slow", retryable=True), 0.0)
    assert schedule.memory == 0
    again, *others = started(schedule, 1.0)
    assert (again.key, again.attempt, again.memory, others) == ("t0", 2, 60, [])
    schedule.settle(Success(again, None), 1.0)
    assert keys(started(schedule, 1.0)) == ["t1"]


def test_tasks_run_one_by_one_when_none_of_them_fits() -> None:
    """A limit that nothing keeps to holds nothing up for ever."""
    schedule = Schedule(needing(*range(1, 30)), Policy(memory=0))
    while not isinstance(step := schedule.next(0.0), Done):
        assert isinstance(step, Task)
        assert schedule.next(0.0) == Wait(None)
        schedule.settle(Success(step, None), 0.0)
    assert schedule.counts.succeeded == 29


def test_the_first_task_does_not_wait_for_the_whole_look_ahead() -> None:
    """The largest of a few hundred starts; a few more are drawn for each that starts, up to the look-ahead."""
    drawn: list[int] = []

    def plan() -> Iterator[Planned]:
        for index in range(10_000):
            drawn.append(index)
            yield Task(f"t{index}", None, "", float(index), index)

    schedule = Schedule(plan(), Policy(order="largest", look_ahead=2 * CHOICE))
    first, second = schedule.next(0.0), schedule.next(0.0)
    assert isinstance(first, Task)
    assert isinstance(second, Task)
    assert (first.index, second.index, len(drawn)) == (CHOICE - 1, CHOICE + AHEAD - 1, CHOICE + AHEAD)
    for _ in range(CHOICE):
        schedule.next(0.0)
    assert schedule.waiting == 2 * CHOICE - 1
