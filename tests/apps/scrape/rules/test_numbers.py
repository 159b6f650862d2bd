"""Numbers and prices are read as people write them, and nothing else is."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.apps.scrape.rules.numbers import Decimal, Unfit, parse_float, parse_int, parse_price

FLOATS = [
    ("1", 1.0),
    ("-5", -5.0),
    ("\u22123", -3.0),
    ("+7", 7.0),
    (".5", 0.5),
    ("5.", 5.0),
    ("1e3", 1000.0),
    ("1.5E-2", 0.015),
    ("12,5", 12.5),
    ("1,234", 1234.0),
    ("1.234", 1.234),
    ("1.234 €", 1234.0),
    ("0.125", 0.125),
    ("0,125", 0.125),
    ("1234.567", 1234.567),
    ("1234,567", 1234.567),
    ("1.234,56", 1234.56),
    ("1,234.56", 1234.56),
    ("1 234,56", 1234.56),
    ("1\u00a0234,56", 1234.56),
    ("1\u202f234", 1234.0),
    ("1'234.50", 1234.5),
    ("1\u2019234.50", 1234.5),
    ("1,23,456.78", 123456.78),
    ("1.234.567", 1234567.0),
    ("12.-", 12.0),
    ("12,\u2013", 12.0),
    ("\u0663\u0664", 34.0),
    ("\uff13\uff0e\uff15", 3.5),
    ("£51.77", 51.77),
    ("  $ 5 ", 5.0),
]
NO_NUMBERS = [
    "",
    "-",
    "five",
    "5 of 10",
    "20%",
    "(5)",
    "1.2.3",
    "1,,2",
    "1 23",
    "1-2",
    "5 € 6",
    "2 for $5",
    "--5",
    "-€-5",
    "$5 EUR",
    "5 XXX",
    "nan",
    "inf",
    "1e999",
    "0x10",
    "1_000",
    "9" * 500,
    "1.23,456",
    "12,34.567.8",
]


@pytest.mark.parametrize(("text", "number"), FLOATS)
def test_float_when_a_number(text: str, number: float) -> None:
    """The last sign parts the fraction; three digits behind a sole comma, or with a currency, are a group."""
    assert parse_float(text) == number


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_numbers_when_none(text: str) -> None:
    """Words, two numbers and broken groups are refused, never guessed at."""
    for parse in (parse_int, parse_float, parse_price):
        with pytest.raises(Unfit):
            parse(text)


@pytest.mark.parametrize(
    ("text", "decimal", "number"),
    [("1.234", ",", 1234.0), ("1,234", ",", 1.234), ("1,234", ".", 1234.0), ("1.234,5", ",", 1234.5)],
)
def test_float_when_the_sign_is_said(text: str, decimal: Decimal, number: float) -> None:
    """float:, and float:. leave nothing to guess."""
    assert parse_float(text, decimal) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,234", 1234),
        ("1.234", 1234),
        ("1 234 567", 1234567),
        ("-5.00", -5),
        ("12.-", 12),
        (str(2**63 - 1), 2**63 - 1),
    ],
)
def test_int_when_whole(text: str, number: int) -> None:
    """Signs part thousands; a fraction of zeros is none."""
    assert parse_int(text) == number


@pytest.mark.parametrize("text", ["1.5", "0.125", "1,234.56", str(2**63), "9" * 30, "1e3"])
def test_int_when_not_whole_or_too_large(text: str) -> None:
    """What no 64-bit column holds is refused."""
    with pytest.raises(Unfit):
        parse_int(text)


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("5", 5.0, None),
        ("1.234", 1234.0, None),
        ("1,234", 1234.0, None),
        ("£51.77", 51.77, "GBP"),
        ("1.234,50 €", 1234.5, "EUR"),
        ("-€5", -5.0, "EUR"),
        ("€ 5,-", 5.0, "EUR"),
        ("$5", 5.0, "$"),
        ("US$1,000.00", 1000.0, "USD"),
        ("R$ 9,90", 9.9, "BRL"),
        ("kr 1.299,00", 1299.0, "kr"),
        ("12,50zł", 12.5, "PLN"),
        ("1 234 Kč", 1234.0, "CZK"),
        ("Rs. 1,200", 1200.0, "Rs"),
        ("CHF 1'234.50", 1234.5, "CHF"),
        ("5 EUR", 5.0, "EUR"),
        ("¥1,200", 1200.0, "¥"),
    ],
)
def test_price_when_one(text: str, amount: float, currency: str | None) -> None:
    """Codes and signs of one country become ISO codes; a sign of several stays as it is."""
    assert parse_price(text) == {"amount": amount, "currency": currency}


def test_price_when_the_currency_is_said() -> None:
    """It stands for what is missing or ambiguous, and not for what is written."""
    assert parse_price("$5", "CAD")["currency"] == "CAD"
    assert parse_price("5", "CAD")["currency"] == "CAD"
    assert parse_price("€5", "CAD")["currency"] == "EUR"


@given(st.text(alphabet=st.sampled_from("0123456789.,' -+$€eE\u00a0\u0664xkr"), max_size=20) | st.text(max_size=50))
def test_numbers_when_anything(text: str) -> None:
    """Whatever the text, there is a finite number or the one error."""
    for parse in (parse_int, parse_float):
        with contextlib.suppress(Unfit):
            assert math.isfinite(parse(text))
    with contextlib.suppress(Unfit):
        amount = parse_price(text)["amount"]
        assert isinstance(amount, float)
        assert math.isfinite(amount)


@given(st.integers(-(10**12), 10**12), st.integers(0, 99), st.sampled_from(["{:,}.{:02}", "{:_}.{:02}"]))
def test_price_when_written_in_either_style(whole: int, cents: int, form: str) -> None:
    """What is written with groups and cents is read back, in both styles."""
    english = form.format(whole, cents).replace("_", " ")
    european = english.translate(str.maketrans(",.", ".,"))
    sign = -1 if whole < 0 else 1
    expected = pytest.approx(whole + sign * cents / 100)
    assert parse_price(english)["amount"] == expected
    assert parse_price(european)["amount"] == expected
