"""What an output remembers: one SQLite file with tasks, outcomes and runs; it makes resume, retry and history queries.

Only the conductor records outcomes; plans reserve names. The file is in WAL mode: a kill at any moment loses the last
fraction of a second of records, never the file.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from toolkit.core.errors import RunStopped, UsageError
from toolkit.core.job import App, Remembered
from toolkit.core.task import Failure, Outcome, Task
from toolkit.storage import hold
from toolkit.store import frontier, notes, tasks
from toolkit.store.schema import connect, make_private
from toolkit.store.texts import given, held


class Store:
    """One open store. Safe to use from several threads; a lock on the file keeps a second run out.

    blank: whether it knew of no task when it was opened. ended: how this run ended,
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
            make_private(path)
        with ExitStack() as undo:
            undo.callback(self._unlock)
            try:
                self._db = connect(path)
                undo.callback(self._db.close)
                self.blank = self._db.execute("SELECT 1 FROM tasks LIMIT 1").fetchone() is None
                self._frontier = frontier.Frontier(self._db)
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
            row = (app, model, workers, held(command), os.getpid(), time.time())
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
        with self._writing():
            return tasks.recall(self._db, key)

    def amend(self, key: str, value: dict[str, Any]) -> None:
        """Replace what is kept of a task's last success."""
        with self._writing():
            tasks.amend(self._db, key, value)

    def disown(self, name: str, key: str) -> None:
        """Give a reserved output name to another task."""
        with self._writing():
            self._db.execute("INSERT OR REPLACE INTO names VALUES (?, ?)", (held(name), held(key)))

    def claim(self, name: str, key: str) -> str:
        """Reserve an output name for a task, for ever, and return the key of its owner: key itself, or another's."""
        row = (held(name), held(key))
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
            row = self._db.execute("SELECT key FROM names WHERE name = ?", (held(name),)).fetchone()
        return given(row[0]) if row else None

    def discover(self, key: str, payload: dict[str, Any] | Callable[[], dict[str, Any]]) -> bool:
        """Add a task that was found by another to the frontier, for ever; return whether it is new."""
        plan, key = self.plan + self.round, held(key)
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
        return [(number, given(key), json.loads(payload)) for number, key, payload in found]

    def done(self, settings: str) -> Iterator[Remembered]:
        """Yield every task done with these settings, in the order of the plans that brought them."""
        return map(tasks.remembered, self._in_order(tasks.COLUMNS, tasks.DONE, settings))

    def texts(self, settings: str) -> Iterator[str]:
        """Yield what was kept of the same tasks, in the same order, as JSON."""
        for (text,) in self._in_order("value", tasks.DONE, settings):
            yield text

    def kept(self) -> Iterator[Remembered]:
        """Yield every task that was ever done, in the same order, whatever its settings and what became of it since."""
        return map(tasks.remembered, self._in_order(tasks.COLUMNS, tasks.EVER_DONE))

    def _in_order(self, columns: str, which: str, *values: str) -> Iterator[Any]:
        """Yield tasks by plan and place."""
        for (plan,) in [*self._read("SELECT plan FROM plans ORDER BY number", ())]:
            yield from self._read(tasks.in_order(columns, which), (plan, *values))

    def found(self) -> Iterator[str]:
        """Yield the keys of all tasks in the frontier that stand for themselves."""
        for (key,) in self._read(frontier.KEYS, (self.plan + self.round,)):
            yield given(key)

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
            notes.write(self._db, held(name), held(value))

    def noted(self, name: str) -> str:
        """Return the text under a name, or ""."""
        with self._writing():
            return given(notes.read(self._db, held(name)))

    def failed(self, app: App, plan: str | None = None) -> Iterator[Task[Any] | Failure]:
        """Yield the tasks of a plan, or of all, whose last attempt failed, in order.

        Raises UsageError if they were tried with other options than the app has now.
        """
        others_of = f"SELECT count(*) FROM tasks WHERE {tasks.FAILED_OF} AND settings <> ?2"
        with self._guard:
            others = self._db.execute(others_of, (plan, app.settings)).fetchone()[0]
        if others:
            raise UsageError(f"{others:,} failed tasks were tried with other options: repeat the options of that run")
        yield from tasks.load(app, self._read(tasks.TO_RETRY, (plan,)))

    def record(self, app: App, outcomes: Iterable[Outcome], *, retrying: bool = False) -> None:
        """Keep what became of tasks; a failure leaves what an earlier success taught, a retry leaves their places.

        A task that was tried and turned out to need no work has failed no longer.
        """
        with self._writing():
            tasks.record(self._db, app, outcomes, plan=self.plan, run=self.run_id, retrying=retrying)
            self.commit()

    def keep(self, task: Task[Any]) -> None:
        """Note the place that a task has in this run's plan, though it needs no work."""
        with self._writing():
            tasks.move(self._db, task, self.plan)

    def forget(self) -> None:
        """Forget that tasks are done, so that all are done again; what is ours, names and the history stay."""
        with self._writing():
            tasks.forget(self._db)
            self._frontier.forget()
            self.commit()

    def runs(self) -> list[dict[str, Any]]:
        """Return the history, oldest first."""
        with self._guard:
            cursor = self._db.execute("SELECT * FROM runs ORDER BY id")
            columns = [column[0] for column in cursor.description]
            return [dict(zip(columns, map(_given, row), strict=True)) for row in cursor]

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

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _given(value: Any) -> Any:
    return given(value) if isinstance(value, str) else value
