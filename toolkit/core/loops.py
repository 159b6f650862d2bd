"""How late event loops come round, and where functions were computed: what models with a loop tell of themselves."""

from __future__ import annotations

import math
from collections.abc import Iterable, MutableSequence, Sequence
from dataclasses import dataclass
from typing import Literal

PERIOD = 0.05
"""Seconds between two looks at how late a loop is."""
LEAST = 0.0001
"""Seconds up to which late is as good as in time."""
STEP = 1.2
"""How much wider each bin of the histogram is than the one before: figures are good to a tenth."""
BINS = 76
"""The last bin begins at a minute and a half."""
CELLS = BINS + 1
"""Numbers that a Lag needs: the bins, and the longest."""


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late loops came round to what was due, in seconds: half of all times at most, 99 % of them, and at worst."""

    p50: float
    p99: float
    max: float


@dataclass(frozen=True, slots=True)
class Computed:
    """Calls of functions that compute. where: what they held up meanwhile; processes: how many there were for them.

    seconds: of computing, in all calls. why: what brought them there, in words.
    """

    where: Literal["loop", "processes", "threads"]
    calls: int
    seconds: float
    why: str
    processes: int = 0

    @property
    def mean(self) -> float:
        """Seconds that one took."""
        return self.seconds / self.calls if self.calls else 0.0


class Lag:
    """A histogram of how late a loop was; the numbers may lie in memory that another process reads, from `at` on."""

    def __init__(self, cells: MutableSequence[float] | None = None, at: int = 0) -> None:
        self._cells = [0.0] * CELLS if cells is None else cells
        self._at = at

    def note(self, late: float) -> None:
        """Note one look. One that came late by several periods stands for those that it left no time for, too."""
        self._cells[self._at + BINS] = max(late, self._cells[self._at + BINS])
        while True:
            self._cells[self._at + _bin(late)] += 1
            late -= PERIOD
            if late <= 0:
                return

    def add(self, cells: Sequence[float], at: int = 0) -> None:
        """Add what another loop has noted."""
        for number in range(BINS):
            self._cells[self._at + number] += cells[at + number]
        self._cells[self._at + BINS] = max(self._cells[self._at + BINS], cells[at + BINS])

    def merge(self, other: Lag) -> None:
        """Add another's notes."""
        self.add(other._cells, other._at)

    def lateness(self) -> Lateness | None:
        """Return the figures, or None if nothing was noted."""
        if not any(self._cells[self._at : self._at + BINS]):
            return None
        return Lateness(self._quantile(0.5), self._quantile(0.99), self._cells[self._at + BINS])

    def _quantile(self, share: float) -> float:
        counts = [self._cells[self._at + number] for number in range(BINS)]
        left = share * sum(counts)
        for number, count in enumerate(counts):
            left -= count
            if left <= 0 and count:
                return min(LEAST * STEP**number, self._cells[self._at + BINS])
        return self._cells[self._at + BINS]


def summed(figures: Iterable[Computed]) -> tuple[Computed, ...]:
    """Return one for each place and reason, those with the most calls first."""
    found: dict[tuple[str, str], Computed] = {}
    for each in figures:
        key = each.where, each.why
        before = found.get(key)
        calls, seconds = (before.calls, before.seconds) if before else (0, 0.0)
        processes = max(each.processes, before.processes if before else 0)
        found[key] = Computed(each.where, calls + each.calls, seconds + each.seconds, each.why, processes)
    return tuple(sorted((each for each in found.values() if each.calls), key=lambda each: -each.calls))


def _bin(late: float) -> int:
    return 0 if late <= LEAST else min(BINS - 1, math.ceil(math.log(late / LEAST) / _LOG))


_LOG = math.log(STEP)
