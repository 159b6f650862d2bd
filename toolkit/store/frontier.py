"""The frontier: tasks that were found while others ran, each once, in the order in which they were found.

What is under way needs no mark of its own: a task is done when the store says so, in the same transaction that holds
what it found. So a run that was killed draws again just what it had not finished.
"""

from __future__ import annotations

import sqlite3
from hashlib import blake2b

TABLE = """
CREATE TABLE frontier (
    number INTEGER PRIMARY KEY,
    plan TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    key TEXT NOT NULL,
    payload TEXT NOT NULL
)
"""
KEYS = """SELECT key FROM frontier WHERE plan = ? AND payload NOT LIKE '{"alias"%'"""
"""The keys of all tasks of a plan that stand for themselves."""
RECENT = 100_000
"""Keys, up to twice as many, that are known without asking the database: pages of a site link to each other, again and
again."""
CACHE = 64 * 1024
"""KiB that the database may keep in memory: the index of a million keys."""
LITTLE = 4 * 1024
"""KiB that it may keep once nothing is looked up any more."""


def make(database: sqlite3.Connection) -> None:
    """Make the table."""
    database.execute(TABLE)


class Frontier:
    """The frontier of a store; used under the store's lock."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database
        self._db.execute(f"PRAGMA cache_size = -{CACHE}")
        self._recent: set[bytes] = set()
        self._older: set[bytes] = set()

    def knows(self, plan: str, key: str) -> bool:
        """Tell whether a task was found of late; asks nobody."""
        return self._has_seen(_digest(plan, key))

    def add(self, plan: str, key: str, payload: str) -> bool:
        """Add a task; return whether it is new. Raises sqlite3.Error."""
        digest = _digest(plan, key)
        if self._has_seen(digest):
            return False
        self._recent.add(digest)
        if len(self._recent) >= RECENT:  # a dict that forgets its first key would look for it ever longer
            self._recent, self._older = set(), self._recent
        sql = "INSERT OR IGNORE INTO frontier (plan, hash, key, payload) VALUES (?, ?, ?, ?)"
        return self._db.execute(sql, (plan, digest, key, payload)).rowcount > 0

    def _has_seen(self, digest: bytes) -> bool:
        return digest in self._recent or digest in self._older

    def waiting(self, plan: str, after: int, limit: int, settings: str) -> list[tuple[int, str, str]]:
        """Return (number, key, payload) of tasks that were not tried with these settings. Raises sqlite3.Error."""
        return self._db.execute(
            f"{_WAITING} AND NOT EXISTS ({_TRIED}) {_SOME}", (after, plan, limit, settings)
        ).fetchall()

    def failed(self, plan: str, after: int, limit: int, settings: str, run: int) -> list[tuple[int, str, str]]:
        """Return those that failed with these settings in a run before this one. Raises sqlite3.Error."""
        before = "AND state = 'failed' AND run < ?5"
        values = (after, plan, limit, settings, run)
        return self._db.execute(f"{_WAITING} AND EXISTS ({_TRIED} {before}) {_SOME}", values).fetchall()

    def keep(self, plan: str, only: str) -> None:
        """Forget every round of a plan but one. Raises sqlite3.Error."""
        sql = "DELETE FROM frontier WHERE (plan = ?1 OR substr(plan, 1, length(?1) + 1) = ?1 || '#') AND plan <> ?2"
        self._db.execute(sql, (plan, only))
        self._recent.clear()
        self._older.clear()

    def rest(self) -> None:
        """Give back memory: what is read now is read once. Raises sqlite3.Error."""
        self._db.execute(f"PRAGMA cache_size = -{LITTLE}")
        self._recent.clear()
        self._older.clear()

    def forget(self) -> None:
        """Forget all of it. Raises sqlite3.Error."""
        self._db.execute("DELETE FROM frontier")
        self._recent.clear()
        self._older.clear()


_WAITING = "SELECT number, key, payload FROM frontier WHERE number > ?1 AND plan = ?2"
_TRIED = "SELECT 1 FROM tasks WHERE tasks.key = frontier.key AND settings = ?4"
_SOME = "ORDER BY number LIMIT ?3"


def _digest(plan: str, key: str) -> bytes:
    return blake2b(f"{plan}\0{key}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
