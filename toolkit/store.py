"""What an output remembers: one SQLite file with tasks, outcomes and runs; it makes resume, retry and history queries.

Only the conductor records outcomes; plans reserve names. The file is in WAL mode: a kill at any moment loses the last
fraction of a second of records, never the file.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from toolkit import frontier, notes
from toolkit.core.errors import RunStopped, UsageError
from toolkit.core.job import App, Remembered
from toolkit.core.task import NEVER, Failure, Outcome, Success, Task
from toolkit.storage import hold

SCHEMA = 3
"""The version of the tables below, kept in the file as user_version."""
APPLICATION = 0x746B6974
"""What marks a SQLite file as a store ("tkit"), kept in the file as application_id."""

TABLES = """
CREATE TABLE tasks (
    key TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('done', 'failed')),
    settings TEXT NOT NULL,
    plan TEXT NOT NULL,
    place INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    value TEXT NOT NULL DEFAULT '{}',
    payload TEXT,
    kind TEXT,
    message TEXT,
    run INTEGER NOT NULL,
    at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX tasks_place ON tasks (plan, place);
CREATE INDEX tasks_failed ON tasks (plan, place) WHERE state = 'failed';
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
    database.execute("CREATE INDEX tasks_place ON tasks (plan, place)")


MIGRATIONS: dict[int, Callable[[sqlite3.Connection], None]] = {1: frontier.make, 2: _to_third}
"""From a version to the next: what changes the tables."""


