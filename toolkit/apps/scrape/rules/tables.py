"""Tables as records: one for each row, by the names in the header; a cell that spans others is in each place it covers.

The grid is formed as the HTML standard does (4.9.12, forming a table), within a limit on its cells.
"""

from __future__ import annotations

from typing import Any

from toolkit.apps.scrape.parsers import Document
from toolkit.apps.scrape.rules.numbers import Unfit

CELLS = 200_000
"""Places in a grid that we fill, and in its records: a few tags can claim millions."""
WIDEST = 1000
"""Columns that one cell may cover, by the standard."""

Row = tuple[Any, bool]
"""A tr element, and whether it stands in a thead."""


def records(document: Document, table: Any) -> list[dict[str, str]]:
    """Return a table's rows by column name; raises Unfit for what is no table, or too large a one.

    The names are those of the thead's rows, else of a first row that has only th cells; lines of a header are joined
    with a space. A column without a name is called by its number, one whose name is taken gets its number behind it.
    """
    if document.tag(table) != "table":
        raise Unfit(f"a table: it is <{document.tag(table)}>")
    rows = _rows(document, table)
    grid = _grid(document, rows)
    headed = [in_head for _, in_head in rows]
    if rows and not any(headed):
        cells = _cells(document, rows[0][0])
        headed[0] = len(rows) > 1 and bool(cells) and all(document.tag(cell) == "th" for cell in cells)
    width = max((len(line) for line in grid), default=0)
    names = _names([line for line, head in zip(grid, headed, strict=True) if head], width)
    body = [line for line, head in zip(grid, headed, strict=True) if not head and line]
    _check(width * len(body))  # a record has all columns, however short its row is
    return [dict(zip(names, [cell or "" for cell in line] + [""] * (width - len(line)), strict=True)) for line in body]


def _rows(document: Document, table: Any) -> list[Row]:
    rows: list[Row] = []
    for child in document.children(table):
        tag = document.tag(child)
        if tag == "tr":
            rows.append((child, False))
        elif tag in ("thead", "tbody", "tfoot"):
            rows += [(row, tag == "thead") for row in document.children(child) if document.tag(row) == "tr"]
    return rows


def _cells(document: Document, row: Any) -> list[Any]:
    return [cell for cell in document.children(row) if document.tag(cell) in ("td", "th")]


def _grid(document: Document, rows: list[Row]) -> list[list[str | None]]:
    """Return the texts by row and column; None where no cell reaches."""
    grid: list[list[str | None]] = []
    below: dict[int, tuple[int, str]] = {}
    filled = 0
    for row, _ in rows:
        line: list[str | None] = []
        for cell in _cells(document, row):
            _carry(line, below)
            text = document.text(cell)
            across = max(1, min(_number(document.attribute(cell, "colspan"), 1), WIDEST))
            down = _number(document.attribute(cell, "rowspan"), 1) or len(rows)
            _check(filled + len(line) + across)
            for column in range(len(line), len(line) + across):
                line.append(text)
                if down > 1:
                    below[column] = (down, text)
        _carry(line, below, to_end=True)
        below = {column: (left - 1, text) for column, (left, text) in below.items() if left > 1}
        filled += len(line)
        _check(filled)
        grid.append(line)
    return grid


def _check(cells: int) -> None:
    if cells > CELLS:
        raise Unfit(f"a table of at most {CELLS:,} cells")


def _carry(line: list[str | None], below: dict[int, tuple[int, str]], *, to_end: bool = False) -> None:
    """Put in what cells of earlier rows reach down with, from where the line ends."""
    last = max(below, default=-1) if to_end else -1
    while len(line) in below or len(line) <= last:
        line.append(below[len(line)][1] if len(line) in below else None)


def _number(text: str | None, usual: int) -> int:
    digits = (text or "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 6 else usual  # noqa: PLR2004


def _names(heads: list[list[str | None]], width: int) -> list[str]:
    names: dict[str, None] = {}
    for column in range(width):
        lines = [line[column] or "" for line in heads if column < len(line)]
        name = " ".join(dict.fromkeys(text for text in lines if text)) or str(column + 1)
        while name in names:
            name = f"{name} {column + 1}"
        names[name] = None
    return list(names)
