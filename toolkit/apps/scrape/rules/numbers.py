"""Numbers and prices as people write them: 1,234.56, 1.234,56, 1 234,56, 1'234.50, 12.-, $5."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Literal

from toolkit.apps.scrape.rules.currencies import CODES, SIGNS

SPACES = " \u00a0\u2007\u2009\u202f"
MINUS = str.maketrans(
    {
        "\u2212": "-",
        "\u2010": "-",
        "\u2011": "-",
        "\u2019": "'",
        "\u066b": ".",
        "\u066c": ",",
        "\uff0e": ".",
        "\uff0c": ",",
        "\uffe5": "¥",
    }
)
FIFTEEN = 15
"""Digits that a float keeps."""
LARGEST = 2**63
LONGEST = 400
"""Letters of a text that may be a number."""

_WORDS = sorted(SIGNS, key=len, reverse=True)
_SIGN = "|".join(re.escape(word) + (r"(?![^\W\d_])" if word[-1].isalpha() else "") for word in _WORDS)
CURRENCY = rf"(?:(?<![^\W\d_])(?:[A-Z]{{3}}(?![A-Za-z])|{_SIGN})\.?)"
DIGITS = rf"\d(?:[\d.,'{SPACES}]*\d)?|[.,]\d+"
NUMBER = re.compile(
    rf"(?P<a>[+-]?)\s*(?P<before>{CURRENCY})?\s*(?P<b>[+-]?)\s*(?P<digits>{DIGITS})(?P<dash>[.,]\s?[-\u2013\u2014]+)?"
    rf"(?P<stop>[.,])?\s*(?P<after>{CURRENCY})?"
)
SCIENCE = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)[eE][+-]?\d{1,3}")

Decimal = Literal[".", ","] | None


class Unfit(ValueError):  # noqa: N818 - a state of the text
    """A text that is not what the rule says; the message says what was expected."""


def parse_int(text: str) -> int:
    """Return a whole number of at most 64 bits; raises Unfit. One sign before three digits parts thousands: 1.234."""
    plain, _ = _read(text, None, "a whole number", thousands=True)
    whole, _, fraction = plain.partition(".")
    if fraction.strip("0"):
        raise Unfit("a whole number")
    if len(whole) > FIFTEEN + 5 or not -LARGEST <= int(whole) < LARGEST:
        raise Unfit("a number of at most 64 bits")
    return int(whole)


def parse_float(text: str, decimal: Decimal = None) -> float:
    """Return a number; raises Unfit.

    decimal: which sign parts the fraction; None: what the text itself tells, and 1.234 is less than two, but 1,234 and
    1.234 € are more than a thousand.
    """
    tidy = text.strip()
    plain = tidy if SCIENCE.fullmatch(tidy) else _read(text, decimal, "a number", thousands=False)[0]
    return _finite(plain)


def parse_price(text: str, currency: str | None = None, decimal: Decimal = None) -> dict[str, float | str | None]:
    """Return amount and currency (ISO 4217, or the sign if several countries use it, or None); raises Unfit.

    currency: what an ambiguous or missing sign stands for. 1.234 and 1,234 are both more than a thousand, unless
    decimal says otherwise: prices have no thirds of a cent.
    """
    plain, found = _read(text, decimal, "a price", thousands=decimal is None)
    code = SIGNS.get(found or "", found)
    if currency and (code is None or code not in CODES):
        code = currency
    return {"amount": _finite(plain), "currency": code}


def _finite(plain: str) -> float:
    number = float(plain)
    if not math.isfinite(number):
        raise Unfit("a number that a double holds")
    return number


def _read(text: str, decimal: Decimal, what: str, *, thousands: bool) -> tuple[str, str | None]:
    """Return the number as Python writes it, and the currency as written."""
    found = NUMBER.fullmatch(_ascii(text).strip()) if len(text) <= LONGEST else None
    if found is None or (found["a"] and found["b"]) or (found["before"] and found["after"]):
        raise Unfit(what)
    written = found["before"] or found["after"]
    currency = _currency(written) if written else None
    if written and currency is None:
        raise Unfit(what)
    try:
        plain = _plain(found["digits"], decimal, thousands=thousands or written is not None)
    except ValueError:
        raise Unfit(what) from None
    return (found["a"] or found["b"]).replace("+", "") + plain, currency


def _currency(written: str) -> str | None:
    for name in (written, written.removesuffix(".")):
        if name in SIGNS or name in CODES:
            return name
    return None


def _plain(digits: str, decimal: Decimal, *, thousands: bool) -> str:
    signs = [sign for sign in digits if sign in ".,"]
    if decimal is None and signs:
        decimal = _decimal(digits, signs, thousands=thousands)
    whole, point, fraction = digits.rpartition(decimal) if decimal and decimal in digits else (digits, "", "")
    if point and not fraction.isdigit():
        raise ValueError(digits)
    return _joined(whole) + (f".{fraction}" if point else "")


def _decimal(digits: str, signs: list[str], *, thousands: bool) -> Decimal:
    """Return the sign that parts the fraction, or None if none does."""
    last: Decimal = "." if signs[-1] == "." else ","
    if len(set(signs)) == 2:  # noqa: PLR2004 - both
        return last
    if len(signs) > 1:
        return None
    before, after = digits.split(last)
    long = len(re.sub(r"\D", "", before)) > 3 and before.isdigit()  # noqa: PLR2004 - 1234.567 has no thousands
    if len(after) != 3 or not before or before.startswith("0") or long or not before.isdigit():  # noqa: PLR2004
        return last
    return None if thousands or last == "," else last


def _joined(whole: str) -> str:
    """Return digits without what parts their groups; raises ValueError if these are not of three, or as in India."""
    if whole.isdigit() or not whole:
        return whole or "0"
    if len({sign for sign in whole if not sign.isdigit()}) > 1:
        raise ValueError(whole)
    first, *groups = re.split(r"\D", whole)
    usual = 1 <= len(first) <= 3 and all(len(group) == 3 for group in groups)  # noqa: PLR2004
    indian = 1 <= len(first) <= 2 and len(groups[-1]) == 3 and all(len(group) == 2 for group in groups[:-1])  # noqa: PLR2004
    if not usual and not indian:
        raise ValueError(whole)
    return first + "".join(groups)


def _ascii(text: str) -> str:
    """Return the text with every script's digits as ours."""
    if text.isascii():
        return text
    plain = "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in text)
    return plain.translate(MINUS)
