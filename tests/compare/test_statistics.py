"""Statistics: figures worked out by hand, and what must never be claimed."""

from __future__ import annotations

import random

import pytest

from toolkit.compare.statistics import far_out, interval, signs, speed_up, verdict


def test_ratio_when_rounds_drift() -> None:
    """Ratios are taken within rounds: a machine that slows down tenfold changes nothing."""
    found = speed_up([1, 2, 4, 8, 10], [0.5, 1, 2, 4, 5])
    assert found.ratio == pytest.approx(2)
    assert (found.low, found.high) == pytest.approx((2, 2))
    assert found.verdict == "faster"


def test_ratio_when_worked_by_hand() -> None:
    """The ratio is the median of 1, 2, 3, 4, 5; its interval is all of them, as 5 rounds can tell no less."""
    found = speed_up([1, 2, 3, 4, 5], [1, 1, 1, 1, 1])
    assert found.ratio == pytest.approx(3)
    assert (found.low, found.high) == pytest.approx((1, 5))
    assert found.verdict == "no difference"  # the interval touches 1


def test_ratio_when_rounds_are_even() -> None:
    """Between two middle ratios stands their geometric mean: twice and eight times make four."""
    assert speed_up([2, 8], [1, 1]).ratio == pytest.approx(4)


def test_ratio_when_the_sides_are_swapped() -> None:
    """Twice as fast one way is half as fast the other way, interval and all."""
    ours, theirs = [1.0, 1.1, 0.9, 1.3, 1.0], [2.0, 2.3, 1.7, 2.2, 2.1]
    there, back = speed_up(theirs, ours), speed_up(ours, theirs)
    assert there.ratio == pytest.approx(1 / back.ratio)
    assert (there.verdict, back.verdict) == ("faster", "slower")


def test_verdict_when_rounds_are_few() -> None:
    """Four rounds prove nothing, whatever they say."""
    assert speed_up([9, 9, 9, 9], [1, 1, 1, 1]).verdict == "too few rounds"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1.01, 2, "faster"),
        (0.5, 0.99, "slower"),
        (0.9, 1.1, "no difference"),
        (1, 2, "no difference"),
        (0.5, 1, "no difference"),
        (1.004, 1.3, "no difference"),
    ],
)
def test_verdict_when_rounds_suffice(low: float, high: float, expected: str) -> None:
    """A verdict needs the whole interval on one side of 1."""
    assert verdict(low, high, 5) == expected


def test_speed_up_when_the_two_are_the_same() -> None:
    """Two that are alike are told apart no more often than the interval allows: here 1 in 16, for 5 rounds."""
    noise = random.Random(7)
    told = 0
    for _ in range(30):
        ours, theirs = ([noise.lognormvariate(0, 0.1) for _ in range(5)] for _ in "ab")
        told += speed_up(ours, theirs).verdict != "no difference"
    assert told <= 5


def test_speed_up_when_nothing_was_measured() -> None:
    """Without a pair there is no ratio to invent."""
    with pytest.raises(ValueError, match="nothing to compare"):
        speed_up([], [])


def test_interval_when_repeated() -> None:
    """The same values always give the same interval."""
    values = [0.1, 0.5, 0.2, 0.9, 0.3, 0.4, 0.8]
    assert interval(values) == interval(values)
    assert 0.1 <= interval(values)[0] < 0.4 < interval(values)[1] <= 0.9


def test_far_out_when_one_value_stands_apart() -> None:
    """Median 3 and deviation 1: 3 + 3.5 / 0.6745 is 8.19, so 9 stands far out and 8 does not."""
    assert far_out([1, 2, 3, 4, 9]) == [False, False, False, False, True]
    assert far_out([1, 2, 3, 4, 8]) == [False] * 5


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0, 3.0, 90.0], [2.0, 2.0, 2.0, 2.0, 5.0]])
def test_far_out_when_there_is_no_measure(values: list[float]) -> None:
    """Without a spread, or with few values, nothing tells what is far."""
    assert not any(far_out(values))


@pytest.mark.parametrize(("count", "left_out"), [(1, 0), (5, 0), (8, 0), (9, 1), (11, 1), (12, 2), (15, 3), (20, 5)])
def test_signs_when_looked_up(count: int, left_out: int) -> None:
    """The ranks are those of any table of the sign test at 5 %, two-sided."""
    assert signs(count) == left_out


def test_interval_holds_the_median_as_often_as_it_says() -> None:
    """Of 7 values, whose bootstrap alone would miss it once in eight times."""
    noise = random.Random(3)
    held = 0
    for _ in range(60):
        low, high = interval([noise.gauss(0, 1) for _ in range(7)])
        held += low <= 0 <= high
    assert held >= 55
