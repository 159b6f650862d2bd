"""What a run tells its reporters, and what it sums up for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolkit.core.schedule import Schedule
from toolkit.reporting import Limits, Reporter, SlowHost, Tally

MOST_HOSTS = 20
"""Hosts that the report names as slowed down."""


class Telling:
    """The reporters of a run. tally: what is summed up. fault: the error of one that failed, and not for a disk."""

    def __init__(self, reporters: Sequence[Reporter]) -> None:
        self.tally = Tally()
        self.fault: Exception | None = None
        self._reporters = [*reporters]

    def __call__(self, event: Any) -> None:
        """Tell every reporter; one that fails is told no more, and ends the run unless it was a disk or a terminal."""
        for reporter in list(self._reporters):
            try:
                reporter(event)
            except Exception as error:
                self._reporters.remove(reporter)
                if isinstance(error, OSError):
                    where = f"{error.filename}: " if error.filename else ""
                    self.tally.warn(f"a report could not be written: {where}{error.strerror or error}")
                else:
                    self.fault = self.fault or error


def limits_of_run(schedule: Schedule) -> Limits | None:
    """Return what became of the limit on tasks at once, where there was one."""
    limiter = schedule.limiter
    if not schedule.policy.workers:
        return None
    hosts = [SlowHost(host.name, host.least, host.failures, host.kind) for host in schedule.slowed.all()]
    return Limits(
        limiter.adaptive,
        limiter.highest,
        limiter.settled,
        limiter.changed,
        limiter.why,
        schedule.policy.per_lane,
        tuple(hosts[:MOST_HOSTS]),
    )
