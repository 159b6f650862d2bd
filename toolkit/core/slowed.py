"""Hosts that were slowed down: which, how far and why; kept for the live view and the report."""

from __future__ import annotations

from dataclasses import dataclass

from toolkit.core.lane import Lane
from toolkit.core.task import Failure

MOST = 1000
"""Hosts that are kept; of a list where more have trouble, the first."""


@dataclass(slots=True)
class Host:
    """What became of one host.

    least: tasks at once when it was slowest. failures: how many slowed it, and kind: that of the last.
    until: monotonic seconds to which it was left alone.
    """

    name: str
    least: int
    failures: int
    kind: str
    until: float


class SlowedHosts:
    """Learns from failures, after the lane has; successes cost nothing."""

    __slots__ = ("_hosts",)

    def __init__(self) -> None:
        self._hosts: dict[str, Host] = {}

    def note(self, lane: Lane, failure: Failure, now: float) -> None:
        """Take note if this failure has slowed the lane down."""
        if not lane.name or not (lane.cool_until > now or lane.cut_at == now or lane.dead):
            return
        host = self._hosts.get(lane.name)
        if host is None:
            if len(self._hosts) >= MOST:
                return
            host = self._hosts[lane.name] = Host(lane.name, int(lane.limit), 0, "", now)
        host.least = min(host.least, int(lane.limit))
        host.failures += 1
        host.kind = failure.kind.value
        host.until = now if lane.dead else lane.cool_until

    def resting(self, now: float) -> int:
        """Return how many hosts are left alone at this moment."""
        return sum(host.until > now for host in list(self._hosts.values()))

    def all(self) -> list[Host]:
        """Return the hosts, those with the most failures first."""
        return sorted(self._hosts.values(), key=lambda host: -host.failures)
