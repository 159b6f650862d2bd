"""How late loops are, from a histogram, and calls that compute, added up."""

from __future__ import annotations

import random

import pytest

from toolkit.core.loops import BINS, CELLS, PERIOD, Computed, Lag, summed


def lag_of(*late: float) -> Lag:
    lag = Lag()
    for each in late:
        lag.note(each)
    return lag


def test_lateness_of_a_known_sample_is_right_to_a_fifth() -> None:
    """Bins are that wide; the longest is exact."""
    chance = random.Random(1)
    sample = [chance.uniform(0.0, 0.04) for _ in range(5000)]
    found = lag_of(*sample).lateness()
    assert found is not None
    ordered = sorted(sample)
    assert ordered[2500] <= found.p50 <= 1.21 * ordered[2500]
    assert ordered[4950] <= found.p99 <= 1.21 * ordered[4950]
    assert found.max == ordered[-1]


def test_lateness_of_one_long_stall_counts_for_as_long_as_it_lasted() -> None:
    """Of two seconds half were a stall, and so half of all that was due was late: not one look of twenty."""
    found = lag_of(*[0.0] * 15, 1.0).lateness()
    assert found is not None
    assert found.max == 1.0
    assert found.p99 > 0.8
    assert found.p50 > PERIOD


def test_lateness_without_a_look_is_nothing() -> None:
    """A run too short to look has no figures."""
    assert Lag().lateness() is None


@pytest.mark.parametrize("late", [0.0, 1e-9, 0.0001, 0.00010001, 1e6])
def test_note_takes_whatever_the_clock_says(late: float) -> None:
    """Nothing at all, and a machine that was asleep."""
    lag = Lag()
    lag.note(min(late, 3600.0))
    found = lag.lateness()
    assert found is not None
    assert found.max == min(late, 3600.0)


def test_lags_of_several_loops_add_up() -> None:
    """The figures of two loops are those of all their looks; they may lie in the midst of shared memory."""
    cells = [7.0] * 3 + [0.0] * CELLS
    shared = Lag(cells, 3)
    for _ in range(99):
        shared.note(0.001)
    whole = lag_of(0.03)
    whole.add(cells, 3)
    found = whole.lateness()
    assert found is not None
    assert 0.001 <= found.p50 <= 0.0012
    assert found.max == 0.03
    other = Lag()
    other.merge(whole)
    assert other.lateness() == found
    assert cells[:3] == [7.0] * 3
    assert len(cells) == 3 + BINS + 1


def test_summed_keeps_places_and_reasons_apart() -> None:
    """Those with the most calls come first, and those without any not at all."""
    figures = [
        Computed("loop", 1, 0.5, "first"),
        Computed("processes", 10, 0.1, "long", 2),
        Computed("loop", 3, 0.5, "first"),
        Computed("threads", 0, 0.0, "never"),
    ]
    assert summed(figures) == (Computed("processes", 10, 0.1, "long", 2), Computed("loop", 4, 1.0, "first"))
    assert summed(figures)[1].mean == 0.25
