"""What an app keeps in the store besides tasks: texts by name, committed together with what they are about."""

from __future__ import annotations

import sqlite3

TABLE = "CREATE TABLE notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"


def make(database: sqlite3.Connection) -> None:
    """Make the table."""
    database.execute(TABLE)


def write(database: sqlite3.Connection, name: str, value: str) -> None:
    """Keep a text; "" forgets it. Raises sqlite3.Error."""
    if value:
        database.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, value))
    else:
        database.execute("DELETE FROM notes WHERE name = ?", (name,))


def read(database: sqlite3.Connection, name: str) -> str:
    """Return the text, or "". Raises sqlite3.Error."""
    row = database.execute("SELECT value FROM notes WHERE name = ?", (name,)).fetchone()
    return str(row[0]) if row else ""
