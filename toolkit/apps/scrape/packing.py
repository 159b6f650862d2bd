"""How the store keeps a page's rows: JSON in which each row stands as the line that JSON Lines have of it.

So those need not be made again, or be read, when a file of lines is written at the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.apps.scrape.writers._cells import json_text
from toolkit.apps.scrape.writers.jsonl import line

Row = dict[str, Any]
_ROWS, _NEXT, _END = ', "rows": [', ",\n", "]}"


@dataclass(frozen=True, slots=True)
class Lines:
    """Rows as lines of JSON, without their breaks. keys: the columns that all of them have, as JSON, or ""."""

    texts: tuple[str, ...] = ()
    keys: str = ""


def lines_of(rows: Sequence[Row]) -> Lines:
    """Return rows as lines."""
    keys = {tuple(row) for row in rows}
    return Lines(tuple(line(row) for row in rows), json_text(list(*keys)) if len(keys) == 1 else "")


def pack(size: int, lines: Lines, lost: Sequence[Row] = ()) -> str:
    """Return what is kept of a page, as JSON. size: its bytes on the wire; lost: rows that it had before."""
    facts = json_text({"bytes": size, "lost": list(lost)} if lost else {"bytes": size})[:-1]
    keys = f', "keys": {lines.keys}' if lines.keys else ""
    return f"{facts}{keys}{_ROWS}{_NEXT.join(lines.texts)}{_END}"


def unpack(texts: Iterable[str], columns: Sequence[str]) -> Iterator[str]:
    """Yield the rows in what was kept as lines with these columns, in order."""
    keys = f'"keys": {json_text(list(columns))}'
    for text in texts:
        facts, _, rest = text.partition(_ROWS)
        if facts.endswith(keys) and "\n" not in facts:
            yield from rest[: -len(_END)].split(_NEXT)
        else:
            for row in json.loads(text)["rows"]:
                yield line({column: row.get(column) for column in columns})
