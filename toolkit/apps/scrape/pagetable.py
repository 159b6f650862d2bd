"""The tables of the page cache: how its file is opened, and what a transaction on it does. All raise sqlite3.Error."""

from __future__ import annotations

import json
import os
import sqlite3  # noqa: TID251 - the store is one run's, the page cache is for many at once
import time
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from toolkit.apps.scrape.freshness import Entry
from toolkit.core.errors import UsageError
from toolkit.core.http import Headers

SCHEMA = 1
"""The version of the tables below, kept in the file as user_version."""
APPLICATION = 0x746B7063
"""What marks a SQLite file as a page cache ("tkpc"), kept in the file as application_id."""
PATIENCE = 10.0
"""Seconds to wait for others that write."""
PAGE = 16 * 1024
"""Bytes of the database's own pages: most bodies need one or two."""
ROW = 256
"""Bytes that an entry takes besides its fields and body, about."""
VACUUM = 4096
"""The database's pages that are given back to the disk at a time, 64 MB."""

TABLES = """
CREATE TABLE pages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    url TEXT NOT NULL UNIQUE,
    used INTEGER NOT NULL, weight INTEGER NOT NULL,
    asked REAL NOT NULL, answered REAL NOT NULL,
    reason TEXT NOT NULL,
    headers TEXT NOT NULL,
    vary TEXT NOT NULL, cookie TEXT NOT NULL, address TEXT NOT NULL,
    size INTEGER NOT NULL, packed INTEGER NOT NULL, crc INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX pages_used ON pages (used);
CREATE TABLE total (weight INTEGER NOT NULL);
INSERT INTO total VALUES (0);
"""
_FIND = "SELECT headers, asked, answered, reason, vary, cookie, address, number, size FROM pages WHERE url = ?"
_BODY = "SELECT body, packed, crc FROM pages WHERE number = ?"
_KEEP = (
    "INSERT INTO pages"
    " (url, used, weight, asked, answered, reason, headers, vary, cookie, address, size, packed, crc, body)"
    " VALUES (?, (SELECT coalesce(max(used), 0) + 1 FROM pages), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_CONFIRM = (
    "UPDATE pages SET asked = ?, answered = ?, headers = ?, vary = ?, cookie = ?, address = ?, weight = weight + ?"
    " WHERE number = ?"
)
_USED = "UPDATE pages SET used = (SELECT max(used) + 1 FROM pages) WHERE number = ?"

Change = Callable[[sqlite3.Connection], object]
"""Something done to the tables in one transaction."""
Stored = tuple[bytes, int, int]
"""A body in the table, whether it is compressed, and the CRC-32 of what it was."""
T = TypeVar("T")


def open_writer(path: str) -> sqlite3.Connection:
    """Open or make the file; raises UsageError if it is not a page cache, or if a newer toolkit wrote it."""
    with suppress(OSError):  # opening it will say what is wrong; pages may be for their owner only
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    database = _connect(path)
    try:
        new = _is_new(database, path)  # asked first: a file that is not ours must stay as it is
        if new:
            database.execute(f"PRAGMA page_size = {PAGE}")
            database.execute("PRAGMA auto_vacuum = INCREMENTAL")
        _patiently(lambda: database.execute("PRAGMA journal_mode = WAL").fetchone())
        database.execute("PRAGMA synchronous = NORMAL")
        if new:
            _make(database, path)
    except BaseException as error:
        database.close()
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            raise UsageError(f"{path} is no page cache ({error}): choose another file, or remove it") from error
        raise
    return database


def open_reader(path: str) -> sqlite3.Connection:
    """Open a second connection, which waits for no writer."""
    database = _connect(path)
    database.execute("PRAGMA query_only = ON")
    return database


def shrink(database: sqlite3.Connection) -> None:
    """Give the disk back what is no longer needed, if that is much."""
    if number_of(database, "PRAGMA freelist_count") * 4 > number_of(database, "PRAGMA page_count"):
        with suppress(sqlite3.OperationalError):  # another is at it
            database.executescript(f"PRAGMA incremental_vacuum({VACUUM})")  # execute would stop after the first page


def entry_at(database: sqlite3.Connection, url: str) -> Entry | None:
    """Return what is known of a URL's page."""
    row = database.execute(_FIND, (url,)).fetchone()
    if row is None:
        return None
    headers, asked, answered, reason, vary, cookie, address, number, size = row
    fields = Headers([*json.loads(headers), ("content-length", str(size))])
    return Entry(url, fields, asked, answered, reason, vary, cookie, address, number, size)


def stored_body(database: sqlite3.Connection, number: int) -> Stored | None:
    """Return a body as it is stored, or None if it is no longer there."""
    row: Stored | None = database.execute(_BODY, (number,)).fetchone()
    return row


