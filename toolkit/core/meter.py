"""What is measured of one fetch while its body comes: whether it is too slow, and whether it is faster than it may."""

from __future__ import annotations

import time
from collections import deque

from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Progress, Request
from toolkit.core.rates import Rates
from toolkit.core.urls import lane_of

STEPS = 16
"""Parts of its window by which a meter forgets."""


class Meter:
    """Tells when the average speed over a window has been below a limit; times are monotonic seconds.

    It begins with the first block: waiting for that, and for any single one, is the read timeout's business.
    """

    __slots__ = ("_limit", "_paused", "_samples", "_total", "_window")

    def __init__(self, limit: int, window: float) -> None:
        """Take the limit in bytes a second, and the window in seconds."""
        self._limit = limit
        self._window = window
        self._samples: deque[tuple[float, int]] = deque()
        self._total = 0
        self._paused = 0.0

    def count(self, size: int, now: float) -> bool:
        """Count a block; return whether it is too slow."""
        clock = now - self._paused
        samples = self._samples
        if not samples:
            samples.append((clock, 0))  # the first block opens the window, and is no part of it
            return False
        self._total += size
        while len(samples) > 1 and samples[1][0] <= clock - self._window:
            samples.popleft()
        since, before = samples[0]
        if clock - samples[-1][0] >= self._window / STEPS:
            samples.append((clock, self._total))
        return clock - since >= self._window and self._total - before < self._limit * (clock - since)

    def pause(self, seconds: float) -> None:
        """Leave out seconds that we paused ourselves."""
        self._paused += seconds


def metered(progress: Progress, request: Request, rates: Rates | None, deadline: float | None = None) -> Progress:
    """Return progress with what the request and the run limit; progress itself, if that is nothing.

    No pause goes beyond the deadline (monotonic seconds).
    """
    if rates is None and not request.low_speed:
        return progress
    meter = Meter(request.low_speed, request.low_speed_time) if request.low_speed else None
    key = rates.key(lane_of(request.url)) if rates is not None else 0

    def watched(size: int) -> float:
        pause = progress(size)
        now = time.monotonic()
        if meter is not None and meter.count(size, now):
            what = f"slower than {request.low_speed:,} bytes a second for {request.low_speed_time:g} s"
            raise TaskError(FailureKind.TIMEOUT, what, retryable=True)
        if rates is not None:
            pause = max(pause, rates.take(key, size, now))
        if deadline is not None:
            pause = min(pause, max(0.0, deadline - now))
        if meter is not None:
            meter.pause(pause)
        return pause

    return watched
