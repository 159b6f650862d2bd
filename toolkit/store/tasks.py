"""What became of tasks: one row each, with what its last success taught and, if it failed since, how."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from toolkit.core.job import App, Remembered
from toolkit.core.task import NEVER, Failure, Outcome, Success, Task
from toolkit.store.texts import given, held

TABLE = """
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
) WITHOUT ROWID
"""
IN_PLACE = "CREATE INDEX tasks_place ON tasks (plan, place)"
FAILED = "CREATE INDEX tasks_failed ON tasks (plan, place) WHERE state = 'failed'"

COLUMNS = "key, state, settings, value, place, plan, run"
"""What a Remembered is made of."""
DONE = "state = 'done' AND settings = ?"
EVER_DONE = "value <> '{}'"
FAILED_OF = "state = 'failed' AND (?1 IS NULL OR plan = ?1)"
"""Those of a plan, or of all."""
TO_RETRY = (
    f"SELECT key, payload, place FROM tasks JOIN plans USING (plan) WHERE {FAILED_OF} ORDER BY number, place, key"
)

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
_PLACE = ", plan = ?3, place = ?4"
_MOVED = "UPDATE tasks SET plan = ?, place = ? WHERE key = ? AND state = 'done' AND (plan <> ? OR place <> ?)"
_UNDONE = "state = 'done', settings = '', payload = NULL, kind = NULL, message = NULL"
"""What stays of a task has settings that no app has."""
_FAILED_ONCE = "key = ? AND state = 'failed'"


def make(database: sqlite3.Connection) -> None:
    """Make the table."""
    for statement in (TABLE, IN_PLACE, FAILED):
        database.execute(statement)


def recall(database: sqlite3.Connection, key: str) -> Remembered | None:
    """Return what is known of a task. Raises sqlite3.Error."""
    row = database.execute(f"SELECT {COLUMNS} FROM tasks WHERE key = ?", (held(key),)).fetchone()
    return remembered(row) if row else None


def remembered(row: Sequence[Any]) -> Remembered:
    """Return the task that a row of COLUMNS is."""
    key, state, settings, value, *rest = row
    return Remembered(given(key), state, settings, json.loads(value), *rest)


def in_order(columns: str, which: str) -> str:
    """Return the question for tasks of one plan by place, by an index: a sort would take all of their values along."""
    return f"SELECT {columns} FROM tasks INDEXED BY tasks_place WHERE plan = ? AND {which} ORDER BY place, key"


def record(
    database: sqlite3.Connection, app: App, outcomes: Iterable[Outcome], *, plan: str, run: int, retrying: bool
) -> None:
    """Keep what became of tasks. retrying: whether they keep their places. Raises sqlite3.Error."""
    done, failed, skipped = _sorted(app, outcomes, plan, run)
    database.executemany(_DONE + ("" if retrying else _PLACE), done)
    database.executemany(_FAILED + ("" if retrying else _PLACE), failed)
    if skipped:
        database.executemany(f"DELETE FROM tasks WHERE {_FAILED_ONCE} AND value = '{{}}'", skipped)
        database.executemany(f"UPDATE tasks SET {_UNDONE} WHERE {_FAILED_ONCE}", skipped)


def move(database: sqlite3.Connection, task: Task[Any], plan: str) -> None:
    """Note the place that a task has in a plan. Raises sqlite3.Error."""
    database.execute(_MOVED, (plan, task.index, held(task.key), plan, task.index))


def amend(database: sqlite3.Connection, key: str, value: dict[str, Any]) -> None:
    """Replace what is kept of a task's last success. Raises sqlite3.Error."""
    database.execute("UPDATE tasks SET value = ? WHERE key = ?", (json.dumps(value), held(key)))


def forget(database: sqlite3.Connection) -> None:
    """Forget that tasks are done. Raises sqlite3.Error."""
    database.execute("DELETE FROM tasks WHERE value = '{}'")
    database.execute(f"UPDATE tasks SET {_UNDONE}")


def load(app: App, rows: Iterable[Sequence[Any]]) -> Iterator[Task[Any] | Failure]:
    """Yield the tasks that rows of TO_RETRY are."""
    for key, payload, place in rows:
        yield app.load(given(key), json.loads(payload), place)


def _sorted(
    app: App, outcomes: Iterable[Outcome], plan: str, run: int
) -> tuple[list[Sequence[Any]], list[Sequence[Any]], list[Sequence[Any]]]:
    """Return the rows of what is done, of what failed, and of what was tried and needed no work."""
    now, settings = time.time(), app.settings
    done: list[Sequence[Any]] = []
    failed: list[Sequence[Any]] = []
    skipped: list[Sequence[Any]] = []
    for outcome in outcomes:
        task = outcome.task
        common = (held(task.key), settings, plan, task.index, task.attempt)
        if isinstance(outcome, Success):
            kept = app.record(outcome.value)
            done.append((*common, kept if isinstance(kept, str) else json.dumps(kept), run, now))
        elif isinstance(outcome, Failure):
            payload = json.dumps(app.dump(task))
            failed.append((*common, payload, outcome.kind.value, held(outcome.message), run, now))
        elif outcome.timing != NEVER:
            skipped.append((held(task.key),))
    return done, failed, skipped
