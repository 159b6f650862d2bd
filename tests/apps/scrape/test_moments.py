"""Dates in sitemaps and feeds, and the option that holds them against a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.apps.scrape.moments import parse_moment, parse_since

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("2025", "2025-01-01T00:00:00+00:00"),
        ("2025-02", "2025-02-01T00:00:00+00:00"),
        ("2025-02-03", "2025-02-03T00:00:00+00:00"),
        ("2025-02-03T04:05Z", "2025-02-03T04:05:00+00:00"),
        ("2025-02-03T04:05:06+02:00", "2025-02-03T04:05:06+02:00"),
        ("2025-02-03T04:05:06.25-0330", "2025-02-03T04:05:06.250000-03:30"),
        ("2025-02-03T04:05:06.1234567Z", "2025-02-03T04:05:06.123456+00:00"),
        (" 2025-02-03 04:05:06 ", "2025-02-03T04:05:06+00:00"),
        ("2025-02-03t04:05:06z", "2025-02-03T04:05:06+00:00"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59+00:00"),
        ("Sat, 07 Sep 2002 00:00:01 GMT", "2002-09-07T00:00:01+00:00"),
        ("07 Sep 02 09:42 EST", "2002-09-07T09:42:00-05:00"),
        ("Tue, 10 Jun 2003 04:00:00 -0000", "2003-06-10T04:00:00+00:00"),
    ],
)
def test_parse_moment_when_it_is_one(text: str, start: str) -> None:
    """Every form of W3C, what is often written for it, and mail dates; without a zone it is UTC."""
    moment = parse_moment(text)
    assert moment is not None
    assert moment.start.isoformat() == start


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("2024", "2024-12-31T23:59:59.999999+00:00"),
        ("2024-02", "2024-02-29T23:59:59.999999+00:00"),
        ("2024-12", "2024-12-31T23:59:59.999999+00:00"),
        ("2024-02-29", "2024-02-29T23:59:59.999999+00:00"),
        ("2024-02-29T10:20Z", "2024-02-29T10:20:59.999999+00:00"),
        ("2024-02-29T10:20:30Z", "2024-02-29T10:20:30+00:00"),
    ],
)
def test_parse_moment_when_it_is_coarse(text: str, end: str) -> None:
    """A year, a month or a day lasts until its end."""
    moment = parse_moment(text)
    assert moment is not None
    assert moment.end.isoformat() == end


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "2025-13", "2025-02-30", "2025-02-03T25:00Z", "0000-01-01", "2025-2-3", "9999"),
        *("2025-02-03T04:05:06+99:00", "20250203", "1735689600", "٢٠٢٥", "2025-02-03" * 100),
    ],
)
def test_parse_moment_when_it_is_none(text: str) -> None:
    """What is no date is None, and never an error."""
    assert parse_moment(text) is None


@given(st.text(max_size=40) | st.from_regex(r"\A[0-9]{4}-[0-9]{2}-[0-9T:+Z. -]{2,20}\Z"))
def test_parse_moment_when_it_is_anything(text: str) -> None:
    """Whatever stands there: a moment with a zone that does not end before it starts, or None."""
    moment = parse_moment(text)
    if moment is not None:
        assert moment.start.tzinfo is not None
        assert moment.start <= moment.end


@given(st.datetimes(timezones=st.just(UTC)))
def test_parse_moment_when_written_by_isoformat(time: datetime) -> None:
    """What Python writes comes back."""
    moment = parse_moment(time.isoformat())
    assert moment is not None
    assert moment.start == time


def test_is_before_when_a_day_has_no_time() -> None:
    """A day that has begun before a time, and not ended, is not before it."""
    day = parse_moment("2026-05-01")
    assert day is not None
    assert not day.is_before(NOON)
    assert day.is_before(NOON + timedelta(days=1))
    assert not day.is_before(None)


def test_parse_since_when_it_is_a_time_or_an_age() -> None:
    """A date, or so long ago."""
    assert parse_since("2026-05-01T12:00Z") == NOON
    assert parse_since("12h", NOON) == NOON - timedelta(hours=12)
    assert parse_since("7 d", NOON) == NOON - timedelta(days=7)
    assert parse_since("2W", NOON) == NOON - timedelta(days=14)
    for text in ("", "soon", "999999w", "7"):
        with pytest.raises(ValueError, match="is no time"):
            parse_since(text, NOON)
