"""Rows as tables: CSV (RFC 4180) and Parquet."""

from __future__ import annotations

import csv
import importlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any

from toolkit.core.errors import MissingExtra

BATCH = 10_000
"""Rows of a Parquet file that are in memory at a time."""


def write_csv(file: IO[bytes], columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    """Write a header and every row; lists with spaces between their parts, of objects as JSON; nothing for None."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    text.flush()
    text.detach()


def read_csv(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows that write_csv wrote, all as text; raises OSError for what is no such file."""
    try:
        with path.open(encoding="utf-8", newline="") as text:
            yield from csv.DictReader(text, restkey="")
    except (csv.Error, UnicodeError) as error:
        raise OSError(f"{path} is no CSV file that can be read: {error}") from error


def check_parquet() -> None:
    """Raise MissingExtra unless Parquet can be written."""
    try:
        importlib.import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        raise MissingExtra("--manifest as Parquet needs the package 'pyarrow', which", "parquet") from error


def write_parquet(
    file: IO[bytes], columns: Sequence[str], rows: Iterable[dict[str, Any]], fields: Mapping[str, type]
) -> None:
    """Write every row, in batches; what is in fields has the type that stands there, all else is text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = pa.list_(pa.string())
    kinds = {int: pa.int64(), float: pa.float64(), bool: pa.bool_(), list: texts, str: pa.string()}
    schema = pa.schema([(column, kinds[fields.get(column, str)]) for column in columns])
    left = iter(rows)
    with pq.ParquetWriter(file, schema) as writer:
        while batch := list(islice(left, BATCH)):
            writer.write_table(pa.Table.from_pylist([_typed(row, columns, fields) for row in batch], schema=schema))


def read_parquet(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows that write_parquet wrote; raises OSError for what is no such file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(BATCH):
                yield from batch.to_pylist()
    except pa.ArrowException as error:
        raise OSError(f"{path} is no Parquet file that can be read: {error}") from error


def _typed(row: dict[str, Any], columns: Sequence[str], fields: Mapping[str, type]) -> dict[str, Any]:
    """Return a row whose text columns hold text; objects in lists become JSON."""
    return {name: _texts(row.get(name)) if name in fields else _text(row.get(name)) for name in columns}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _texts(value: Any) -> Any:
    return (
        [json.dumps(part) if isinstance(part, dict) else part for part in value] if isinstance(value, list) else value
    )


def _cell(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    if any(isinstance(part, dict) for part in value):
        return json.dumps(value)
    return " ".join(map(str, value))
