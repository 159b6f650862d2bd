"""Filters: the steps between what the page says and the value, as rules name them, and the type a value has then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from toolkit.apps.scrape.rules.model import Field, Filter
from toolkit.apps.scrape.rules.steps import CASTS, CHOICES, TEXTS, step, unquoted
from toolkit.core.errors import UsageError

OTHERS = ("split", "default", "required")
NEEDED = ("re", "replace", "nth", "join", "split", "default")
"""What makes no sense without something after the colon."""
FREE = (*NEEDED, "strip", "date", "price", "float", "bool", "json")


def parse_filter(field: str, text: str) -> Filter:
    """Return the filter that `name` or `name:argument` describes; raises UsageError."""
    name, colon, argument = text.strip().partition(":")
    name = name.strip().lower()
    known = (*CASTS, *TEXTS, *CHOICES, *OTHERS)
    if name not in known:
        raise UsageError(f"field {field!r}: no filter is called {name!r}: there are {', '.join(known)}")
    if colon and name not in FREE:
        raise UsageError(f"field {field!r}: {name} takes nothing after a colon")
    if name in NEEDED and not colon:
        raise UsageError(f"field {field!r}: {name} needs something after a colon, as in {EXAMPLES[name]}")
    found = Filter(name, argument if colon else None)
    step(field, found)
    return found


EXAMPLES = {
    "re": "re:([0-9]+)", "replace": "replace:,:.", "nth": "nth:2", "join": "join:', '", "split": "split:,",
    "default": "default:unknown",
}  # fmt: skip


def reduces(one: Filter) -> bool:
    """Tell whether a filter makes one value of several."""
    return one.name in CHOICES


def plural(field: Field) -> bool:
    """Tell whether the value is a list in the end."""
    result = field.many
    for one in field.filters:
        result = True if one.name == "split" else result and not reduces(one)
    return result


def gathers(field: Field) -> bool:
    """Tell whether all matches are wanted, not only the first."""
    return field.many or any(reduces(one) for one in field.filters)


def type_of(field: Field) -> type:
    """Return the type of a field's value in a row."""
    if plural(field) or field.take == "table":
        return list
    if field.fields:
        return dict
    return scalar_of(field)


def scalar_of(field: Field) -> type:
    """Return the type of one value of a field."""
    if field.fields:
        return dict
    casts = [CASTS[one.name] for one in field.filters if one.name in CASTS]
    texts = [number for number, one in enumerate(field.filters) if one.name in (*TEXTS, "join", "split")]
    if texts and casts and all(one.name not in CASTS for one in field.filters[texts[-1] :]):
        return str
    return casts[-1] if casts else bool if field.take == "exists" else str


def default_of(field: Field, text: str) -> Field:
    """Return the field with the default that a text stands for, cast as its values are; raises UsageError."""
    casts = [one for one in field.filters if one.name in CASTS]
    told: list[str] = []
    values: list[Any] = [unquoted(text)]
    place = _Told(told)
    for one in casts:
        values = step(field.name, one)(values, place)
    if told or (values[0] is None and casts):
        raise UsageError(f"field {field.name!r}: the default {text!r} does not fit: {(told or ['it is empty'])[0]}")
    return replace(field, default=(values[0],) if plural(field) else values[0])


class _Told:
    def __init__(self, told: list[str]) -> None:
        self._told = told

    def wrong(self, reason: str, index: int) -> None:  # noqa: ARG002 - there is one
        self._told.append(reason)

    def resolve(self, reference: str) -> str:
        return reference
