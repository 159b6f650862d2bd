"""Which connection fetches which bytes of one file, and whether another connection pays: no clock, no network.

A stream that is free takes the larger half of what the slowest has still to do. Until a server has answered its request
with those very bytes, they are the other stream's, too: it goes on into them if it gets there first, and so a server
that knows no ranges costs nothing but the request.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

LEAST = 1024 * 1024
"""Bytes worth a request of their own."""
FROM = 8 * 1024 * 1024
"""Bytes from which a file may be split."""
MOST = 8
"""Connections for one file, unless more are asked for."""
SETTLED = 0.3
"""Seconds that a new connection gets before its speed is looked at."""
LONG = 1.5
"""Seconds of work left from which another connection may pay."""
TRIAL = 0.7
"""Seconds after which another connection must have paid."""
GAIN = 1.2
"""By how much it must have raised the speed."""


@dataclass(slots=True, eq=False)
class Span:
    """A range of the file: bytes start to done are here, those up to end are to come.

    busy: a stream is at it. sure: a server has answered with it. gone: another stream took it over.
    """

    start: int
    done: int
    end: int
    busy: bool = False
    sure: bool = True
    gone: bool = False

    @property
    def left(self) -> int:
        """Bytes to come."""
        return self.end - self.done


class SegmentMap:
    """The ranges of one file, in order and without gaps; safe to call from any thread.

    here: bytes of the file that are here. received: bytes that came since, some of them perhaps twice.
    """

    def __init__(self, spans: Iterable[tuple[int, int, int]]) -> None:
        self._spans = [Span(*span) for span in spans]
        self._lock = threading.Lock()
        self.total = self._spans[-1].end if self._spans else 0
        self.here = sum(span.done - span.start for span in self._spans)
        self.received = 0

    def first(self) -> Span:
        """Give the only range to the stream that is there already."""
        (span,) = self._spans
        span.busy = True
        return span

    def take(self, least: int = LEAST) -> Span | None:
        """Give a range that nobody is at, or half of what is the most work; None if it is not worth it."""
        with self._lock:
            span = next((span for span in self._spans if not span.busy and span.left), None)
            if span is not None:
                span.busy, span.sure = True, False
                return span
            most = max((span for span in self._spans if span.busy), key=lambda span: span.left, default=None)
            if most is None or most.left < 2 * least:
                return None
            middle = most.done + (most.left + 1) // 2
            half = Span(middle, middle, most.end, busy=True, sure=False)
            most.end = middle
            self._spans.insert(self._spans.index(most) + 1, half)
            return half

    def confirm(self, span: Span) -> bool:
        """Note that a server sends this range; False if another stream has taken it over meanwhile."""
        with self._lock:
            span.sure = not span.gone
            return span.sure

    def advance(self, span: Span, size: int, until: int) -> bool:
        """Count bytes that came for a range; tell whether its stream, which could go on until there, is to stop."""
        with self._lock:
            self.received += size
            while True:
                step = min(size, span.left)
                size -= step
                span.done += step
                self.here += step
                if span.left:
                    return False
                following = self._after(span)
                if following is None or not self._is_free(following) or following.end > until:
                    return span.end < until
                following.gone = True
                span.end = following.end
                self._spans.remove(following)

    def release(self, span: Span) -> None:
        """Take a range back from its stream; what is left of it waits for another."""
        with self._lock:
            span.busy, span.sure = False, True

    def snapshot(self) -> tuple[tuple[int, int, int], ...]:
        """Return (start, done, end) of each range."""
        with self._lock:
            return tuple((span.start, span.done, span.end) for span in self._spans)

    @property
    def left(self) -> int:
        """Bytes that are to come."""
        return self.total - self.here

    def _after(self, span: Span) -> Span | None:
        at = self._spans.index(span) + 1
        return self._spans[at] if at < len(self._spans) else None

    def _is_free(self, span: Span) -> bool:
        """Whether nobody brings this range yet."""
        return span.done == span.start and span.left > 0 and not (span.busy and span.sure)


class Pace:
    """Decides how many connections to open, from what has come so far.

    most: connections at once. auto: whether each step must prove that it pays; else all are opened at once.
    """

    def __init__(self, most: int, *, auto: bool, now: float, done: int) -> None:
        self._most = most
        self._auto = auto
        self._since, self._before = now, done
        self._speed = 0.0
        self._opened = 1
        self._over = most < 2  # noqa: PLR2004
        self._trial = False

    def more(self, now: float, done: int, left: int) -> int:
        """Return how many connections to open now; done and left are bytes."""
        if self._over or not left:
            return 0
        if not self._auto:
            self._over = True
            return self._open(self._most - 1)
        passed = now - self._since
        if passed < (TRIAL if self._trial else SETTLED):
            return 0
        speed = (done - self._before) / passed
        if self._trial and speed < GAIN * self._speed:
            self._over = True
            return 0
        self._since, self._before = now, done
        if not speed or left / speed <= LONG:
            return 0
        self._speed, self._trial = speed, True
        return self._open(min(self._opened, self._most - self._opened))

    def _open(self, count: int) -> int:
        self._opened += count
        self._over = self._over or self._opened >= self._most
        return count
