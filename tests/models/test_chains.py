"""Plans that wait for what has landed: a chain, each task of which leads to the next, goes on at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.models.conftest import start
from tests.models.fakes import FakeApp
from toolkit.core.job import Memory
from toolkit.core.policy import Policy
from toolkit.core.task import Failure, Outcome, Skip, Task
from toolkit.feed import BEAT

LINKS = 60
FEW = 5
"""Writes at the end of a run, when little is under way."""


class Chain(FakeApp):
    """Tasks in rounds: each round is there when all of the one before have ended. It counts writes to the store."""

    def __init__(self, rounds: int, size: int, *, seconds: float = 0.0) -> None:
        super().__init__([], lane="host")
        self._rounds, self._size, self._seconds = rounds, size, seconds
        self.finished = self.writes = 0

    def plan(self, memory: Memory) -> Iterator[Task[Any] | Skip | Failure | None]:
        """Yield a round, then None until it has ended."""
        for number in range(self._rounds):
            while self.finished < number * self._size:
                yield None
            for index in range(number * self._size, (number + 1) * self._size):
                yield Task(str(index), ("slow", self._seconds), "host", index=index)

    def storing(self, memory: Memory) -> None:
        """Count a write."""
        self.writes += 1

    def ended(self, outcome: Outcome) -> None:
        """Count an end."""
        self.finished += 1


def test_a_chain_goes_on_at_once(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No link waits for the next beat of the conductor, nor until the plan is asked again of itself."""
    monkeypatch.setattr("toolkit.run.BEAT", 1.0)
    monkeypatch.setattr("toolkit.core.schedule.PAUSE", 1.0)
    app = Chain(LINKS, 1)
    before = time.monotonic()
    assert len(list(start(model, app).outcomes())) == LINKS
    assert time.monotonic() - before < LINKS / 10  # each would take 0.2 seconds at least


@pytest.mark.parametrize("places", [2, 8])
def test_a_busy_run_writes_no_more_often_than_ever(model: str, places: int) -> None:
    """A wide frontier is stored beat by beat, however the plan says that it has no more yet."""
    app = Chain(2, 150, seconds=0.002)
    before = time.monotonic()
    assert len(list(start(model, app, 8, Policy(per_lane=places)).outcomes())) == 300
    assert app.writes <= (time.monotonic() - before) / BEAT + 2 * (FEW + 1)