def unpacked(stored: Stored) -> bytes | None:
    """Return a body as it came over the wire, or None if it is damaged."""
    data, packed, crc = stored
    try:
        body = zlib.decompress(data) if packed else data
    except zlib.error:
        return None
    return body if zlib.crc32(body) == crc else None


def keeping(url: str, entry: Entry, body: bytes, limit: int) -> Change:
    """Return what puts a page in place of an older one of its URL, unless it alone is over the limit.

    What has no content coding is compressed, here and now.
    """
    packed = not entry.headers.get("content-encoding")
    data = zlib.compress(body, 1) if packed else body
    fields = _text(entry.headers)
    weight = len(data) + len(fields) + len(url) + ROW
    facts = (entry.asked, entry.answered, entry.reason, fields, entry.vary, entry.cookie, entry.address)
    row = (url, weight, *facts, len(body), packed, zlib.crc32(body), data)

    def change(database: sqlite3.Connection) -> None:
        remove(database, "url", [url])
        if weight <= limit:
            database.execute(_KEEP, row)
            _weigh(database, weight)
            make_room(database, limit)

    return change


def confirming(entry: Entry) -> Change:
    """Return what keeps an entry's fields and times as they are now; its body stays."""
    fields = _text(entry.headers)

    def change(database: sqlite3.Connection) -> None:
        found = database.execute("SELECT length(headers) FROM pages WHERE number = ?", (entry.number,)).fetchone()
        if found is not None:  # or another has the page anew
            more = len(fields) - found[0]
            facts = (entry.asked, entry.answered, fields, entry.vary, entry.cookie, entry.address)
            database.execute(_CONFIRM, (*facts, more, entry.number))
            _weigh(database, more)

    return change


def remove(database: sqlite3.Connection, column: str, values: Sequence[Any]) -> None:
    """Remove the pages that have these values in a column of ours."""
    for value in values:
        sql = f"SELECT number, weight FROM pages WHERE {column} = ?"  # noqa: S608 - one of our columns
        for number, weight in database.execute(sql, (value,)).fetchall():
            database.execute("DELETE FROM pages WHERE number = ?", (number,))
            _weigh(database, -weight)


def make_room(database: sqlite3.Connection, limit: int) -> None:
    """Remove what was not used for longest, until the rest is within the limit."""
    over = weight_of(database) - limit
    going: list[int] = []
    for number, weight in database.execute("SELECT number, weight FROM pages ORDER BY used"):
        if over <= 0:
            break
        going.append(number)
        over -= weight
    remove(database, "number", going)


def note_used(database: sqlite3.Connection, numbers: Sequence[int]) -> None:
    """Note that pages were used, in this order."""
    last = reversed(dict.fromkeys(reversed(numbers)))
    database.executemany(_USED, [(number,) for number in last])


def weight_of(database: sqlite3.Connection) -> int:
    """Return the bytes of all pages with their fields."""
    return number_of(database, "SELECT weight FROM total")


def number_of(database: sqlite3.Connection, sql: str) -> int:
    """Return the one number that a query has for an answer."""
    return int(database.execute(sql).fetchone()[0])


def _connect(path: str) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)


def _is_new(database: sqlite3.Connection, path: str) -> bool:
    """Tell whether the file is empty; raises UsageError if it is not a page cache, or a newer one."""
    if not number_of(database, "SELECT count(*) FROM sqlite_master"):
        return True
    if number_of(database, "PRAGMA application_id") != APPLICATION:
        raise UsageError(f"{path} is some other SQLite file, not a page cache: choose another file")
    version = number_of(database, "PRAGMA user_version")
    if version > SCHEMA:
        raise UsageError(
            f"the page cache {path} was written by a newer toolkit (schema {version}, this one knows {SCHEMA}):"
            " upgrade with pip install -U toolkit, or choose another file"
        )
    return False


def _make(database: sqlite3.Connection, path: str) -> None:
    """Make the tables, if no other process was faster."""
    database.execute("BEGIN IMMEDIATE")
    if _is_new(database, path):
        for statement in TABLES.split(";"):
            database.execute(statement)
        database.execute(f"PRAGMA application_id = {APPLICATION}")
        database.execute(f"PRAGMA user_version = {SCHEMA}")
    database.execute("COMMIT")


def _patiently(action: Callable[[], T]) -> T:
    """Do what SQLite refuses at once, without waiting, while another process opens the same new file."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return action()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
        time.sleep(0.01)


def _weigh(database: sqlite3.Connection, more: int) -> None:
    database.execute("UPDATE total SET weight = weight + ?", (more,))


def _text(headers: Headers) -> str:
    return json.dumps([field for field in headers if field[0] != "content-length"])
