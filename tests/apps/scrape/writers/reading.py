"""Reading back what was written, each form by its own library."""

from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from toolkit.apps.scrape.writers import Row, Types

FORMS = ("jsonl", "csv", "tsv", "sqlite", "db", "parquet")
COLUMNS = ("url", "status", "title", "price", "stock", "links", "brand", "any")
TYPES: Types = {
    "url": str,
    "status": int,
    "title": str,
    "price": float,
    "stock": bool,
    "links": list[str],
    "brand": dict,
    "any": object,
}


def row(number: int, **others: Any) -> Row:
    """Return a row that can be told from the others."""
    facts = {"url": f"http://h/{number}", "status": 200, "title": f"é {number}", "price": number / 4, "stock": True}
    return {**facts, "links": [f"http://h/{number}/a"], "brand": {"name": "x"}, "any": "free", **others}


def read(path: Path) -> list[Row]:
    """Return the rows of a file as its form tells them."""
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if path.suffix == ".parquet":
        rows: list[Row] = pq.read_table(path).to_pylist()
        return rows
    if path.suffix in (".sqlite", ".db"):
        with closing(sqlite3.connect(path)) as database:
            database.row_factory = sqlite3.Row
            return [dict(found) for found in database.execute("SELECT * FROM rows ORDER BY rowid")]
    with path.open(encoding="utf-8", newline="") as text:
        csv.field_size_limit(10_000_000)
        return list(csv.DictReader(text, delimiter="\t" if path.suffix == ".tsv" else ","))


def as_read(path: Path, row: Row) -> Row:
    """Return a row of these columns as `read` must give it back."""
    if path.suffix == ".jsonl":
        return row
    nested = {name: _json(value) if isinstance(value, list | dict) else value for name, value in row.items()}
    if path.suffix == ".parquet":
        loose = nested["any"]
        return nested | {"links": row["links"], "any": loose if isinstance(loose, str | None) else _json(loose)}
    if path.suffix in (".sqlite", ".db"):
        return nested
    return {name: _cell(value) for name, value in nested.items()}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
