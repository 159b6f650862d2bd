"""CSV by RFC 4180: a header, fixed columns, CRLF, quotes where needed; lists as JSON arrays, None as nothing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import IO, Any

from toolkit.apps.scrape.writers import Row


def write(file: IO[bytes], columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Write the header and every row."""
    text = io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="", write_through=False)
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    text.flush()
    text.detach()


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
