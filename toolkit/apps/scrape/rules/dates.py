"""Dates as pages write them, made ISO 8601: 2024-05-01, or 2024-05-01T10:30:00+02:00 where a time is given."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from email.utils import parsedate_to_datetime

from toolkit.apps.scrape.rules.numbers import Unfit

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+)?"
DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
YEAR = r"(?P<year>\d{4})"
CLOCK = (
    r"(?:(?:,|\s+at|,\s*at|\s+-)?\s+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?"
    r"(?:\s*(?P<half>[ap])\.?m\.?)?)?"
)
FORMS = tuple(
    re.compile(WEEKDAY + form + CLOCK, re.IGNORECASE)
    for form in (
        rf"{MONTH}\s+{DAY},?\s+{YEAR}",
        rf"{DAY}(?:\s+|-){MONTH},?(?:\s+|-){YEAR}",
        rf"{DAY}\s+of\s+{MONTH},?\s+{YEAR}",
        rf"{YEAR}[/.](?P<month>\d{{1,2}})[/.]{DAY}",
        rf"{DAY}\.\s?(?P<month>\d{{1,2}})\.\s?{YEAR}",
    )
)
TIMED = re.compile(r"%[HIMSpcXTfzZ]")
ISO = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?\s?(?:Z|[+-]\d{2}(?::?\d{2})?)?)?", re.IGNORECASE
)
EXPECTED = "a date such as 2024-05-01, 1 May 2024 or 1.5.2024"
LONGEST = 100


def parse_date(text: str, form: str | None = None) -> str:
    """Return a date, or date and time, in ISO 8601; raises Unfit.

    form: as of strptime; without it ISO 8601, mail dates, year/month/day, day.month.year, and English month names are
    known. 5/4/2024 is two different days on two sides of an ocean, and needs a form.
    """
    tidy = " ".join(text.split())
    if len(tidy) > LONGEST:
        raise Unfit(EXPECTED)
    return _formed(tidy, form) if form else _free(tidy)


def _formed(text: str, form: str) -> str:
    try:
        found = datetime.strptime(text, form)  # noqa: DTZ007 - a page seldom names the zone
    except (ValueError, OverflowError) as error:
        raise Unfit(f"a date of the form {form}") from error
    return found.isoformat() if TIMED.search(form) else found.date().isoformat()


def _free(text: str) -> str:
    if ISO.fullmatch(text):
        return _iso(text)
    for form in FORMS:
        if found := form.fullmatch(text):
            return _from_parts(found)
    try:
        return parsedate_to_datetime(text).isoformat()
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        slashed = re.match(r"\d{1,2}[/-]\d{1,2}[/-]\d{2,4}", text)
        hint = ", or the order of its numbers: date:%d/%m/%Y or date:%m/%d/%Y" if slashed else ""
        raise Unfit(EXPECTED + hint) from error


def _iso(text: str) -> str:
    try:
        if len(text) == len("2024-05-01"):
            return date.fromisoformat(text).isoformat()
        return datetime.fromisoformat(text.upper().replace(" ", "T", 1).replace(" ", "").replace(",", ".")).isoformat()
    except ValueError as error:
        raise Unfit(EXPECTED) from error


def _from_parts(found: re.Match[str]) -> str:
    month = found["month"].lower()
    try:
        number = int(month) if month.isdigit() else MONTHS.index(month[:3]) + 1
        day = date(int(found["year"]), number, int(found["day"]))
        if found["hour"] is None:
            return day.isoformat()
        hour = int(found["hour"])
        if half := found["half"]:
            hour = -1 if not 1 <= hour <= 12 else hour % 12 + (12 if half.lower() == "p" else 0)  # noqa: PLR2004
        return datetime.combine(day, time(hour, int(found["minute"]), int(found["second"] or 0))).isoformat()
    except ValueError as error:
        raise Unfit(EXPECTED) from error
