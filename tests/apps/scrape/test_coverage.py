"""Coverage is counted by field, whatever rows come."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.apps.scrape.coverage import Coverage, has_value, parse_share
from toolkit.core.errors import UsageError


def test_below_when_a_selector_broke() -> None:
    """The field is named with its share; one that is just at the threshold is not."""
    coverage = Coverage(["name", "price", "stock"])
    for number in range(10):
        coverage.add({"name": "n", "price": None if number else "1", "stock": "" if number == 0 else 0, "other": 1})
    assert coverage.below(0.9) == [("price", 0.1)]
    assert coverage.below(0.95) == [("price", 0.1), ("stock", 0.9)]
    assert coverage.counts() == {"name": (10, 10), "price": (1, 10), "stock": (9, 10)}


def test_below_when_page_types_differ() -> None:
    """A row counts for the fields of its own page type only."""
    coverage = Coverage(["name", "price"])
    coverage.add({"name": "n"})
    coverage.add({"price": 1})
    assert coverage.below(1.0) == []


def test_below_when_there_are_no_rows() -> None:
    """Where nothing was found nothing is covered."""
    assert Coverage(["name"]).below(0.5) == [("name", 0.0)]
    assert Coverage(["name"]).below(0.0) == []


@pytest.mark.parametrize("value", [0, 0.0, False, "0", [None], {"a": None}])
def test_has_value_when_there_is_one(value: Any) -> None:
    """Zero and false are values."""
    assert has_value(value)


@pytest.mark.parametrize("value", [None, "", [], {}])
def test_has_value_when_there_is_none(value: Any) -> None:
    """Null and what is empty are none."""
    assert not has_value(value)


@pytest.mark.parametrize(
    ("text", "share"), [("90%", 0.9), ("0.9", 0.9), (" 100 % ", 1.0), ("0", 0.0), (".5", 0.5), ("12.5%", 0.125)]
)
def test_parse_share_when_right(text: str, share: float) -> None:
    """Per cent, or a part of one."""
    assert parse_share(text) == share


@pytest.mark.parametrize("text", ["", "90", "101%", "-1%", "1.5", "nan", "inf", "90%%", "a"])
def test_parse_share_when_wrong(text: str) -> None:
    """90 may be meant as 90 %, but is not taken as such."""
    with pytest.raises(UsageError, match=r"write it as 90% or 0\.9"):
        parse_share(text)
