"""CSV by RFC 4180: a header, fixed columns, CRLF, quotes where needed; lists and records as JSON, None as nothing.

None and an empty text are the same empty cell: no reader of CSV would tell them apart. Truth is `true` or `false`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import isfinite
from pathlib import Path
from typing import IO, Any, BinaryIO

from toolkit.apps.scrape.writers import UNTYPED, Row, Types
from toolkit.apps.scrape.writers._cells import json_text, whole
from toolkit.apps.scrape.writers._columns import check_columns
from toolkit.apps.scrape.writers._growing import GrowingFile
from toolkit.core.errors import UsageError

BLOCK = 1024 * 1024
FORMULA = re.compile(r"[=+\-@\t\r\n]")
"""How a cell begins that a spreadsheet may take for a formula."""
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)*([eE][+-]?\d+)?")
"""What begins so and does no harm."""


def write(
    file: IO[bytes],
    columns: Sequence[str],
    rows: Iterable[Row],
    *,
    types: Types = UNTYPED,  # noqa: ARG001 - cells have none
    escape_formulas: bool = False,
    delimiter: str = ",",
) -> None:
    """Write the header and every row.

    escape_formulas: whether texts that begin with = + - @ or white space that breaks cells get an apostrophe before
    them, unless they are plain numbers.
    """
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
    writer = csv.writer(text, delimiter=delimiter)
    cell = _escaped if escape_formulas else _cell
    writer.writerow([cell(column) for column in columns])
    for row in rows:
        writer.writerow([cell(row.get(column)) for column in columns])
    text.flush()
    text.detach()


class Appender:
    """Writes a line for each row under the header of the file; a new file gets one."""

    def __init__(
        self,
        path: Path,
        columns: Sequence[str],
        *,
        types: Types = UNTYPED,  # noqa: ARG002
        key: Sequence[str] = (),  # noqa: ARG002 - a line stays where it is
        escape_formulas: bool = False,
        mark: int | None = None,
        delimiter: str = ",",
    ) -> None:
        """Open the file, mended; raises UsageError if it has other columns, TaskError."""
        self._cell = _escaped if escape_formulas else _cell
        self._line = _Line(delimiter)
        self._columns = _columns_of(path, delimiter, columns, self._cell)
        header = self._line(map(self._cell, columns))
        self._file = GrowingFile(path, _Mend(path, header), mark)
        if not self._file.size:
            self._columns = tuple(columns)
            self._file.write(header)

    @property
    def cut(self) -> int:
        """Bytes that were behind the last whole line, and are gone."""
        return self._file.cut

    def add(self, row: Row) -> None:
        """Write a row; raises TaskError."""
        self._file.write(self._line([self._cell(row.get(column)) for column in self._columns]))

    def mark(self) -> int:
        """Return the bytes so far; a line that is written survives a kill."""
        return self._file.size

    def close(self) -> None:
        """Close the file, once."""
        self._file.close()


class _Line:
    """Makes the bytes of a row."""

    def __init__(self, delimiter: str) -> None:
        self._text = io.StringIO(newline="")
        self._writer = csv.writer(self._text, delimiter=delimiter)

    def __call__(self, cells: Iterable[Any]) -> bytes:
        self._writer.writerow(cells)
        line = self._text.getvalue().encode()
        self._text.seek(0)
        self._text.truncate()
        return line


class _Mend:
    """Finds where the last row ends: at a line break outside of quotes. A file that has no row yet must be ours."""

    def __init__(self, path: Path, header: bytes) -> None:
        self._path, self._header = path, header

    def __call__(self, file: BinaryIO) -> tuple[int, bytes]:
        start = file.read(len(self._header))
        file.seek(0)
        end = _last_row(file)
        if start and not end and not self._header.startswith(start):
            raise UsageError(f"{self._path} is no table that rows can be added to: choose another output")
        return end, b""


def _last_row(file: BinaryIO) -> int:
    end = at = 0
    quoted = False
    while block := file.read(BLOCK):
        for number, piece in enumerate(block.split(b'"')):
            if number:
                quoted = not quoted
                at += 1
            if not quoted and (found := piece.rfind(b"\n")) >= 0:
                end = at + found + 1
            at += len(piece)
    return end


def _columns_of(path: Path, delimiter: str, columns: Sequence[str], cell: Callable[[Any], Any]) -> tuple[str, ...]:
    """Return the columns in the order of the file, which may be another one; raises UsageError for other columns."""
    header = _header(path, delimiter)
    if header is None:
        return tuple(columns)
    named = {str(cell(column)): column for column in columns}
    check_columns(path, header, named)
    return tuple(named[name] for name in header)


def _header(path: Path, delimiter: str) -> list[str] | None:
    """Return the first row of a file, or None if there is no file or the row has no end."""
    last = ""

    def lines() -> Iterator[str]:
        nonlocal last
        while last := text.readline(BLOCK):
            yield last

    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as text:
            header = next(csv.reader(lines(), delimiter=delimiter, strict=True), None)
    except (FileNotFoundError, csv.Error):
        return None
    return header if last.endswith("\n") else None


def _escaped(value: Any) -> Any:
    cell = _cell(value)
    if isinstance(value, str) and FORMULA.match(cell) and not NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return whole(value.replace("\0", "\ufffd") if "\0" in value else value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return value if isfinite(value) else None
    return json_text(value) if isinstance(value, list | dict | tuple) else value
