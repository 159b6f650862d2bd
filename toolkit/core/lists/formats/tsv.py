"""TSV: cells between tabs."""

from __future__ import annotations

import io
from collections.abc import Iterator

from toolkit.core.lists.entry import Entry
from toolkit.core.lists.opening import as_text
from toolkit.core.lists.table import read_table


def read(file: io.BufferedReader, url_column: str | None) -> Iterator[Entry]:
    """Yield an entry for each row; raises UsageError if no column holds URLs."""
    with as_text(file, newline="") as text:
        yield from read_table(text, "\t", url_column)
