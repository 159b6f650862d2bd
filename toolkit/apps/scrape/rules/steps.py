"""What filters do, in the order written, until the text is the value.

Each step takes the values so far and gives new ones. What is missing (None, or no text for a cast) stays missing; what
is wrong is told to `wrong` and stays in its place as WRONG, which ends as null.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Protocol

from toolkit.apps.scrape.rules.currencies import CODES
from toolkit.apps.scrape.rules.dates import parse_date
from toolkit.apps.scrape.rules.model import Filter
from toolkit.apps.scrape.rules.numbers import Decimal, Unfit, parse_float, parse_int, parse_price
from toolkit.apps.scrape.rules.patterns import Pattern
from toolkit.core.errors import TaskError, UsageError
from toolkit.core.urls import wire_url

CASTS: dict[str, type] = {
    "int": int, "float": float, "price": dict, "date": str, "bool": bool, "url": str, "json": object,
}  # fmt: skip
TEXTS = ("strip", "lower", "upper", "re", "replace")
CHOICES = ("first", "last", "nth", "join")
"""What makes one value of several."""

TRUE = frozenset({"true", "yes", "y", "on", "1", "✓", "✔"})
FALSE = frozenset({"false", "no", "n", "off", "0", "✗", "✘"})


class Wrong:
    """The place of a value that did not fit."""


WRONG = Wrong()
SCALARS = (str, int, float, bool, dict, list)
SHOWN = 60
"""Letters of a text that a problem quotes."""


class Place(Protocol):
    """Where a value is found."""

    def wrong(self, reason: str, index: int) -> None:
        """Note that the value at this place among the values does not fit."""

    def resolve(self, reference: str) -> str:
        """Return a reference as an absolute URL."""


Step = Callable[[list[Any], Any], list[Any]]
"""Takes the values and the Place that they are from."""


def step(field: str, one: Filter) -> Step:
    """Return what a filter does; raises UsageError for an argument that it cannot use."""
    argument = one.argument
    if one.name in CASTS:
        return each(_cast(field, one), cast=True)
    if one.name == "re":
        return each(_search(field, argument or ""))
    if one.name == "replace":
        return each(_replace(field, argument or ""))
    if one.name == "split":
        return _split(field, unquoted(argument or ""))
    if one.name in CHOICES:
        return _choose(field, one)
    letters = None if argument is None else unquoted(argument)
    plain: dict[str, Callable[[Any, Place], Any]] = {
        "strip": lambda value, _: _text(value).strip(letters),
        "lower": lambda value, _: _text(value).lower(),
        "upper": lambda value, _: _text(value).upper(),
    }
    return each(plain[one.name]) if one.name in plain else lambda values, _place: values


def each(function: Callable[[Any, Any], Any], *, cast: bool = False) -> Step:
    """Return the step that does this to each value; to a cast, a text without signs is missing."""

    def run(values: list[Any], place: Place) -> list[Any]:
        done: list[Any] = []
        for index, value in enumerate(values):
            if value is None or value is WRONG or (cast and isinstance(value, str) and not value.strip()):
                done.append(value if value is WRONG else None)
                continue
            try:
                done.append(function(value, place))
            except Unfit as error:
                place.wrong(f"{_quoted(value)} is not {error}" if isinstance(value, SCALARS) else f"not {error}", index)
                done.append(WRONG)
        return done

    return run


def unquoted(text: str) -> str:
    r"""Return an argument without the quotes around it, which keep white space, and with \n and \t as signs."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    return text.replace("\\n", "\n").replace("\\t", "\t")


def _cast(field: str, one: Filter) -> Callable[[Any, Place], Any]:
    argument = one.argument
    if one.name == "bool":
        return _bool(None if argument is None else Pattern(field, argument.strip()))
    if one.name == "json":
        path = [] if argument is None else unquoted(argument).split(".")
        return lambda value, _: _json(value, path)
    if one.name == "url":
        return _url
    parse = _parser(field, one.name, argument)
    return lambda value, _: parse(_text(value))


def _parser(field: str, name: str, argument: str | None) -> Callable[[str], Any]:
    if name == "int":
        return parse_int
    if name == "float":
        decimal = _decimal(field, argument)
        return lambda text: parse_float(text, decimal)
    if name == "price":
        currency, sign = _price(field, argument)
        return lambda text: parse_price(text, currency, sign)
    form = None if argument is None else unquoted(argument)
    if form is not None and "%" not in form:
        raise UsageError(f"field {field!r}: {form!r} is no form of a date: write it as date:%d.%m.%Y")
    return lambda text: parse_date(text, form)