class Store:
    """One open store. Safe to use from several threads; a lock on the file keeps a second run out.

    blank: whether it knew of no task when it was opened; first: whether it knew of no run. ended: how this run ended,
    once it has. round: sets the frontiers of two searches for the same sources apart. retrying: whether it only tries
    again what failed.
    """

    def __init__(self, path: Path | None) -> None:
        """Open or make the store; None keeps it in memory.

        Raises UsageError if another run is using it, if it is not a store, or if a newer toolkit wrote it.
        """
        self.path = path
        self.run_id = 0
        self.plan = ""
        self.ended = ""
        self.round = ""
        self.retrying = False
        self._guard = threading.RLock()
        self._lock = hold(path) if path else None
        if path:
            _make_private(path)
        with ExitStack() as undo:
            undo.callback(self._unlock)
            try:
                self._db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
                undo.callback(self._db.close)
                new = self._is_new()  # asked first: a file that is not ours must stay as it is
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = NORMAL")
                self._upgrade(new=new)
                self.blank = self._db.execute("SELECT 1 FROM tasks LIMIT 1").fetchone() is None
                self._frontier = frontier.Frontier(self._db)
                self.first = self._db.execute("SELECT 1 FROM runs LIMIT 1").fetchone() is None
                self._db.execute("BEGIN")
            except sqlite3.Error as error:
                raise UsageError(f"cannot use the store {path}: {error}; --state FILE chooses another") from error
            undo.pop_all()

    def begin(self, app: str, plan: str, model: str, workers: int, command: str) -> int:
        """Note that a run begins; plan names what it reads, so that the order of its tasks can be kept."""
        with self._writing():
            count = self._db.execute("SELECT count(*) FROM plans").fetchone()[0]
            self._db.execute("INSERT OR IGNORE INTO plans VALUES (?, ?)", (plan, count))
            self.plan = plan
            row = (app, model, workers, _text(command), os.getpid(), time.time())
            sql = "INSERT INTO runs (app, model, workers, command, pid, started) VALUES (?, ?, ?, ?, ?, ?)"
            self.run_id = self._db.execute(sql, row).lastrowid or 0
            self.commit()
        return self.run_id

    def end(self, status: str, summary: dict[str, Any]) -> None:
        """Note how the run ended."""
        with self._writing():
            values = (time.time(), status, json.dumps(summary), self.run_id)
            self._db.execute("UPDATE runs SET ended = ?, status = ?, summary = ? WHERE id = ?", values)
            self.commit()
            self._frontier.rest()
        self.ended = status

    def recall(self, key: str) -> Remembered | None:
        """Return what is known of a task."""
        sql = "SELECT state, settings, value, place, plan, run FROM tasks WHERE key = ?"
        with self._guard:
            try:
                row = self._db.execute(sql, (_text(key),)).fetchone()
            except sqlite3.DatabaseError as error:
                raise self._refused(error) from error
        return Remembered(key, row[0], row[1], json.loads(row[2]), *row[3:]) if row else None

    def amend(self, key: str, value: dict[str, Any]) -> None:
        """Replace what is kept of a task's last success."""
        with self._writing():
            self._db.execute("UPDATE tasks SET value = ? WHERE key = ?", (json.dumps(value), _text(key)))

    def disown(self, name: str, key: str) -> None:
        """Give a reserved output name to another task."""
        with self._writing():
            self._db.execute("INSERT OR REPLACE INTO names VALUES (?, ?)", (_text(name), _text(key)))

    def claim(self, name: str, key: str) -> str:
        """Reserve an output name for a task, for ever, and return the key of its owner: key itself, or another's."""
        row = (_text(name), _text(key))
        with self._guard:
            try:
                if self._db.execute("INSERT OR IGNORE INTO names VALUES (?, ?)", row).rowcount:
                    return key
            except sqlite3.DatabaseError as error:
                raise self._refused(error) from error
        return self.claimed(name) or key

    def claimed(self, name: str) -> str | None:
        """Return the key of a name's owner, if it has one."""
        with self._guard:
            row = self._db.execute("SELECT key FROM names WHERE name = ?", (_text(name),)).fetchone()
        return _raw(row[0]) if row else None

    def discover(self, key: str, payload: dict[str, Any] | Callable[[], dict[str, Any]]) -> bool:
        """Add a task that was found by another to the frontier, for ever; return whether it is new."""
        plan, key = self.plan + self.round, _text(key)
        if self._frontier.knows(plan, key):
            return False
        with self._writing():
            return self._frontier.add(plan, key, json.dumps(payload() if callable(payload) else payload))

    def discovered(
        self, after: int, limit: int, settings: str, *, failed: bool = False
    ) -> list[tuple[int, str, dict[str, Any]]]:
        """Return (number, key, payload) of tasks in the frontier that were not tried with these settings, by number.

        failed: of those that failed with them in an earlier run.
        """
        plan = self.plan + self.round
        with self._writing():
            if failed:
                found = self._frontier.failed(plan, after, limit, settings, self.run_id)
            else:
                found = self._frontier.waiting(plan, after, limit, settings)
        return [(number, _raw(key), json.loads(payload)) for number, key, payload in found]

    def done(self, settings: str) -> Iterator[Remembered]:
        """Yield every task done with these settings, in the order of the plans that brought them."""
        return self._remembered("state = 'done' AND settings = ?", settings)

    def texts(self, settings: str) -> Iterator[str]:
        """Yield what was kept of the same tasks, in the same order, as JSON."""
        for (text,) in self._in_order("value", "state = 'done' AND settings = ?", settings):
            yield text

    def kept(self) -> Iterator[Remembered]:
        """Yield every task that was ever done, in the same order, whatever its settings and what became of it since."""
        return self._remembered("value <> '{}'")

    def _remembered(self, which: str, *values: str) -> Iterator[Remembered]:
        columns = "key, state, settings, value, place, plan, run"
        for key, state, settings, value, *rest in self._in_order(columns, which, *values):
            yield Remembered(_raw(key), state, settings, json.loads(value), *rest)

    def _in_order(self, columns: str, which: str, *values: str) -> Iterator[Any]:
        """Yield tasks by plan and place, by an index: a sort would take all of their values along."""
        sql = f"SELECT {columns} FROM tasks INDEXED BY tasks_place WHERE plan = ? AND {which} ORDER BY place, key"
        for (plan,) in [*self._read("SELECT plan FROM plans ORDER BY number", ())]:
            yield from self._read(sql, (plan, *values))

    def found(self) -> Iterator[str]:
        """Yield the keys of all tasks in the frontier that stand for themselves."""
        for (key,) in self._read(frontier.KEYS, (self.plan + self.round,)):
            yield _raw(key)

    def drop_rounds(self, names: str = "") -> None:
        """Forget the frontiers of other searches for the same sources, and names that begin so and are not of ours."""
        with self._writing():
            self._frontier.keep(self.plan, self.plan + self.round)
            if names:
                ours = f"{names}{self.round}:"
                sql = "DELETE FROM names WHERE substr(name, 1, ?) = ? AND substr(name, 1, ?) <> ?"
                self._db.execute(sql, (len(names) + 1, f"{names}#", len(ours), ours))

    def note(self, name: str, value: str) -> None:
        """Keep a text of the app's own under a name, with what is committed next; "" forgets it."""
        with self._writing():
            notes.write(self._db, _text(name), _text(value))

    def noted(self, name: str) -> str:
        """Return the text under a name, or ""."""
        with self._writing():
            return _raw(notes.read(self._db, _text(name)))

    def failed(self, app: App, plan: str | None = None) -> Iterator[Task[Any] | Failure]:
        """Yield the tasks of a plan, or of all, whose last attempt failed, in order.

        Raises UsageError if they were tried with other options than the app has now.
        """
        chosen = "state = 'failed' AND (?1 IS NULL OR plan = ?1)"
        sql = f"SELECT count(*) FROM tasks WHERE {chosen} AND settings <> ?2"
        with self._guard:
            others = self._db.execute(sql, (plan, app.settings)).fetchone()[0]
        if others:
            raise UsageError(f"{others:,} failed tasks were tried with other options: repeat the options of that run")
        sql = (
            f"SELECT key, payload, place FROM tasks JOIN plans USING (plan) WHERE {chosen} ORDER BY number, place, key"
        )
        for key, payload, place in self._read(sql, (plan,)):
            yield app.load(_raw(key), json.loads(payload), place)

    def record(self, app: App, outcomes: Iterable[Outcome], *, retrying: bool = False) -> None:
        """Keep what became of tasks; a failure leaves what an earlier success taught, a retry leaves their places.

        A task that was tried and turned out to need no work has failed no longer.
        """
        now, settings = time.time(), app.settings
        done: list[Sequence[Any]] = []
        failed: list[Sequence[Any]] = []
        skipped: list[tuple[str]] = []
        for outcome in outcomes:
            task = outcome.task
            common = (_text(task.key), settings, self.plan, task.index, task.attempt)
            if isinstance(outcome, Success):
                kept = app.record(outcome.value)
                done.append((*common, kept if isinstance(kept, str) else json.dumps(kept), self.run_id, now))
            elif isinstance(outcome, Failure):
                payload = json.dumps(app.dump(task))
                failed.append((*common, payload, outcome.kind.value, _text(outcome.message), self.run_id, now))
            elif outcome.timing != NEVER:
                skipped.append((_text(task.key),))
        with self._writing():
            self._db.executemany(_DONE + ("" if retrying else _PLACE), done)
            self._db.executemany(_FAILED + ("" if retrying else _PLACE), failed)
            if skipped:
                self._db.executemany(f"DELETE FROM tasks WHERE {_FAILED_FIRST}", skipped)
                self._db.executemany(f"UPDATE tasks SET {_UNDONE} WHERE {_FAILED_ONCE}", skipped)
            self.commit()

    def keep(self, task: Task[Any]) -> None:
        """Note the place that a task has in this run's plan, though it needs no work."""
        with self._writing():
            self._db.execute(_MOVED, (self.plan, task.index, _text(task.key), self.plan, task.index))

    def forget(self) -> None:
        """Forget that tasks are done, so that all are done again; what is ours, names and the history stay.

        What stays of a task has settings that no app has.
        """
        with self._writing():
            self._db.execute("DELETE FROM tasks WHERE value = '{}'")
            self._frontier.forget()
            self._db.execute(f"UPDATE tasks SET {_UNDONE}")
            self.commit()

    def runs(self) -> list[dict[str, Any]]:
        """Return the history, oldest first."""
        with self._guard:
            cursor = self._db.execute("SELECT * FROM runs ORDER BY id")
            columns = [column[0] for column in cursor.description]
            return [dict(zip(columns, map(_raw_value, row), strict=True)) for row in cursor]

    def commit(self) -> None:
        """Make everything so far survive a kill. Raises RunStopped if the disk refuses."""
        with self._writing():
            self._db.execute("COMMIT")
            self._db.execute("BEGIN")

    def rollback(self) -> None:
        """Undo what was not committed."""
        with self._guard:
            self._db.execute("ROLLBACK")
            self._db.execute("BEGIN")

    def close(self) -> None:
        """Close the file; safe to call twice."""
        with self._guard:
            with suppress(sqlite3.Error):
                if self._db.in_transaction:
                    self._db.execute("COMMIT")
            self._db.close()
            self._unlock()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._guard:
            try:
                yield
            except sqlite3.DatabaseError as error:
                raise self._refused(error) from error

    def _refused(self, error: sqlite3.Error) -> RunStopped:
        with suppress(sqlite3.Error):  # a full disk may have undone the transaction: go on in a new one
            if not self._db.in_transaction:
                self._db.execute("BEGIN")
        return RunStopped(f"cannot use the store {self.path}: {error}")

    def _read(self, sql: str, values: Sequence[Any]) -> Iterator[Any]:
        """Yield rows without holding the lock, or all of them in memory."""
        with self._guard:
            cursor = self._db.execute(sql, values)
        while True:
            with self._guard:
                rows = cursor.fetchmany(500)
            if not rows:
                return
            yield from rows

    def _is_new(self) -> bool:
        """Tell whether the file is empty; raises UsageError if it is not a store, or a newer one."""
        if not self._number("SELECT count(*) FROM sqlite_master"):
            return True
        if self._number("PRAGMA application_id") != APPLICATION:
            raise UsageError(f"{self.path} is some other SQLite file, not a store: --state FILE chooses another")
        version = self._number("PRAGMA user_version")
        if version > SCHEMA:
            raise UsageError(
                f"the store {self.path} was written by a newer toolkit (schema {version}, this one knows {SCHEMA}):"
                " upgrade with pip install -U toolkit, or choose another with --state FILE"
            )
        return False

    def _upgrade(self, *, new: bool) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        if new:
            for statement in TABLES.split(";"):
                self._db.execute(statement)
            frontier.make(self._db)
            notes.make(self._db)
            self._db.execute(f"PRAGMA application_id = {APPLICATION}")
        else:
            for version in range(self._number("PRAGMA user_version"), SCHEMA):
                MIGRATIONS[version](self._db)
        self._db.execute(f"PRAGMA user_version = {SCHEMA}")
        self._db.execute("COMMIT")

    def _number(self, sql: str) -> int:
        return int(self._db.execute(sql).fetchone()[0])

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


