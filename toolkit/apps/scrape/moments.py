"""Moments as sitemaps and feeds write them: W3C's form of ISO 8601, as coarse as a year, and the dates of mails."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

LONGEST = 64
"""Characters; no date is longer."""
W3C = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s?(Z|[+-]\d\d(?::?\d\d)?)?)?)?)?",
    re.IGNORECASE | re.ASCII,
)
"""https://www.w3.org/TR/NOTE-datetime, and what is often written for it: a space for the T, a zone without colon."""
AGO = re.compile(r"(\d{1,6})\s*([hdw])", re.ASCII)
HOURS = {"h": 1, "d": 24, "w": 7 * 24}
SHORT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """A time, or the span that a coarse one stands for: the first and the last of its moments, both with a zone."""

    start: datetime
    end: datetime

    def is_before(self, since: datetime | None) -> bool:
        """Tell whether all of it is before a time; nothing is before None."""
        return since is not None and self.end < since


def parse_moment(text: str) -> Moment | None:
    """Return the moment that a text names, in UTC where it names no zone; None if it names none."""
    text = text.strip()
    if len(text) > LONGEST:
        return None
    try:
        found = W3C.fullmatch(text)
        if found is not None:
            return _w3c(found)
        time = parsedate_to_datetime(text)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
    time = time if time.tzinfo is not None else time.replace(tzinfo=UTC)
    return Moment(time, time)


def parse_since(text: str, now: datetime | None = None) -> datetime:
    """Return the time that an option names: a date, a date and time, or how long ago: 12h, 7d, 2w; raises ValueError.

    now: with a zone; by default the clock.
    """
    ago = AGO.fullmatch(text.strip().lower())
    try:
        if ago is not None:
            return (now or datetime.now(UTC)) - timedelta(hours=int(ago[1]) * HOURS[ago[2]])
    except OverflowError:
        pass
    else:
        moment = parse_moment(text)
        if moment is not None:
            return moment.start
    raise ValueError(f"{text!r} is no time: write 2026-05-01, 2026-05-01T10:30Z, or 12h, 7d, 2w for so long ago")


def _w3c(found: re.Match[str]) -> Moment:
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    if second == "60":  # a leap second, which Python has no place for
        second = "59"
    start = datetime(
        int(year),
        int(month or 1),
        int(day or 1),
        int(hour or 0),
        int(minute or 0),
        int(second or 0),
        int((fraction or "0")[:6].ljust(6, "0")),
        _zone(zone),
    )
    if hour is not None:
        length = timedelta(0) if second is not None else timedelta(minutes=1) - SHORT
        return Moment(start, start + length)
    if day is not None:
        return Moment(start, start + timedelta(days=1) - SHORT)
    years, months = divmod(start.year * 12 + start.month - 1 + (1 if month else 12), 12)
    return Moment(start, start.replace(year=years, month=months + 1) - SHORT)


def _zone(text: str | None) -> timezone:
    if text is None or text in "Zz":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    away = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(away if text[0] == "+" else -away)
