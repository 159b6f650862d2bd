"""The search finds the best level with few measurements, and what it returns was measured."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.apps.resize.search import MOST_TRIES, Levels, highest_within, largest_within


class Measure:
    """A table of what is measured at each level, that notes what is asked for."""

    def __init__(self, values: dict[int, float]) -> None:
        self.values = values
        self.asked: list[int] = []

    def __call__(self, level: int) -> float:
        """Measure."""
        self.asked.append(level)
        return self.values[level]


@given(st.lists(st.floats(0, 9, allow_nan=False), min_size=1, max_size=100), st.floats(-1, 10), st.data())
def test_highest_within_on_any_rising_measure(steps: list[float], target: float, data: st.DataObject) -> None:
    """It is the highest of all that are within, after at most eight measurements of different levels."""
    values = dict(enumerate(sorted(steps), 7))
    measure = Measure(values)
    levels = Levels(7, 6 + len(steps), data.draw(st.integers(7, 6 + len(steps))))
    found = highest_within(measure, target, levels)
    assert found == max((level for level, value in values.items() if value <= target), default=6)
    assert len(measure.asked) == len(set(measure.asked)) <= MOST_TRIES


@pytest.mark.parametrize("first", [0, 100, 254])
def test_highest_within_on_a_cliff(first: int) -> None:
    """Where a line leads astray every time, eight measurements are enough for 255 levels all the same."""
    for edge in range(-1, 255):
        measure = Measure({level: level / 1000 if level <= edge else 1000.0 + level for level in range(255)})
        assert highest_within(measure, 1.0, Levels(0, 254, first)) == edge
        assert len(measure.asked) <= MOST_TRIES


@given(st.lists(st.floats(0, 9, allow_nan=False), min_size=1, max_size=100), st.floats(0, 9))
def test_highest_within_on_any_measure(values: list[float], target: float) -> None:
    """Where measures go up and down, what is returned is within all the same, and what follows it is not."""
    measure = Measure(dict(enumerate(values)))
    found = highest_within(measure, target, Levels(0, len(values) - 1, 0))
    assert found == -1 or (values[found] <= target and found in measure.asked)
    assert found == len(values) - 1 or values[found + 1] > target


def test_highest_within_when_bytes_grow_as_they_do() -> None:
    """On a curve like a JPEG's, lines get there sooner than halving, which takes seven."""
    values = {level: math.log(4000 + 200 * level / (1.02 - level / 100)) for level in range(20, 96)}
    asked = []
    for limit in range(8000, 120_000, 1000):
        measure = Measure(values)
        highest_within(measure, math.log(limit), Levels(20, 95, 85))
        asked.append(len(measure.asked))
    assert sum(asked) / len(asked) < 5.5


@pytest.mark.parametrize("overhead", [0, 800, 5000])
@pytest.mark.parametrize("limit", [6000, 20_000, 300_000])
def test_largest_within(limit: int, overhead: int) -> None:
    """Nearly all of the limit is used, though part of the file does not shrink."""

    def measure(scale: float) -> int:
        return overhead + int(900_000 * math.pow(scale, 1.8))

    found = largest_within(measure, limit, measure(1.0), 0.02)
    assert found.within
    assert measure(found.scale) <= limit
    assert measure(found.scale * 1.17) > limit


@pytest.mark.parametrize("limit", [1, 999])
def test_largest_within_what_cannot_be_reached(limit: int) -> None:
    """The least share comes back, and that it is too much."""
    found = largest_within(lambda scale: 1000 + round(5000 * scale), limit, 6000, 0.1)
    assert (found.scale, found.within) == (0.1, False)
