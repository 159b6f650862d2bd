"""Dates become ISO 8601, and an ambiguous one is an error."""

from __future__ import annotations

import contextlib
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.apps.scrape.rules.dates import parse_date
from toolkit.apps.scrape.rules.numbers import Unfit


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2024-05-01", "2024-05-01"),
        ("2024-05-01T10:00:00Z", "2024-05-01T10:00:00+00:00"),
        ("2024-05-01 10:00", "2024-05-01T10:00:00"),
        ("2024-05-01T10:00:00.25+0200", "2024-05-01T10:00:00.250000+02:00"),
        ("Wed, 01 May 2024 10:00:00 GMT", "2024-05-01T10:00:00+00:00"),
        ("May 1, 2024", "2024-05-01"),
        ("1 May 2024", "2024-05-01"),
        ("1st of May 2024", "2024-05-01"),
        ("Wednesday, 1 May\u00a02024", "2024-05-01"),
        ("Sept. 5, 2024 10:30 PM", "2024-09-05T22:30:00"),
        ("May 1, 2024 at 12:05am", "2024-05-01T00:05:00"),
        ("1-May-2024", "2024-05-01"),
        ("2024/05/01", "2024-05-01"),
        ("1.5.2024", "2024-05-01"),
        ("01.05.2024 12:00", "2024-05-01T12:00:00"),
        ("29 February 2024", "2024-02-29"),
    ],
)
def test_date_when_known(text: str, iso: str) -> None:
    """A time stays if there is one, and its zone if it is said."""
    assert parse_date(text) == iso


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2024", "May 2024", "2024-13-01", "Feb 30, 2024", "29.2.2023", "1 May 24", "5 Mai 2024",
     "May 1, 2024 13:00 PM", "2024-05-01T25:00", "x" * 1000],
)  # fmt: skip
def test_date_when_none(text: str) -> None:
    """What is no full date is refused."""
    with pytest.raises(Unfit, match="a date such as"):
        parse_date(text)


def test_date_when_ambiguous() -> None:
    """5/4/2024 is two days; the message shows how to say which."""
    with pytest.raises(Unfit, match="date:%d/%m/%Y or date:%m/%d/%Y"):
        parse_date("5/4/2024")
    assert parse_date("5/4/2024", "%d/%m/%Y") == "2024-04-05"
    assert parse_date("5/4/2024", "%m/%d/%Y") == "2024-05-04"


def test_date_when_the_form_is_said() -> None:
    """A time in the form gives a time in the value; what is of another form is refused."""
    assert parse_date(" 1. 5.2024  7:30 ", "%d. %m.%Y %H:%M") == "2024-05-01T07:30:00"
    with pytest.raises(Unfit, match="of the form %Y"):
        parse_date("1 May", "%Y")


@given(st.text(max_size=40) | st.datetimes().map(str) | st.from_regex(r"\A\d{1,4}[/. -]\d{1,2}[/. -]\d{1,4}\Z"))
def test_date_when_anything(text: str) -> None:
    """Whatever the text, there is an ISO date or the one error."""
    with contextlib.suppress(Unfit):
        datetime.fromisoformat(parse_date(text))
