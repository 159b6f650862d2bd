"""JSON Lines: one object a line, UTF-8, non-ASCII kept readable."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import IO

from toolkit.apps.scrape.writers import Row


def line(row: Row) -> str:
    """Return a row as one line, without its line break."""
    return json.dumps(row, ensure_ascii=False)


def write(file: IO[bytes], columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Write every row, its keys in the order of the columns."""
    for row in rows:
        text = line({column: row.get(column) for column in columns})
        file.write(text.encode("utf-8", "replace") + b"\n")
