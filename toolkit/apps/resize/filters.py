"""The filters by name: what their amount means, and which amounts make sense. No pixels here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Amount:
    """The number that a filter takes: its usual value and its limits, both allowed."""

    usual: float
    least: float
    most: float
    meaning: str


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter to apply, with its amount (0 for those that take none)."""

    name: str
    amount: float


FILTERS: dict[str, Amount | None] = {
    "blur": Amount(2.0, 0.1, 100.0, "radius in pixels of the result"),
    "sharpen": Amount(1.0, 0.0, 5.0, "strength, 1 is ordinary"),
    "grayscale": None,
    "sepia": Amount(1.0, 0.0, 1.0, "share of the tone"),
    "contrast": Amount(1.2, 0.0, 5.0, "factor around middle grey, 1 changes nothing"),
    "autocontrast": Amount(0.5, 0.0, 45.0, "percent of the pixels that may clip at each end"),
    "invert": None,
    "edge": None,
}


def parse_filter(text: str) -> Filter:
    """Read `NAME` or `NAME:AMOUNT`; raises ValueError with a message."""
    name, colon, number = text.strip().partition(":")
    if name not in FILTERS:
        raise ValueError(f"there is no filter {name!r}; there are: {', '.join(FILTERS)}")
    amount = FILTERS[name]
    if amount is None:
        if colon:
            raise ValueError(f"{name} takes no amount: write {name}")
        return Filter(name, 0.0)
    if not colon:
        return Filter(name, amount.usual)
    try:
        value = float(number)
    except ValueError:
        value = float("nan")
    if not amount.least <= value <= amount.most:
        limits = f"a number from {amount.least:g} to {amount.most:g} ({amount.meaning})"
        raise ValueError(f"{text!r}: the amount of {name} is {limits}")
    return Filter(name, value)
