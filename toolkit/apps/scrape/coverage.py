"""Field coverage: in which share of the rows a field has a value; a selector that broke shows as a share that fell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from toolkit.core.errors import UsageError


class Coverage:
    """Counts the rows of a run by field, in memory that does not grow with them.

    fields: the columns that are watched. A row counts for the fields that it has a key for: those of its page's type.
    """

    __slots__ = ("_counts", "rows")

    def __init__(self, fields: Iterable[str]) -> None:
        self._counts: dict[str, list[int]] = {field: [0, 0] for field in fields}
        self.rows = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """Count a row."""
        self.rows += 1
        for field, counts in self._counts.items():
            if field in row:
                counts[0] += has_value(row[field])
                counts[1] += 1

    def shares(self) -> dict[str, float]:
        """Return each field's share of rows with a value, from 0 to 1; without any row that has the field it is 0."""
        return {field: full / rows if rows else 0.0 for field, (full, rows) in self._counts.items()}

    def counts(self) -> dict[str, tuple[int, int]]:
        """Return for each field the rows with a value and the rows that could have one."""
        return {field: (full, rows) for field, (full, rows) in self._counts.items()}

    def below(self, threshold: float) -> list[tuple[str, float]]:
        """Return the fields whose share is below the threshold, with their shares, in the order of the columns."""
        return [(field, share) for field, share in self.shares().items() if share < threshold]


def has_value(value: Any) -> bool:
    """Tell whether a field has a value: null, "", [] and {} are none; 0 and false are."""
    return value is not None and value not in ("", [], {})


def parse_share(text: str) -> float:
    """Return a share from 0 to 1, of `90%` or `0.9`; raises UsageError."""
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?|\.[0-9]{1,9}) ?(%?)", text.strip())
    share = None if found is None else float(found[1]) / (100 if found[2] else 1)
    if share is None or share > 1:
        raise UsageError(f"{text!r} is no share of rows: write it as 90% or 0.9")
    return share
