"""Which of several workers a task goes to: that of its lane, so that what is warm for a host stays in use."""

from __future__ import annotations

from collections.abc import Mapping

SLACK = 8
"""A worker may hold more tasks than the idlest by this part of all, and keeps its lanes; beyond, they are shared."""
KEPT = 10_000
"""Lanes whose worker is remembered."""


class Spread:
    """Where lanes are at home."""

    def __init__(self) -> None:
        self._homes: dict[str, str] = {}

    def choose(self, lane: str, held: Mapping[str, int]) -> str:
        """Return the name of the worker for the next task of a lane; held: the tasks that each worker has."""
        idlest = min(held, key=held.__getitem__)
        if not lane:
            return idlest
        home = self._homes.pop(lane, idlest)
        if home not in held or held[home] - held[idlest] > max(1, sum(held.values()) // SLACK):
            home = idlest
        self._homes[lane] = home
        if len(self._homes) > KEPT:
            del self._homes[next(iter(self._homes))]
        return home
