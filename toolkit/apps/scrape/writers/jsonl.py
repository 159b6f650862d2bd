"""JSON Lines: one object a line, UTF-8, non-ASCII kept readable."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, BinaryIO

from toolkit.apps.scrape.writers import UNTYPED, Row, Types
from toolkit.apps.scrape.writers._cells import json_text
from toolkit.apps.scrape.writers._growing import GrowingFile
from toolkit.core.errors import UsageError

BLOCK = 64 * 1024
BREAKS = {chr(sign): f"\\u{sign:04x}" for sign in (0x85, 0x2028, 0x2029)}


def line(row: Row) -> str:
    """Return a row as one line, without its line break; also for readers that know other breaks than JSON does."""
    text = json_text(row)
    if not text.isascii():
        for sign, escape in BREAKS.items():
            if sign in text:
                text = text.replace(sign, escape)
    return text


def write(
    file: IO[bytes],
    columns: Sequence[str],
    rows: Iterable[Row],
    *,
    types: Types = UNTYPED,  # noqa: ARG001 - JSON has its own
    escape_formulas: bool = False,  # noqa: ARG001 - no spreadsheet opens it
) -> None:
    """Write every row, its keys in the order of the columns."""
    for row in rows:
        file.write(_bytes(columns, row))


class Appender:
    """Writes a line for each row; columns that a row has not are null."""

    def __init__(
        self,
        path: Path,
        columns: Sequence[str],
        *,
        types: Types = UNTYPED,  # noqa: ARG002
        key: Sequence[str] = (),  # noqa: ARG002 - a line stays where it is
        escape_formulas: bool = False,  # noqa: ARG002
        mark: int | None = None,
    ) -> None:
        """Open the file, mended; raises UsageError and TaskError."""
        self._columns = tuple(columns)
        self._file = GrowingFile(path, LastLine(path), mark)

    @property
    def cut(self) -> int:
        """Bytes that were behind the last whole line, and are gone."""
        return self._file.cut

    def add(self, row: Row) -> None:
        """Write a row; raises TaskError."""
        self._file.write(_bytes(self._columns, row))

    def mark(self) -> int:
        """Return the bytes so far; a line that is written survives a kill."""
        return self._file.size

    def close(self) -> None:
        """Close the file, once."""
        self._file.close()


class LastLine:
    """Finds where the last line of a file ends.

    One without a line break counts if it is a whole object, which half of one never is. What never was the beginning of
    a row is not ours to cut off: UsageError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, file: BinaryIO) -> tuple[int, bytes]:
        """Return the place, and the line break if it is missing."""
        size = at = file.seek(0, os.SEEK_END)
        tail = b""
        while at and b"\n" not in tail:
            at = max(0, at - max(BLOCK, len(tail)))
            file.seek(at)
            tail = file.read(size - at)
        rest = tail[tail.rfind(b"\n") + 1 :]
        if rest and _is_object(rest):
            return size, b"\n"
        if rest.strip(b"\0") and not rest.startswith(b"{"):  # zeros are what a power cut leaves
            raise UsageError(f"{self._path} holds no JSON lines that rows can be added to: choose another output")
        return size - len(rest), b""


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _bytes(columns: Sequence[str], row: Row) -> bytes:
    return line({column: row.get(column) for column in columns}).encode() + b"\n"
