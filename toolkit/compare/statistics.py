"""What the times of several rounds say, and whether they say anything.

Times are compared within a round, where both variants met the same machine; ratios are averaged as logarithms, so that
twice as fast and half as fast cancel out. No point is ever left out.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

RESAMPLES = 10_000
LEVEL = 0.95
SEED = 20
TRIFLE = 0.005
"""A difference that an interval must clear: half a percent is what the measuring itself may add."""
LEAST_ROUNDS = 5
"""With fewer rounds than this there is no verdict: four that all point one way come by chance once in eight times."""
FAR = 3.5
"""A point is far out from this modified z-score on (Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993)."""

Verdict = Literal["faster", "slower", "no difference", "too few rounds"]


@dataclass(frozen=True, slots=True)
class SpeedUp:
    """How many times as fast as the reference, with its 95 % interval."""

    ratio: float
    low: float
    high: float
    verdict: Verdict


def speed_up(reference: Sequence[float], other: Sequence[float]) -> SpeedUp:
    """Compare the seconds of two variants, paired by round; raises ValueError unless there is a pair."""
    if not reference:
        raise ValueError("nothing to compare")
    logs = [math.log(theirs / ours) for theirs, ours in zip(reference, other, strict=True)]
    low, high = (math.exp(bound) for bound in interval(logs))
    return SpeedUp(math.exp(median(logs)), low, high, verdict(low, high, len(logs)))


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return a 95 % interval of the median; the same values always give the same interval.

    It is the percentile bootstrap's, widened to the sign test's, which is exact: of few values, the bootstrap claims
    too much (its interval of 7 medians holds the true one 87 times in 100).
    """
    draw = random.Random(SEED)
    medians = sorted(median(draw.choices(values, k=len(values))) for _ in range(RESAMPLES))
    tail = int(RESAMPLES * (1 - LEVEL) / 2)  # rounded down: the interval is rather too wide than too narrow
    ranked, rank = sorted(values), signs(len(values))
    return min(medians[tail], ranked[rank]), max(medians[-1 - tail], ranked[-1 - rank])


def signs(count: int) -> int:
    """Return how many values at each end an exact interval of the median may leave out: 0 below 9 values.

    The median lies outside the kept ones with the chance that a coin falls on one side so often (sign test).
    """
    outside, rank = 2 * 0.5**count, 0
    while (further := outside + 2 * math.comb(count, rank + 1) * 0.5**count) <= 1 - LEVEL:
        outside, rank = further, rank + 1
    return rank


def verdict(low: float, high: float, rounds: int) -> Verdict:
    """Return what an interval of the speed-up says; bounds that touch 1, or all but touch it, say nothing."""
    if rounds < LEAST_ROUNDS:
        return "too few rounds"
    if low > 1 + TRIFLE:
        return "faster"
    return "slower" if high < 1 - TRIFLE else "no difference"


def far_out(values: Sequence[float]) -> list[bool]:
    """Tell for each value whether it stands far from the rest, by the median absolute deviation; of few, none does."""
    if len(values) < LEAST_ROUNDS:
        return [False] * len(values)
    middle = median(values)
    spread = median(abs(value - middle) for value in values)
    return [bool(spread) and 0.6745 * abs(value - middle) / spread > FAR for value in values]
