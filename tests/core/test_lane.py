"""One lane: its cap and pace, the breaker and its probes, and the adaptive limit."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from toolkit.core.errors import FailureKind
from toolkit.core.lane import MEMORY, UNREACHABLE, Lane
from toolkit.core.policy import Policy
from toolkit.core.task import Failure, Outcome, Skip, Success, Task, Timing


def lane_with(queued: int, name: str = "h:80", **policy: Any) -> Lane:
    lane = Lane(name, Policy(**policy))
    for index in range(queued):
        lane.push(index, index, Task(f"t{index}", None, name, index=index))
    return lane


def miss(lane: Lane, task: Task[Any], now: float, kind: FailureKind = FailureKind.CONNECT) -> None:
    lane.settle(Failure(task, kind, "no"), now)


def test_start_takes_the_lowest_priority_when_several_wait() -> None:
    """Lowest priority first, then first come."""
    lane = Lane("h", Policy())
    for sequence, priority in enumerate((2.0, 1.0, 2.0, 1.0)):
        lane.push(priority, sequence, Task(f"{priority}/{sequence}", None))
    assert [lane.start(0.0).key for _ in range(4)] == ["1.0/1", "1.0/3", "2.0/0", "2.0/2"]


def test_has_room_when_below_the_cap() -> None:
    """A lane takes as many at once as the policy says."""
    lane = lane_with(5, per_lane=2)
    task = lane.start(0.0)
    assert lane.has_room
    lane.start(0.0)
    assert not lane.has_room
    lane.settle(Success(task, None), 0.0)
    assert lane.has_room


@pytest.mark.parametrize("kind", [Success, Skip, Failure])
def test_opens_when_the_host_has_answered_once(kind: type[Any]) -> None:
    """It says how fast it may be asked with the first, whatever becomes of that; the second keeps to it already."""
    lane = lane_with(3, per_lane=2, meeting=5.0)
    first = lane.start(10.0)
    assert lane.opens_at == 15.0  # it may be a slow page
    said: dict[type[Any], Outcome] = {
        Success: Success(first, SimpleNamespace(lane_delay=4.0)),
        Skip: Skip(first, "robots", lane_delay=4.0),
        Failure: Failure(first, FailureKind.HTTP, "no", lane_delay=4.0),
    }
    lane.settle(said[kind], 11.0)
    assert (lane.has_room, lane.opens_at) == (True, 14.0)
    lane.start(14.0)
    assert lane.opens_at == 18.0


def test_start_spaces_tasks_when_there_is_a_delay() -> None:
    """The next start is at least the delay later."""
    lane = lane_with(2, delay=1.5)
    lane.start(10.0)
    assert lane.opens_at == 11.5


def test_nameless_lane_has_no_limits_when_tasks_fail() -> None:
    """Without a host there is nothing to be polite to."""
    lane = lane_with(100, name="", per_lane=1, delay=9.0, breaker=1, breaker_trips=0)
    for _ in range(50):
        lane.settle(Failure(lane.start(0.0), FailureKind.CONNECT, "no", retry_after=99.0, cool_lane=True), 0.0)
    assert (lane.has_room, lane.opens_at, lane.dead) == (True, 0.0, "")


@pytest.mark.parametrize("kind", list(FailureKind))
def test_breaker_opens_when_only_the_host_cannot_be_reached(kind: FailureKind) -> None:
    """A host that answers, if only to say no, is not down."""
    lane = lane_with(20, breaker=3, breaker_pause=5.0)
    for _ in range(3):
        miss(lane, lane.start(0.0), 0.0, kind)
    assert lane.opens_at == (5.0 if kind in UNREACHABLE else 0.0)


@pytest.mark.parametrize("answer", ["success", "skip", "http"])
def test_breaker_counts_from_zero_when_the_host_answers(answer: str) -> None:
    """Only failures in a row open the breaker."""
    lane = lane_with(20, breaker=3)
    for _ in range(4):
        miss(lane, lane.start(0.0), 0.0)
        miss(lane, lane.start(0.0), 0.0)
        task = lane.start(0.0)
        if answer == "http":
            miss(lane, task, 0.0, FailureKind.HTTP)
        else:
            lane.settle(Success(task, None) if answer == "success" else Skip(task, "same"), 0.0)
    assert lane.opens_at == 0.0


def test_breaker_probes_one_at_a_time_when_it_has_opened() -> None:
    """After a pause one task tries the host; each miss doubles the pause, and after the last the host is dead."""
    lane = lane_with(50, per_lane=8, breaker=4, breaker_pause=5.0, breaker_trips=3)
    for _ in range(4):
        miss(lane, lane.start(0.0), 0.0)
    now = 0.0
    for pause in (5.0, 10.0, 20.0):
        assert lane.opens_at == now + pause
        now += pause
        probe = lane.start(now)
        assert not lane.has_room
        assert not lane.dead
        miss(lane, probe, now)
    assert lane.dead == "it could not be reached many times in a row (no)"


def test_breaker_closes_when_a_probe_succeeds() -> None:
    """One answer is enough; the limit then grows back step by step, and the next trouble starts from the beginning."""
    lane = lane_with(50, per_lane=4, breaker=2, breaker_pause=5.0)
    for _ in range(2):
        miss(lane, lane.start(0.0), 0.0)
    lane.settle(Success(lane.start(5.0), None), 5.0)
    assert (lane.trips, lane.limit) == (0, 2.0)
    for _ in range(2):
        miss(lane, lane.start(6.0), 6.0)
    assert lane.opens_at == 11.0


def test_breaker_forgives_when_tasks_were_already_under_way() -> None:
    """Tasks that started before the breaker opened do not count as probes."""
    lane = lane_with(50, per_lane=8, breaker=3, breaker_pause=5.0, breaker_trips=2)
    running = [lane.start(0.0) for _ in range(8)]
    for task in running:
        miss(lane, task, 0.0)
    assert (lane.trips, lane.opens_at, lane.dead) == (1, 5.0, "")
    miss(lane, lane.start(5.0), 5.0)
    assert (lane.trips, lane.opens_at) == (2, 15.0)


def test_breaker_forgives_no_probe_when_what_was_under_way_ended_well() -> None:
    """Forgiveness is for the tasks under way, however they end: none is left over for later misses."""
    lane = lane_with(50, per_lane=8, breaker=3, breaker_pause=5.0)
    running = [lane.start(0.0) for _ in range(8)]
    for task in running[:3]:
        miss(lane, task, 0.0)
    for task in running[3:]:
        miss(lane, task, 0.0, FailureKind.HTTP)
    for _ in range(3):
        miss(lane, lane.start(9.0), 9.0)
    assert lane.opens_at == 14.0


def test_limit_halves_when_the_host_asks_for_fewer_and_grows_when_it_is_content() -> None:
    """Additive increase, multiplicative decrease; never below one, never above the policy."""
    lane = lane_with(100, per_lane=8)
    limits = []
    for _ in range(5):
        lane.settle(Failure(lane.start(0.0), FailureKind.THROTTLED, "no", cool_lane=True), 0.0)
        limits.append(lane.limit)
    assert limits == [4.0, 2.0, 1.0, 1.0, 1.0]
    for _ in range(60):
        lane.settle(Success(lane.start(0.0), None), 0.0)
    assert lane.limit == 8.0


def test_limit_halves_once_when_many_time_out_together() -> None:
    """Eight timeouts at one moment are one sign; one that began afterwards is another."""
    lane = lane_with(100, per_lane=8, breaker=50)
    for task in [lane.start(0.0) for _ in range(8)]:
        lane.settle(Failure(task, FailureKind.TIMEOUT, "no", timing=Timing(0.5, 30.0)), 30.0)
    assert lane.limit == 4.0
    lane.settle(Failure(lane.start(31.0), FailureKind.TIMEOUT, "no", timing=Timing(31.0, 61.0)), 61.0)
    assert lane.limit == 2.0


def test_limit_halves_when_the_host_is_overloaded_though_it_asks_for_nothing() -> None:
    """A 503 without Retry-After lets fewer run, but holds nobody up."""
    lane = lane_with(100, per_lane=8)
    lane.settle(Failure(lane.start(9.0), FailureKind.HTTP, "HTTP 503", cool_lane=True), 9.0)
    assert (lane.limit, lane.cool_until) == (4.0, 0.0)


def test_has_room_counts_connections_when_tasks_use_several() -> None:
    """A task with three connections leaves room for one of four, until it ends."""
    lane = lane_with(5, per_lane=4)
    first = lane.start(0.0, 3)
    assert lane.has_room
    lane.start(0.0)
    assert not lane.has_room
    lane.settle(Success(replace(first, slots=3), None), 0.0)
    assert (lane.has_room, lane.connections, lane.in_flight) == (True, 1, 1)


@pytest.mark.parametrize(
    ("retry_after", "opens"), [(None, 100.5), (0.0, 100.0), (7.0, 107.0), (300.0, 400.0), (86400.0, 400.0)]
)
def test_lane_cools_when_asked(retry_after: float | None, opens: float) -> None:
    """For as long as Retry-After says, up to the cap; without one, for the backoff."""
    lane = lane_with(2, backoff=0.5, retry_after_cap=300.0)
    lane.settle(Failure(lane.start(100.0), FailureKind.THROTTLED, "no", False, retry_after, cool_lane=True), 100.0)
    assert max(lane.opens_at, 100.0) == opens


def test_lane_keeps_the_longer_pause_when_two_are_asked_for() -> None:
    """A short Retry-After does not cut a longer one short."""
    lane = lane_with(2)
    for retry_after in (60.0, 1.0):
        failure = Failure(lane.start(0.0), FailureKind.THROTTLED, "no", retry_after=retry_after, cool_lane=True)
        lane.settle(failure, 0.0)
    assert lane.opens_at == 60.0


@pytest.mark.parametrize(
    ("facts", "until"),
    [
        (None, 11.0),
        ({"kind": FailureKind.HTTP}, 11.0),
        ({"kind": FailureKind.CONNECT}, 10.0 + MEMORY),
        ({"kind": FailureKind.THROTTLED, "cool_lane": True, "retry_after": 5.0}, 10.0 + MEMORY),
        ({"kind": FailureKind.THROTTLED, "cool_lane": True, "retry_after": 200.0}, 210.0),
    ],
)
def test_lane_is_kept_when_it_has_something_to_remember(facts: dict[str, Any] | None, until: float) -> None:
    """Its pace, its cool-down and its bad memories outlive its last task."""
    lane = lane_with(1, delay=1.0)
    task = lane.start(10.0)
    lane.settle(Success(task, None) if facts is None else Failure(task, message="no", **facts), 10.0)
    assert lane.idle
    assert lane.keep_until == until


def test_lane_is_given_up_when_the_host_asks_for_more_than_the_cap() -> None:
    """Nobody waits for a day, least of all once for each task."""
    lane = lane_with(5, retry_after_cap=300.0)
    lane.settle(Failure(lane.start(0.0), FailureKind.THROTTLED, "no", retry_after=86400.0, cool_lane=True), 0.0)
    assert lane.dead == "it asks to be left alone for 86,400 s"


@pytest.mark.parametrize("kind", [FailureKind.WORKER_DIED, FailureKind.OVERDUE, FailureKind.BUG, FailureKind.DISK])
def test_breaker_is_not_reset_when_the_failure_was_ours(kind: FailureKind) -> None:
    """A crash on our side does not mean that the host answered."""
    lane = lane_with(5, breaker=2, breaker_pause=5.0)
    miss(lane, lane.start(0.0), 0.0)
    lane.settle(Failure(lane.start(0.0), kind, "no"), 0.0)
    miss(lane, lane.start(0.0), 0.0)
    assert lane.opens_at == 5.0


class Paced:
    """A value that tells what pace its host asks for."""

    def __init__(self, seconds: float | None) -> None:
        self.lane_delay = seconds


@pytest.mark.parametrize(
    ("asked", "own", "wait"), [(5.0, 0.0, 5.0), (1.0, 3.0, 3.0), (9999.0, 0.0, 60.0), (-1.0, 2.0, 2.0)]
)
def test_pace_that_the_host_asks_for(asked: float, own: float, wait: float) -> None:
    """The longer of both delays holds, ours and the host's, which has a cap."""
    lane = lane_with(3, delay=own)
    lane.settle(Success(lane.start(0.0), Paced(asked)), 0.5)
    lane.start(100.0)
    assert lane.opens_at == 100.0 + wait


def test_pace_when_a_page_says_nothing() -> None:
    """What the host asked for once holds; its lane is remembered while nothing is queued."""
    lane = lane_with(2)
    lane.settle(Success(lane.start(0.0), Paced(5.0)), 0.5)
    lane.settle(Success(lane.start(10.0), Paced(None)), 10.5)
    assert lane.opens_at == 15.0
    assert lane.keep_until >= 10.5 + MEMORY


def test_delay_when_stretched() -> None:
    """The schedule may make a delay longer, by chance."""
    lane = lane_with(1, delay=2.0)
    lane.start(0.0, stretch=1.25)
    assert lane.opens_at == 2.5
