"""Entries from JSON values: a string is a URL, an object has it in one of its fields."""

from __future__ import annotations

import json
from typing import Any

from toolkit.core.lists.entry import Columns, Entry
from toolkit.core.lists.urlcolumn import find_column, no_url


class Objects:
    """Makes entries of values; wanted is the field that holds the URL, None for the best known one."""

    def __init__(self, wanted: str | None) -> None:
        self._wanted = wanted
        self._names: tuple[str, ...] = ()
        self._field: str | None = None

    def entry(self, number: int, value: Any) -> Entry:
        """Return the entry that a value is."""
        if isinstance(value, str):
            return Entry(number, value.strip(), (), "" if value.strip() else "an empty string")
        if not isinstance(value, dict):
            return Entry(number, "", (), f"neither a URL nor an object: {_short(value)}")
        field = self._field_of(value)
        if field is None:
            return Entry(number, "", columns_of(value, None), no_url(value, self._wanted))
        url = value[field]
        columns = columns_of(value, field)
        if url is None or url == "":
            return Entry(number, "", columns, f"no URL in {field!r}")
        if not isinstance(url, str):
            return Entry(number, "", columns, f"{field!r} holds no URL, but {_short(url)}")
        return Entry(number, url.strip(), columns, "" if url.strip() else f"no URL in {field!r}")

    def _field_of(self, value: dict[str, Any]) -> str | None:
        names = tuple(value)
        if names != self._names:
            place = find_column(names, self._wanted)
            self._names, self._field = names, None if place is None else names[place]
        return self._field


def columns_of(value: dict[str, Any], url_field: str | None) -> Columns:
    """Return the other fields as strings."""
    return tuple([(name, text_of(field)) for name, field in value.items() if name != url_field])


def text_of(value: Any) -> str:
    """Return a value as text: nothing for null, JSON for what is no string."""
    if isinstance(value, str):
        return value
    if type(value) is int:
        return str(value)
    return "" if value is None else json.dumps(value, ensure_ascii=False, default=str)


def _short(value: Any) -> str:
    text = text_of(value) or "null"
    return text if len(text) <= 40 else text[:39] + "…"  # noqa: PLR2004
