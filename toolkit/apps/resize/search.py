"""Looking for the level, and if need be the number of pixels, at which a file is small enough or good enough.

Encoders promise nothing about how bytes follow from quality, so whatever is chosen has been written and measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

MOST_TRIES = 8
"""Files written in one search over quality; enough to halve 255 levels down to one."""

_SLOPE = 0.03
"""How much the logarithm of the bytes grows with one step of quality, roughly, in all formats: for a first guess."""

LEAST_SIDE = 16
"""Pixels of the longer side below which a picture is not shrunk for the sake of its bytes."""
LEAST_SHARE = 0.1
"""Of the side, likewise."""
_MOST_SHRINKS = 8
_NEAR = 0.85
"""Share of the limit that is near enough, where pixels are few or many in a thousand ways."""


@dataclass(frozen=True, slots=True)
class Levels:
    """Whole numbers from lowest to highest, both included; one of them is the first to be tried."""

    lowest: int
    highest: int
    first: int


def highest_within(measure: Callable[[int], float], target: float, levels: Levels, slope: float = _SLOPE) -> int:
    """Return a level whose measure is at most target while that of the next is above; lowest - 1 if there is none.

    measure: grows with the level, by and large by slope for each; taken at most MOST_TRIES times, and for the level
    returned. Guesses go along a straight line through what is known, as far as halving can still finish in time.
    """
    low, high = levels.lowest - 1, levels.highest + 1
    known: dict[int, float] = {}
    guess = levels.first
    for left in reversed(range(MOST_TRIES)):
        if high - low == 1:
            break
        level = _clamped(guess, max(low + 1, high - (1 << left)), min(high - 1, low + (1 << left)))
        known[level] = measure(level)
        low, high = (level, high) if known[level] <= target else (low, level)
        guess = _guessed(known, target, low, high, slope)
    return low


def _guessed(known: dict[int, float], target: float, low: int, high: int, slope: float) -> int:
    """Return the level at which a line through the known ends, or from one of them, comes to target."""
    if low in known and high in known:
        share = (target - known[low]) / max(known[high] - known[low], 1e-9)
        return low + round(_clamped_share(share) * (high - low))
    near = low if low in known else high
    return near + math.trunc((target - known[near]) / slope)


def _clamped(value: int, least: int, most: int) -> int:
    return max(least, min(most, value))


def _clamped_share(share: float) -> float:
    # A little inside, because a line that is bent would otherwise creep up to one end step by step.
    return max(0.1, min(0.9, share))


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A share of the sides, from 1 down, and whether the file was within the limit there."""

    scale: float
    within: bool


def largest_within(measure: Callable[[float], int], limit: int, known: int, least: float) -> Shrunk:
    """Return the share of the sides, below 1, at which the file is just within limit bytes; least if none is.

    measure: bytes at a share; known: those of all pixels, more than limit. The share that is returned was measured.
    """
    too_large, too_many = 1.0, known
    fit, few = 0.0, 0
    for left in reversed(range(_MOST_SHRINKS)):
        scale = max(least, _guessed_scale(fit, few, too_large, too_many, limit) if left or fit else least)
        size = measure(scale)
        if size <= limit:
            fit, few = scale, size
        else:
            too_large, too_many = scale, size
        if scale == least or (fit and (few >= _NEAR * limit or too_large / fit < 1.0 + 1.0 - _NEAR)):
            break
    return Shrunk(fit or least, within=bool(fit))


def _guessed_scale(fit: float, few: int, too_large: float, too_many: int, limit: int) -> float:
    """Bytes go with the pixels, so with the square of the sides; aim a little low."""
    aim = 0.97 * limit
    if not fit:
        return too_large * math.sqrt(aim / too_many) * 0.99
    power = math.log(too_many / few) / math.log(too_large / fit)
    share = math.log(aim / few) / max(power, 0.1) / math.log(too_large / fit)
    return float(fit * (too_large / fit) ** _clamped_share(share))
