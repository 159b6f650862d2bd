"""Parquet: a table by columns, read a batch of rows at a time."""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from toolkit.core.errors import RunStopped
from toolkit.core.lists.entry import ROW_LIMIT, Entry
from toolkit.core.lists.objects import text_of
from toolkit.core.lists.urlcolumn import distinct, find_column, no_column, numbered_column

BATCH = 1000
"""Rows in memory at a time, unless the file has been written in larger pages."""


def read(file: io.BufferedReader, url_column: str | None) -> Iterator[Entry]:
    """Yield an entry for each row, with its number in the table; raises UsageError if no column holds URLs."""
    with _seekable(file) as seekable:
        try:
            table = pq.ParquetFile(seekable, memory_map=False, pre_buffer=False)
            names = distinct(table.schema_arrow.names)
            place = _url_place(table.schema_arrow.names, url_column)
            number = 0
            for batch in table.iter_batches(BATCH, use_threads=False):
                cells = [_texts(column) for column in batch.columns]
                urls = cells.pop(place)
                others = names[:place] + names[place + 1 :]
                for row, url in enumerate(urls):
                    number += 1
                    yield _entry(number, url.strip(), others, [column[row] for column in cells], names[place])
        except (pa.ArrowException, OSError) as error:
            raise RunStopped(f"not a Parquet file that can be read: {error}") from error


@contextmanager
def _seekable(file: io.BufferedReader) -> Iterator[IO[bytes]]:
    """Lend the file, or a copy of it: what is at its end must be read first, and a stream has none yet."""
    if isinstance(file.raw, io.FileIO) and file.seekable():
        yield file
        return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(file, copy, 1 << 20)
        copy.seek(0)
        yield copy


def _url_place(names: list[str], wanted: str | None) -> int:
    place = find_column(names, wanted)
    if place is None:
        place = numbered_column(wanted, len(names))
    if place is None:
        raise no_column(names, wanted)
    return place


def _texts(column: pa.Array) -> list[str]:
    """Return a column's values as strings, nothing for null."""
    kind = column.type
    if not (pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
        try:
            return [value or "" for value in pc.cast(column, pa.large_string()).to_pylist()]
        except pa.ArrowException:  # there is no such cast for this type
            pass
    return [text_of(_plain(value)) for value in column.to_pylist()]


def _plain(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _entry(number: int, url: str, names: tuple[str, ...], cells: list[str], url_name: str) -> Entry:
    if sum(map(len, cells)) + len(url) > ROW_LIMIT:
        return Entry(number, "", (), f"the row is longer than {ROW_LIMIT:,} characters")
    return Entry(number, url, tuple(zip(names, cells, strict=True)), "" if url else f"no URL in column {url_name!r}")