_DONE = """
INSERT INTO tasks (key, state, settings, plan, place, attempts, value, run, at)
VALUES (?1, 'done', ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (key) DO UPDATE SET state = 'done', settings = ?2, attempts = ?5, value = ?6, payload = NULL, kind = NULL,
    message = NULL, run = ?7, at = ?8"""
_FAILED = """
INSERT INTO tasks (key, state, settings, plan, place, attempts, payload, kind, message, run, at)
VALUES (?1, 'failed', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
ON CONFLICT (key) DO UPDATE SET state = 'failed', settings = ?2, attempts = ?5, payload = ?6, kind = ?7,
    message = ?8, run = ?9, at = ?10"""
_UNDONE = "state = 'done', settings = '', payload = NULL, kind = NULL, message = NULL"
_FAILED_ONCE = "key = ? AND state = 'failed'"
_FAILED_FIRST = f"{_FAILED_ONCE} AND value = '{{}}'"
_PLACE = ", plan = ?3, place = ?4"
_MOVED = "UPDATE tasks SET plan = ?, place = ? WHERE key = ? AND state = 'done' AND (plan <> ? OR place <> ?)"


def _make_private(path: Path) -> None:
    """Make the file, if it is new, readable by its owner only: URLs and payloads in it may hold passwords."""
    with suppress(OSError):  # opening it will say what is wrong
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _text(text: str) -> str:
    """Return text that SQLite can hold: no surrogates, as which Python keeps bytes of names that are no UTF-8."""
    if text.isascii() and "\x1a" not in text:
        return text
    return re.sub(r"[\ud800-\udfff\x1a]", _escaped, text)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\x1a{code & 0xFF:02x}" if code == 0x1A or 0xDC80 <= code <= 0xDCFF else f"\x1au{code:04x}"  # noqa: PLR2004


def _raw(text: str) -> str:
    """Undo _text."""
    return re.sub(r"\x1a(?:u([0-9a-f]{4})|([0-9a-f]{2}))", _unescaped, text) if "\x1a" in text else text


def _raw_value(value: Any) -> Any:
    return _raw(value) if isinstance(value, str) else value


def _unescaped(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16))
    value = int(found[2], 16)
    return "\x1a" if value == 0x1A else chr(0xDC00 + value)  # noqa: PLR2004
