"""Which of several workers a task goes to: that of its lane, so that what is warm for a host stays in use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

SLACK = 2
"""What a worker may have more than the idlest and keep its lanes, as a part of all: else one would compute alone."""
LEAST = 2
"""The same in tasks, at least."""
SHARE = 2
"""A lane with this part of a worker's share under way is one of few, and is spread over all workers."""
KEPT = 10_000
"""Lanes whose worker is remembered."""


class Spread:
    """Where lanes are at home, and how many tasks of each are under way."""

    def __init__(self) -> None:
        self._homes: dict[str, str] = {}
        self._under_way: Counter[str] = Counter()

    def choose(self, lane: str, held: Mapping[str, int]) -> str:
        """Return the name of the worker for the next task of a lane; held: the tasks that each worker has."""
        idlest = min(held, key=held.__getitem__)
        if not lane:
            return idlest
        home = self._homes.pop(lane, idlest)
        if home not in held or held[home] - held[idlest] > self._slack(lane, held):
            home = idlest
        self._homes[lane] = home
        if len(self._homes) > KEPT:
            del self._homes[next(iter(self._homes))]
        self._under_way[lane] += 1
        return home

    def ended(self, lane: str) -> None:
        """Take note that a task has left its worker."""
        self._under_way[lane] -= 1
        if self._under_way[lane] <= 0:
            del self._under_way[lane]

    def _slack(self, lane: str, held: Mapping[str, int]) -> int:
        total = sum(held.values())
        is_one_of_few = self._under_way.get(lane, 0) * len(held) * SHARE > total
        return 0 if is_one_of_few else max(LEAST, total // SLACK)
