"""The schedule's limits on tasks at once and on connections, and how tasks share what is free."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from toolkit.core.adaptive import START
from toolkit.core.errors import FailureKind
from toolkit.core.job import Done, Wait
from toolkit.core.policy import Policy
from toolkit.core.schedule import FARTHER, Planned, Schedule
from toolkit.core.task import Failure, Success, Task


def tasks(*lanes: str) -> list[Planned]:
    return [Task(f"t{index}", None, lane, index=index) for index, lane in enumerate(lanes)]


def start_all(schedule: Schedule, now: float = 0.0) -> list[Task[Any]]:
    """Start whatever may start now."""
    found = []
    while not isinstance(step := schedule.next(now), Done):
        if isinstance(step, Task):
            found.append(step)
        elif isinstance(step, Wait) and step.until != now:
            break
    return found


def slots(plan: Iterable[Planned], **policy: Any) -> list[int]:
    """Return the connections of each task that starts at once."""
    return [task.slots for task in start_all(Schedule(plan, Policy(**policy)))]


def test_no_more_start_than_workers_when_there_is_a_limit() -> None:
    """However many hosts there are; only an end makes room."""
    schedule = Schedule(tasks(*"abcdef"), Policy(workers=4))
    running = start_all(schedule)
    assert len(running) == 4
    assert schedule.next(0.0) == Wait(None)
    assert not schedule.has_ready
    assert not schedule.has_more
    schedule.settle(Success(running[0], None), 0.0)
    assert schedule.has_more
    assert len(start_all(schedule)) == 1


def test_few_start_when_the_limit_is_adaptive() -> None:
    """It starts small."""
    assert len(start_all(Schedule(tasks(*"abcdefghijk"), Policy(workers=64, adaptive=True)))) == START


def test_fewer_start_when_this_machine_has_no_more() -> None:
    """Too many open files lower the limit, though it was asked for."""
    schedule = Schedule(tasks(*[f"h{n}" for n in range(40)]), Policy(workers=16))
    running = start_all(schedule)
    for task in running:
        schedule.settle(Failure(task, FailureKind.LIMIT, "too many open files", retryable=True), 0.0)
    assert schedule.limiter.limit < 16
    assert len(start_all(schedule)) == schedule.limiter.limit


@pytest.mark.parametrize(
    ("lanes", "policy", "expected"),
    [
        ("a", {"slots": 8, "per_lane": 8}, [8]),
        ("a", {"slots": 4, "per_lane": 8}, [4]),
        ("a", {"slots": 8, "per_lane": 3}, [3]),
        ("a", {"slots": 1, "per_lane": 8}, [1]),
        ("aa", {"slots": 8, "per_lane": 8}, [4, 4]),
        ("aaa", {"slots": 8, "per_lane": 8}, [2, 3, 3]),
        ("aaaa", {"slots": 8, "per_lane": 8}, [2, 2, 2, 2]),
        ("aaaaaaaa", {"slots": 8, "per_lane": 8}, [1] * 8),
        ("aaaaaaaaaaaa", {"slots": 8, "per_lane": 8}, [1] * 8),
        ("ab", {"slots": 8, "per_lane": 8, "workers": 10}, [5, 5]),
        ("ab", {"slots": 8, "per_lane": 8, "workers": 64}, [8, 8]),
        ("abcd", {"slots": 8, "per_lane": 8, "workers": 4}, [2, 2, 2, 2]),
        ("a", {"slots": 8, "per_lane": 8, "workers": 1}, [8]),
        ("a", {"slots": 8, "per_lane": 8, "workers": 64, "adaptive": True}, [8]),
        (("",), {"slots": 8, "per_lane": 8}, [1]),
    ],
)
def test_connections_are_shared_with_those_who_want_them(
    lanes: str, policy: dict[str, Any], expected: list[int]
) -> None:
    """A task alone may have all that its host and the run allow; among others it has its share, and one at least."""
    assert slots(tasks(*lanes), **policy) == expected


def test_connections_are_kept_back_when_the_input_goes_on() -> None:
    """A slow input may have another task in a moment: half is left for it."""
    assert slots([*tasks("a"), None], slots=8, per_lane=8) == [4]


def test_few_are_drawn_to_know_who_wants_connections() -> None:
    """A long list is not read to its end for that."""
    drawn = 0

    def plan() -> Iterator[Planned]:
        nonlocal drawn
        for index in range(1000):
            drawn += 1
            yield Task(f"t{index}", None, "a", index=index)

    schedule = Schedule(plan(), Policy(slots=8, per_lane=8))
    step = schedule.next(0.0)
    assert isinstance(step, Task)
    assert step.slots == 1
    assert drawn <= 9


def test_connections_come_back_when_a_task_ends() -> None:
    """Also those of a failure that is tried again, which starts over with what is free then."""
    schedule = Schedule(tasks("a", "b"), Policy(slots=8, per_lane=8, workers=10, backoff=0.0))
    first, second = start_all(schedule)
    assert schedule.connections == 10
    schedule.settle(Failure(first, FailureKind.TRUNCATED, "cut", retryable=True), 0.0)
    assert schedule.connections == second.slots
    schedule.settle(Success(second, None), 0.0)
    again = start_all(schedule)
    assert [(task.attempt, task.slots) for task in again] == [(2, 8)]


def test_next_looks_farther_when_workers_are_idle() -> None:
    """Ten thousand tasks of one busy host do not hide the next host's; but the view has an end."""
    plan = tasks(*["a"] * 35, "b", *["a"] * 1000)
    schedule = Schedule(plan, Policy(per_lane=2, workers=8, look_ahead=10))
    assert [task.lane for task in start_all(schedule)] == ["a", "a", "b"]
    assert schedule.waiting == 10 * FARTHER


def test_next_looks_no_farther_when_workers_are_busy() -> None:
    """Nothing is drawn that could not start anyway."""
    schedule = Schedule(tasks(*"abcdefghijklmnop"), Policy(workers=4, look_ahead=10))
    assert len(start_all(schedule)) == 4
    assert schedule.counts.drawn == 4


def test_review_ends_the_run_when_its_time_is_over_and_all_are_busy() -> None:
    """Nobody asks for a task then; the clock is looked at all the same."""
    schedule = Schedule(tasks("a", "b"), Policy(workers=1, deadline=10.0))
    start_all(schedule, 100.0)
    schedule.review(109.0)
    assert not schedule.expired
    schedule.review(110.0)
    assert schedule.expired
    assert "time limit" in schedule.stopped


def test_run_is_not_expired_when_it_was_stopped_before() -> None:
    """What runs after another stop is not given up for the time's sake."""
    schedule = Schedule(tasks("a", "b"), Policy(workers=1, deadline=10.0))
    start_all(schedule, 100.0)
    schedule.stop("the disk is full")
    schedule.review(111.0)
    assert (schedule.expired, schedule.stopped) == (False, "the disk is full")
