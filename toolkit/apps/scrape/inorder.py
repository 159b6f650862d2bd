"""Results in the order of the plan: those that come early wait for those before them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from toolkit.core.task import Failure, Outcome, Skip, Task

T = TypeVar("T")
MOST = 10_000
"""Results that wait; while there are more, nothing new is drawn."""


class InOrder(Generic[T]):
    """Holds results back until all that was planned before them has ended.

    The plan is drawn in one thread; results come in another. Each writes what is its own.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._drawn: deque[int] = deque()
        self._held: dict[int, list[T]] = {}

    def plan(self, planned: Iterator[Any]) -> Iterator[Any]:
        """Yield the plan, noting its order; None while too many results wait."""
        for one in planned:
            while len(self._held) > self._most:
                yield None
            if isinstance(one, Task | Skip | Failure):
                self._drawn.append((one if isinstance(one, Task) else one.task).index)
            yield one

    def ended(self, outcome: Outcome, results: list[T]) -> list[T]:
        """Return what may go now, in order, of these results and those that waited."""
        self._held[outcome.task.index] = results
        free: list[T] = []
        while self._drawn and self._drawn[0] in self._held:
            free += self._held.pop(self._drawn.popleft())
        return free

    def rest(self) -> list[T]:
        """Return what still waits, in order: what it waited for will not come."""
        left = [result for index in sorted(self._held) for result in self._held[index]]
        self._held.clear()
        return left
