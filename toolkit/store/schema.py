"""The file itself: its mark, its version, its tables, and how those of an older one are brought up to date."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from toolkit.core.errors import UsageError
from toolkit.store import frontier, notes, tasks

SCHEMA = 3
"""The version of the tables, kept in the file as user_version."""
APPLICATION = 0x746B6974
"""What marks a SQLite file as a store ("tkit"), kept in the file as application_id."""

TABLES = """
CREATE TABLE names (name TEXT PRIMARY KEY, key TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE plans (plan TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    app TEXT NOT NULL,
    model TEXT NOT NULL,
    workers INTEGER NOT NULL,
    command TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started REAL NOT NULL,
    ended REAL,
    status TEXT,
    summary TEXT
);
"""


def _to_third(database: sqlite3.Connection) -> None:
    notes.make(database)
    database.execute(tasks.IN_PLACE)


MIGRATIONS: dict[int, Callable[[sqlite3.Connection], None]] = {1: frontier.make, 2: _to_third}
"""From a version to the next: what changes the tables."""


def connect(path: Path | None) -> sqlite3.Connection:
    """Open a store's file, or make it; None is one in memory. Raises sqlite3.Error.

    Raises UsageError for what is no store, or one that a newer toolkit wrote: such a file stays as it is.
    """
    database = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
    try:
        new = _is_new(database, path)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        _upgrade(database, new=new)
    except BaseException:
        database.close()
        raise
    return database


def make_private(path: Path) -> None:
    """Make the file, if it is new, readable by its owner only: URLs and payloads in it may hold passwords."""
    with suppress(OSError):  # opening it will say what is wrong
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _is_new(database: sqlite3.Connection, path: Path | None) -> bool:
    """Tell whether the file is empty; raises UsageError if it is not a store, or a newer one."""
    if not _number(database, "SELECT count(*) FROM sqlite_master"):
        return True
    if _number(database, "PRAGMA application_id") != APPLICATION:
        raise UsageError(f"{path} is some other SQLite file, not a store: --state FILE chooses another")
    version = _number(database, "PRAGMA user_version")
    if version > SCHEMA:
        raise UsageError(
            f"the store {path} was written by a newer toolkit (schema {version}, this one knows {SCHEMA}):"
            " upgrade with pip install -U toolkit, or choose another with --state FILE"
        )
    return False


def _upgrade(database: sqlite3.Connection, *, new: bool) -> None:
    database.execute("BEGIN IMMEDIATE")
    if new:
        for statement in TABLES.split(";"):
            database.execute(statement)
        for part in (tasks, frontier, notes):
            part.make(database)
        database.execute(f"PRAGMA application_id = {APPLICATION}")
    else:
        for version in range(_number(database, "PRAGMA user_version"), SCHEMA):
            MIGRATIONS[version](database)
    database.execute(f"PRAGMA user_version = {SCHEMA}")
    database.execute("COMMIT")


def _number(database: sqlite3.Connection, question: str) -> int:
    return int(database.execute(question).fetchone()[0])
