"""Tables of cells between delimiters (RFC 4180), a row at a time; a row that is no row is told and left behind."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import TextIO

from toolkit.core.errors import UsageError
from toolkit.core.lists.entry import ROW_LIMIT, Entry
from toolkit.core.lists.opening import is_cut, lines_of
from toolkit.core.lists.urlcolumn import distinct, find_column, is_url, no_column, numbered_column

OTHERS = ",;\t"
"""What may stand between the cells of a .csv file; where a comma is a decimal point, programs write semicolons."""


class _TooLong(Exception):  # noqa: N818 - ends a row, not a program
    """The row is longer than its limit."""


class _Lines:
    """The lines of a table for the CSV reader, with a cap on what one row may take."""

    def __init__(self, text: TextIO) -> None:
        self._lines = lines_of(text, ROW_LIMIT)
        self._first = next(self._lines, "")
        self._again = bool(self._first)
        self.number = 0
        self.size = 0

    @property
    def first(self) -> str:
        """The first line, not yet taken."""
        return self._first

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._again:
            line, self._again = self._first, False
        else:
            line = next(self._lines)
        self.number += 1
        self.size += len(line)
        if self.size > ROW_LIMIT and (self.size > len(line) or is_cut(line, ROW_LIMIT)):
            raise _TooLong
        return line


def read_table(text: TextIO, delimiters: str, url_column: str | None) -> Iterator[Entry]:
    """Yield an entry for each row below the header; an entry's number is that of the line where its row begins.

    text must keep line ends as they are. delimiters: of them, the one that finds the URL's column in the first line is
    taken, else the first. A first row that holds a URL is no header: then the columns have numbers for names. Raises
    UsageError if no column holds URLs.
    """
    lines = _Lines(text)
    rows = _rows(lines, _delimiter(lines.first, delimiters, url_column))
    first = next(rows, None)
    if first is None:
        return
    number, cells, bad = first
    if bad:
        raise UsageError(f"line {number}: {bad}")
    place, has_header = _url_place(cells, url_column)
    names = distinct(cells if has_header else [str(n + 1) for n in range(len(cells))])
    if not has_header:
        yield _entry(first, place, names)
    for row in rows:
        yield _entry(row, place, names)


def _rows(lines: _Lines, delimiter: str) -> Iterator[tuple[int, list[str], str]]:
    """Yield where a row begins, its cells, and what is wrong with it; blank rows are left out."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.size = 0
        number = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, [], f"not a row of a table: {error}"
        except _TooLong:
            yield number, [], f"the row is longer than {ROW_LIMIT:,} characters, or a quoted cell in it does not end"
        else:
            if any(cells) and (len(cells) > 1 or cells[0].strip()):
                yield number, cells, ""


def _delimiter(line: str, delimiters: str, wanted: str | None) -> str:
    for delimiter in delimiters[1:]:
        try:
            cells = next(csv.reader([line], delimiter=delimiter, strict=True), [])
        except csv.Error:
            continue
        if len(cells) > 1 and find_column(cells, wanted) is not None:
            return delimiter
    return delimiters[0]


def _url_place(cells: Sequence[str], wanted: str | None) -> tuple[int, bool]:
    """Return the place of the URL in a row, and whether the first row is a header; raises UsageError."""
    place = find_column(cells, wanted)
    if place is not None:
        return place, True
    if wanted is not None:
        place = numbered_column(wanted, len(cells))
        if place is None:
            raise no_column(cells, wanted)
        return place, not is_url(cells[place])
    for place, cell in enumerate(cells):
        if is_url(cell):
            return place, False
    raise no_column(cells, wanted)


def _entry(row: tuple[int, list[str], str], place: int, names: tuple[str, ...]) -> Entry:
    number, cells, bad = row
    if bad:
        return Entry(number, "", (), bad)
    if len(cells) != len(names):
        return Entry(number, "", (), f"{len(cells)} cells, where the first row has {len(names)}")
    url = cells.pop(place).strip()
    columns = tuple(zip(names[:place] + names[place + 1 :], cells, strict=True))
    return Entry(number, url, columns, "" if url else f"no URL in column {names[place]!r}")
