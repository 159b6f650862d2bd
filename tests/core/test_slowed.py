"""What is kept of hosts that were slowed down."""

from __future__ import annotations

from typing import Any

from toolkit.core.errors import FailureKind
from toolkit.core.lane import Lane
from toolkit.core.policy import Policy
from toolkit.core.slowed import MOST, SlowedHosts
from toolkit.core.task import Failure, Task, Timing


def trouble(hosts: SlowedHosts, lane: Lane, kind: FailureKind, now: float, **facts: Any) -> None:
    """Let a task of the lane fail."""
    lane.push(0, 0, Task("t", None, lane.name))
    failure = Failure(lane.start(now), kind, "no", timing=Timing(now, now), **facts)
    lane.settle(failure, now)
    hosts.note(lane, failure, now)


def test_a_host_is_noted_with_its_lowest_limit_while_it_rests() -> None:
    """Twice throttled is a quarter of eight; afterwards it is remembered, and rests no more."""
    hosts, lane = SlowedHosts(), Lane("h:80", Policy(per_lane=8))
    trouble(hosts, lane, FailureKind.THROTTLED, 10.0, cool_lane=True, retry_after=5.0)
    trouble(hosts, lane, FailureKind.THROTTLED, 20.0, cool_lane=True, retry_after=5.0)
    (host,) = hosts.all()
    assert (host.name, host.least, host.failures, host.kind) == ("h:80", 2, 2, "throttled")
    assert [hosts.resting(now) for now in (20.0, 24.9, 25.0)] == [1, 1, 0]


def test_failures_that_slow_nothing_down_are_not_noted() -> None:
    """A page that is not there says nothing about its host; and what has no host cannot be slow."""
    hosts = SlowedHosts()
    trouble(hosts, Lane("h:80", Policy()), FailureKind.HTTP, 10.0)
    trouble(hosts, Lane("", Policy()), FailureKind.THROTTLED, 10.0, cool_lane=True)
    assert hosts.all() == []


def test_a_host_that_is_given_up_does_not_rest() -> None:
    """Nobody waits for it any more."""
    hosts, lane = SlowedHosts(), Lane("h:80", Policy(retry_after_cap=60.0))
    trouble(hosts, lane, FailureKind.THROTTLED, 10.0, cool_lane=True, retry_after=86400.0)
    assert lane.dead
    assert hosts.resting(11.0) == 0


def test_the_memory_has_an_end() -> None:
    """A list may name a million hosts that are slow."""
    hosts = SlowedHosts()
    for number in range(MOST + 10):
        trouble(hosts, Lane(f"h{number}:80", Policy()), FailureKind.TIMEOUT, 10.0)
    assert len(hosts.all()) == MOST
