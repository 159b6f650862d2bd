"""Parquet: columns typed by the rules; lists whose type says of what as lists, other lists and records as JSON texts.

Such a file is whole only when its end is written. So rows that come one at a time stand in a hidden file of JSON lines
beside, and get into the table when the appender is closed: its old groups of rows are copied, new ones follow.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from math import isfinite
from pathlib import Path
from typing import IO, Any, get_args, get_origin

import pyarrow as pa
import pyarrow.parquet as pq

from toolkit.apps.scrape.writers import UNTYPED, Row, Types, jsonl
from toolkit.apps.scrape.writers._cells import json_text, whole
from toolkit.apps.scrape.writers._columns import check_columns
from toolkit.apps.scrape.writers._growing import GrowingFile, shorter
from toolkit.core.errors import UsageError
from toolkit.storage import atomic_write

KINDS = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
ROWS, LETTERS = 2_000, 1_000_000
"""Rows, and letters in them, that make a group and are in memory at a time."""
LARGEST = 2**63
MERGED = b"toolkit.journal"
"""Where the table says which journal it has taken in, so that a kill right after that doubles nothing."""


def write(
    file: IO[bytes],
    columns: Sequence[str],
    rows: Iterable[Row],
    *,
    types: Types = UNTYPED,
    escape_formulas: bool = False,  # noqa: ARG001 - no spreadsheet opens it
) -> None:
    """Write every row, a group at a time. A value that is not of its column's type is null."""
    with pq.ParquetWriter(file, _schema(columns, types)) as writer:
        for table in _groups(rows, writer.schema):
            writer.write_table(table)


class Appender:
    """Keeps rows in a journal; the file itself changes when this is closed, at once."""

    def __init__(
        self,
        path: Path,
        columns: Sequence[str],
        *,
        types: Types = UNTYPED,
        key: Sequence[str] = (),  # noqa: ARG002 - groups that are written stay as they are
        escape_formulas: bool = False,  # noqa: ARG002
        mark: int | None = None,
    ) -> None:
        """Open the journal; raises UsageError if the file has other columns or types, TaskError."""
        self._path, self._schema = path, _schema(columns, types)
        self._columns = tuple(columns)
        before, merged = _look(path, self._schema)
        self._journal = path.with_name(f".{path.name}.journal.jsonl")
        name = _name_of(self._journal)
        if name and name == merged:  # killed between the rename and this
            self._journal.unlink()
            name = ""
        self._mend = _First(self._journal, None if mark is None else mark - before)
        self._file = GrowingFile(self._journal, self._mend)
        self._kept, self._count = before, self._mend.rows
        if mark is not None and mark > before + self._count:
            self._file.close()
            raise shorter(path)
        if mark is not None and mark < before:
            self._kept = mark
        self.name = name or uuid.uuid4().hex
        if not self._file.size:
            self._file.write(json_text({"journal": self.name}).encode() + b"\n")

    def add(self, row: Row) -> None:
        """Write a row to the journal; raises TaskError."""
        self._file.write(json_text({name: row.get(name) for name in self._columns}).encode() + b"\n")
        self._count += 1

    def mark(self) -> int:
        """Return how many rows there are; what is in the journal survives a kill."""
        return self._kept + self._count

    def close(self) -> None:
        """Take the journal into the file, once."""
        self._file.close()
        with atomic_write(self._path) as file:
            schema = self._schema.with_metadata({MERGED: self.name.encode()})
            with pq.ParquetWriter(file, schema) as writer:
                for table in _old(self._path, self._kept):
                    writer.write_table(table.select(schema.names).cast(schema))
                for table in _groups(_journalled(self._journal), self._schema):
                    writer.write_table(table.cast(schema))
        self._journal.unlink()


class _First:
    """Mends a journal, and finds the end of its first rows; most: how many may stay, or None."""

    def __init__(self, path: Path, most: int | None) -> None:
        self._last, self._most = jsonl.LastLine(path), most
        self.rows = 0

    def __call__(self, file: Any) -> tuple[int, bytes]:
        end, missing = self._last(file)
        file.seek(0)
        at = 0
        for line in file:
            if at >= end or (self._most is not None and at and self.rows >= max(0, self._most)):
                break
            self.rows += bool(at)  # the first line is the journal's name
            at += len(line)
        return at, missing if at == end else b""


def _schema(columns: Sequence[str], types: Types) -> Any:
    return pa.schema([(whole(column), _kind(types.get(column, str))) for column in columns])


def _kind(kind: Any) -> Any:
    parts = get_args(kind) if get_origin(kind) is list else ()
    return pa.list_(KINDS[parts[0]]) if parts and parts[0] in KINDS else KINDS.get(kind, pa.string())


def _look(path: Path, schema: Any) -> tuple[int, str]:
    """Return the rows of a file that is there, and the journal that it took in last; raises UsageError."""
    try:
        with pq.ParquetFile(path) as file:
            found, rows = file.schema_arrow, file.metadata.num_rows
    except FileNotFoundError:
        return 0, ""
    except (pa.ArrowException, OSError) as error:
        raise UsageError(f"{path} is no Parquet file that rows can be added to: {error}") from error
    check_columns(path, found.names, schema.names)
    for column in schema:
        there = found.field(column.name).type
        if there != column.type:
            raise UsageError(
                f"{path}: column {column.name!r} is {there} there, and {column.type} by these rules:"
                " choose another output, or write it anew"
            )
    return rows, (found.metadata or {}).get(MERGED, b"").decode()


def _old(path: Path, most: int) -> Iterator[Any]:
    """Yield the first rows of the file that is there, some at a time."""
    if not most:
        return
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS, use_threads=False):
            yield pa.Table.from_batches([batch.slice(0, most)])
            most -= min(most, batch.num_rows)
            if not most:
                return


def _name_of(journal: Path) -> str:
    """Return the name in a journal's first line; "" if there is none."""
    with suppress(OSError, ValueError), journal.open("rb") as lines:
        return str(json.loads(lines.readline())["journal"])
    return ""


def _journalled(journal: Path) -> Iterator[Row]:
    with journal.open("rb") as lines:
        next(lines, None)
        for line in lines:
            yield json.loads(line)


def _groups(rows: Iterable[Row], schema: Any) -> Iterator[Any]:
    """Yield tables of rows that fit in memory easily."""
    taking = {column.name: _taking(column.type) for column in schema}
    held: list[Row] = []
    letters = 0
    for row in rows:
        cells = {name: take(row.get(name)) for name, take in taking.items()}
        held.append(cells)
        letters += sum(len(cell) for cell in cells.values() if isinstance(cell, str | list))
        if len(held) >= ROWS or letters >= LETTERS:
            yield pa.Table.from_pylist(held, schema=schema)
            held, letters = [], 0
    if held:
        yield pa.Table.from_pylist(held, schema=schema)


def _taking(kind: Any) -> Callable[[Any], Any]:
    """Return what makes a column's value of any other: None of one that is of another type."""
    if pa.types.is_string(kind):
        return _text
    if pa.types.is_list(kind):
        part = _taking(kind.value_type)
        return lambda value: [part(each) for each in value] if isinstance(value, list | tuple) else None
    if pa.types.is_boolean(kind):
        return lambda value: value if isinstance(value, bool) else None
    return _number if pa.types.is_floating(kind) else _integer


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return whole(value)
    return None if value is None else json_text(value)


def _number(value: Any) -> float | None:
    if isinstance(value, float):
        return value if isfinite(value) else None
    return None if (found := _integer(value)) is None else float(found)


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and -LARGEST <= value < LARGEST else None
