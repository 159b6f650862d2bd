"""Bandwidth: how many bytes a second may come, all together and from one host, whoever fetches them.

The generic cell rate algorithm (ITU-T I.371), charged for what has come: one number a bucket, the time at which all
that came so far would have been due at the limit. Whoever is ahead of it pauses.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

BURST = 0.1
"""Seconds' worth of bytes that may come at once after a rest."""
CELLS = 1024
"""Hosts that are told apart at a time."""
PROBES = 16
"""Cells that are looked at for a host."""
PATIENCE = 1.0
"""Seconds after which a lock's owner, a worker process, counts as dead."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes a second, all together and from one host; None for no limit."""

    total: int | None = None
    per_host: int | None = None


class Cells(Protocol):
    """Floating-point numbers by place: a list, or memory shared by processes."""

    def __getitem__(self, place: Any, /) -> Any: ...

    def __setitem__(self, place: Any, value: Any, /) -> None: ...


class Rates:
    """The buckets of a run, shared by its workers: threads as it is, processes by cells and a lock that they share.

    A host's bucket lives in one of PROBES cells while it is in use. If all of those are another's, it shares one: then
    both together keep to the limit.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        cells: Callable[[int], Cells] = lambda size: [0.0] * size,
        lock: Callable[[], Any] = threading.Lock,
    ) -> None:
        """Make empty buckets; cells makes the memory for so many numbers, and lock what guards it."""
        self._limits = limits
        self._cells = cells(1 + 2 * CELLS)
        self._lock = lock()

    def key(self, lane: str) -> int:
        """Return what a host is known by here: 52 bits, the same in every process."""
        return int.from_bytes(hashlib.blake2b(lane.encode(), digest_size=8).digest()) >> 12 or 1

    def take(self, key: int, size: int, now: float) -> float:
        """Charge size bytes that came from a host at `now` (monotonic seconds); return the seconds to pause."""
        # A process that is killed just here keeps the lock for ever: a charge may be lost, but nobody waits for good.
        locked = self._lock.acquire(timeout=PATIENCE)
        try:
            ahead = self._charge(0, self._limits.total, size, now)
            if self._limits.per_host:
                ahead = max(ahead, self._charge(self._place(key, now), self._limits.per_host, size, now))
            return max(0.0, ahead - BURST)
        finally:
            if locked:
                self._lock.release()

    def _charge(self, place: int, limit: int | None, size: int, now: float) -> float:
        """Charge a bucket; return the seconds by which it is ahead."""
        if not limit:
            return 0.0
        due = max(float(self._cells[place]), now) + size / limit
        self._cells[place] = due
        return due - now

    def _place(self, key: int, now: float) -> int:
        """Return the place of a host's bucket; one whose time has come holds nothing, and is anybody's."""
        cells, free = self._cells, 0
        for probe in range(PROBES):
            place = 1 + 2 * ((key + probe) % CELLS)
            if cells[place] == key:
                return place + 1
            if not free and cells[place + 1] <= now:
                free = place
        if not free:
            return 2 + 2 * (key % CELLS)
        cells[free] = float(key)
        return free + 1
