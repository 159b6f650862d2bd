"""SQLite: the table `rows` of a database, which any SQL tool opens; lists and records as JSON, None as NULL."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from toolkit.apps.scrape.writers import UNTYPED, Row, Types
from toolkit.apps.scrape.writers._cells import json_text, whole
from toolkit.apps.scrape.writers._columns import check_columns
from toolkit.apps.scrape.writers._growing import shorter
from toolkit.core.errors import FailureKind, TaskError, UsageError
from toolkit.storage import make_parent

TABLE = "rows"
KINDS = {str: "TEXT", int: "INTEGER", float: "REAL", bool: "BOOLEAN", list: "TEXT", dict: "TEXT", object: ""}
"""How columns are declared; one of any value has no type, and keeps numbers as numbers."""
BATCH = 500
"""Rows in one transaction, if nobody asks for a mark before."""
LARGEST = 2**63
FULL = ("full", "disk I/O error", "readonly")


def write(
    file: IO[bytes],
    columns: Sequence[str],
    rows: Iterable[Row],
    *,
    types: Types = UNTYPED,
    escape_formulas: bool = False,  # noqa: ARG001 - no spreadsheet opens it
) -> None:
    """Write a database with every row; it is made in a file of its own, since SQLite wants a name."""
    with tempfile.TemporaryDirectory(prefix="toolkit-") as folder:
        made = Path(folder) / "rows.sqlite"
        with _refusing(made), closing(sqlite3.connect(made, isolation_level=None)) as database:
            database.execute("PRAGMA journal_mode = OFF")
            database.execute("PRAGMA synchronous = OFF")
            database.execute("BEGIN")
            _create(database, columns, types)
            database.executemany(_insert(columns, ()), (_values(row, columns) for row in rows))
            database.execute("COMMIT")
        with made.open("rb") as whole_file:
            shutil.copyfileobj(whole_file, file, 1024 * 1024)


def check_replaceable(path: Path) -> None:
    """Raise UsageError for a file that is somebody's own database: replacing it would cost its other tables."""
    if not path.is_file() or not path.stat().st_size:
        return
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            tables = [name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    except sqlite3.Error as error:
        raise UsageError(f"{path} is there and is no database that can be read ({error}): remove it first") from error
    others = [name for name in tables if name != TABLE and not name.startswith("sqlite_")]
    if others:
        raise UsageError(f"{path} has other tables ({', '.join(others[:20])}): add to it, or choose another output")


class Appender:
    """Adds rows in short transactions, in WAL mode; with a key, a row takes the place of an older one of that key."""

    def __init__(
        self,
        path: Path,
        columns: Sequence[str],
        *,
        types: Types = UNTYPED,
        key: Sequence[str] = (),
        escape_formulas: bool = False,  # noqa: ARG002
        mark: int | None = None,
    ) -> None:
        """Open the database; raises UsageError if its table has other columns, TaskError."""
        self._path, self._columns = path, tuple(columns)
        make_parent(path)
        with _refusing(path):
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            try:
                self._prepare(types, key, mark)
            except BaseException:
                self._database.close()
                raise
        self._sql = _insert(columns, key)
        self._waiting = 0

    def add(self, row: Row) -> None:
        """Write a row; raises TaskError."""
        with _refusing(self._path):
            if not self._database.in_transaction:
                self._database.execute("BEGIN IMMEDIATE")
            self._database.execute(self._sql, _values(row, self._columns))
        self._waiting += 1
        if self._waiting >= BATCH:
            self._commit()

    def mark(self) -> int:
        """Commit, and return the number of the last row."""
        self._commit()
        with _refusing(self._path):
            return _last(self._database)

    def close(self) -> None:
        """Commit and close, once; what is left is one file."""
        try:
            self._commit()
            with suppress(sqlite3.Error):  # somebody reads it: then the log stays beside it
                self._database.execute("PRAGMA journal_mode = DELETE")
        finally:
            self._database.close()

    def _prepare(self, types: Types, key: Sequence[str], mark: int | None) -> None:
        database = self._database
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("BEGIN IMMEDIATE")
        found = [name for _, name, *_ in database.execute(f"PRAGMA table_info({TABLE})")]
        if found:
            check_columns(self._path, found, self._columns)
        else:
            _create(database, self._columns, types)
        if key:
            database.execute(f"CREATE UNIQUE INDEX IF NOT EXISTS {TABLE}_key ON {TABLE} ({_names(key)})")
        if mark is not None:
            if mark > _last(database):
                raise shorter(self._path)
            database.execute(f"DELETE FROM {TABLE} WHERE rowid > ?", (mark,))
        database.execute("COMMIT")

    def _commit(self) -> None:
        self._waiting = 0
        if self._database.in_transaction:
            with _refusing(self._path):
                self._database.execute("COMMIT")


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """Turn what SQLite refuses into our errors."""
    try:
        yield
    except sqlite3.Error as error:
        what = f"cannot write {path}: {error}"
        if isinstance(error, sqlite3.OperationalError) and any(word in str(error) for word in FULL):
            raise TaskError(FailureKind.DISK, what, fatal=True) from error
        if "locked" in str(error):
            raise TaskError(FailureKind.NAME, f"{what}: another program is writing it", retryable=True) from error
        raise UsageError(what) from error


def _create(database: sqlite3.Connection, columns: Sequence[str], types: Types) -> None:
    declared = (f"{_name(column)} {_kind(types.get(column, str))}".rstrip() for column in columns)
    database.execute(f"CREATE TABLE {TABLE} ({', '.join(declared)})")


def _kind(kind: Any) -> str:
    return KINDS.get(kind, "TEXT")


def _insert(columns: Sequence[str], key: Sequence[str]) -> str:
    signs = ", ".join("?" for _ in columns)
    sql = f"INSERT INTO {TABLE} ({_names(columns)}) VALUES ({signs})"
    if not key:
        return sql
    changes = ", ".join(f"{_name(name)} = excluded.{_name(name)}" for name in columns if name not in key)
    return f"{sql} ON CONFLICT ({_names(key)}) DO " + (f"UPDATE SET {changes}" if changes else "NOTHING")


def _names(columns: Iterable[str]) -> str:
    return ", ".join(map(_name, columns))


def _name(column: str) -> str:
    return '"' + whole(column).replace('"', '""') + '"'


def _values(row: Row, columns: Sequence[str]) -> list[Any]:
    return [_value(row.get(column)) for column in columns]


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, list | dict | tuple):
        return json_text(value)
    if isinstance(value, int) and not -LARGEST <= value < LARGEST:
        return str(value)
    return value


def _last(database: sqlite3.Connection) -> int:
    return int(database.execute(f"SELECT coalesce(max(rowid), 0) FROM {TABLE}").fetchone()[0])