def _decimal(field: str, argument: str | None) -> Decimal:
    match None if argument is None else argument.strip():
        case None:
            return None
        case ",":
            return ","
        case ".":
            return "."
    raise UsageError(
        f"field {field!r}: float:{argument} is unknown: float:, or float:. says which sign parts the fraction"
    )


def _price(field: str, argument: str | None) -> tuple[str | None, Decimal]:
    currency, decimal = None, None
    for part in (argument or "").split(":") if argument is not None else ():
        name = part.strip()
        if name.upper() in CODES:
            currency = name.upper()
        elif name in (".", ","):
            decimal = _decimal(field, name)
        else:
            raise UsageError(
                f"field {field!r}: price:{argument} is unknown: name a currency (price:USD), the decimal sign (price:,)"
                " or both (price:USD:,)"
            )
    return currency, decimal


def _bool(pattern: Pattern | None) -> Callable[[Any, Place], bool]:
    def run(value: Any, _: Place) -> bool:
        if pattern is not None:
            return pattern.search(_text(value)) is not None
        word = _text(value).strip().lower()
        if word in TRUE or word in FALSE:
            return word in TRUE
        raise Unfit("yes or no (true, on, 1, false, off, 0); bool:PATTERN says what means yes")

    return run


def _url(value: Any, place: Place) -> str:
    url = place.resolve(_text(value))
    try:
        wire_url(url)
    except TaskError:
        raise Unfit("an http or https URL") from None
    return url


def _json(value: Any, path: list[str]) -> Any:
    if isinstance(value, str):
        try:
            value = json.loads(value, parse_constant=_refuse)
        except (ValueError, RecursionError):
            raise Unfit("JSON") from None
    for name in path:
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list):
            value = value[int(name)] if name.isdecimal() and len(name) < 10 and int(name) < len(value) else None  # noqa: PLR2004
        else:
            return None
    return value


def _refuse(name: str) -> None:
    raise ValueError(name)


def _search(field: str, text: str) -> Callable[[Any, Place], Any]:
    pattern = Pattern(field, unquoted(text) if text.strip()[:1] in "\"'" else text.strip())
    group = 1 if pattern.groups else 0

    def run(value: Any, _: Place) -> str | None:
        found = pattern.search(_text(value))
        return None if found is None else found[group]

    return run


def _replace(field: str, argument: str) -> Callable[[Any, Place], Any]:
    parts = [part.replace("\\:", ":") for part in re.split(r"(?<!\\):", argument)]
    if len(parts) != 2 or not unquoted(parts[0]):  # noqa: PLR2004 - old and new
        raise UsageError(f"field {field!r}: write replace:OLD:NEW, and a colon in them as \\:")
    old, new = map(unquoted, parts)
    return lambda value, _: _text(value).replace(old, new)


def _split(field: str, sign: str) -> Step:
    if not sign:
        raise UsageError(f"field {field!r}: split needs a sign to split at, as in split:,")

    def run(values: list[Any], _place: Place) -> list[Any]:
        texts = [_text(value) for value in values if value is not None and value is not WRONG]
        return [piece for text in texts for part in text.split(sign) if (piece := part.strip())]

    return run


def _choose(field: str, one: Filter) -> Step:
    if one.name == "join":
        sign = unquoted(one.argument or "")

        def join(values: list[Any], _place: Place) -> list[Any]:
            texts = [_text(value) for value in values if value is not None and value is not WRONG]
            return [sign.join(texts)] if texts else [None]

        return join
    number = {"first": "1", "last": "-1"}.get(one.name, (one.argument or "").strip())
    if not re.fullmatch(r"-?[1-9]\d{0,8}", number):
        raise UsageError(f"field {field!r}: nth:{number} is no place: nth:1 is the first, nth:-1 the last")
    at = int(number) - (0 if number.startswith("-") else 1)

    def choose(values: list[Any], _place: Place) -> list[Any]:
        return [values[at]] if -len(values) <= at < len(values) else [None]

    return choose


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise Unfit("a text")


def _quoted(value: Any) -> str:
    text = value if isinstance(value, str) else str(value)
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "…")
