"""Tasks that were under way in workers that died, where nobody knows which of them is to blame.

They are done again at no cost; but one that was there at two such deaths runs alone, so that the third has a culprit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from toolkit.core.task import Task

TWICE = 2


class Suspects:
    """How often each was there."""

    def __init__(self) -> None:
        self._deaths: Counter[str] = Counter()

    def __bool__(self) -> bool:
        return bool(self._deaths)

    def note(self, tasks: Iterable[Task[Any]]) -> None:
        """Take note of those that were under way at a death."""
        self._deaths.update(task.key for task in tasks)

    def must_be_alone(self, task: Task[Any]) -> bool:
        """Whether it has been there too often."""
        return self._deaths[task.key] >= TWICE if task.key in self._deaths else False

    def clear(self, task: Task[Any]) -> None:
        """Forget a task that has ended by itself."""
        self._deaths.pop(task.key, None)
