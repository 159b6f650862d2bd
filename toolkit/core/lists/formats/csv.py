"""CSV: cells between commas (RFC 4180), or between semicolons or tabs if the header says so."""

from __future__ import annotations

import io
from collections.abc import Iterator

from toolkit.core.lists.entry import Entry
from toolkit.core.lists.opening import as_text
from toolkit.core.lists.table import OTHERS, read_table


def read(file: io.BufferedReader, url_column: str | None) -> Iterator[Entry]:
    """Yield an entry for each row; raises UsageError if no column holds URLs."""
    with as_text(file, newline="") as text:
        yield from read_table(text, OTHERS, url_column)
