"""The frontier: each task that was found once, in order, and again until it is done."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.test_store import APP
from toolkit.core.errors import FailureKind
from toolkit.core.task import Failure, Success, Task
from toolkit.store import Store, frontier
from toolkit.store.schema import SCHEMA


class Stores:
    """Opens stores, which are closed in the end."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def __call__(self, path: Path | None, plan: str = "plan") -> Store:
        """Open a store, with a run begun."""
        store = self._stack.enter_context(closing(Store(path)))
        store.begin("a", plan, "m", 1, "c")
        return store


@pytest.fixture
def stores() -> Iterator[Stores]:
    """Return what opens stores."""
    with ExitStack() as stack:
        yield Stores(stack)


def _keys(store: Store, after: int = 0, limit: int = 100) -> list[str]:
    return [key for _, key, _ in store.discovered(after, limit, "s")]


def test_frontier_when_a_task_is_found_again(tmp_path: Path, stores: Stores) -> None:
    """A task is in the frontier once, also for the next run, and comes in the order in which it was found."""
    store = stores(tmp_path / "s")
    assert [store.discover(key, {"n": 1}) for key in ("b", "a", "b")] == [True, True, False]
    assert [(key, payload) for _, key, payload in store.discovered(0, 9, "s")] == [("b", {"n": 1}), ("a", {"n": 1})]
    store.commit()
    store.close()
    again = stores(tmp_path / "s")
    assert not again.discover("a", {"n": 2})
    assert _keys(again) == ["b", "a"]


def test_frontier_when_some_is_done(tmp_path: Path, stores: Stores) -> None:
    """What is done with the same settings does not come again; what was under way at a kill does."""
    store = stores(tmp_path / "s")
    for key in "abc":
        store.discover(key, {})
    store.record(APP, [Success(Task("b", None), {"size": 1})])
    store.discover("d", {})  # not committed: as if it were killed here
    store.rollback()
    store.close()
    again = stores(tmp_path / "s")
    settings = APP.settings
    assert [key for _, key, _ in again.discovered(0, 9, settings)] == ["a", "c"]
    assert [key for _, key, _ in again.discovered(0, 9, "other")] == ["a", "b", "c"]


def test_frontier_when_some_has_failed(tmp_path: Path, stores: Stores) -> None:
    """What failed comes apart, and only in another run; with other settings it was never tried."""
    store = stores(tmp_path / "s")
    for key in "abc":
        store.discover(key, {})
    store.record(APP, [Failure(Task("b", None), FailureKind.HTTP, "HTTP 500")])
    assert [key for _, key, _ in store.discovered(0, 9, APP.settings)] == ["a", "c"]
    assert store.discovered(0, 9, APP.settings, failed=True) == []
    store.close()
    again = stores(tmp_path / "s")
    assert [key for _, key, _ in again.discovered(0, 9, APP.settings)] == ["a", "c"]
    assert [key for _, key, _ in again.discovered(0, 9, APP.settings, failed=True)] == ["b"]
    assert [key for _, key, _ in again.discovered(0, 9, "other")] == ["a", "b", "c"]


def test_frontier_of_other_rounds(stores: Stores) -> None:
    """Each round finds for itself; those before it are forgotten, and other plans are nobody's business."""
    store = stores(None)
    for name in ("", "#1", "#2"):
        store.round = name
        assert store.discover("a", {"round": name})
    store.plan += "2"
    store.round = ""
    assert store.discover("a", {})
    store.plan = store.plan[:-1]
    store.round = "#2"
    store.drop_rounds()
    found = {}
    for plan in (store.plan, store.plan + "2"):
        for name in ("", "#1", "#2"):
            store.plan, store.round = plan, name
            found[plan[-1:], name] = len(store.discovered(0, 9, "s"))
        store.plan = plan.removesuffix("2")
    assert sum(found.values()) == 2
    store.plan, store.round = store.plan.removesuffix("2"), "#2"
    assert store.discovered(0, 9, "s") == [(3, "a", {"round": "#2"})]
    store.round = "#1"
    assert store.discover("a", {})


def test_notes(tmp_path: Path, stores: Stores) -> None:
    """They are kept with what is committed with them, and not without."""
    store = stores(tmp_path / "s")
    store.note("n", "1")
    store.note("\udcff", "\ud800")
    store.commit()
    store.note("n", "2")
    assert store.noted("n") == "2"
    store.rollback()
    store.close()
    again = stores(tmp_path / "s")
    assert (again.noted("n"), again.noted("\udcff"), again.noted("x")) == ("1", "\ud800", "")
    again.note("n", "")
    assert again.noted("n") == ""


def test_frontier_by_pieces(stores: Stores) -> None:
    """It is read from a number on, so that nobody holds all of it."""
    store = stores(None)
    for number in range(10):
        store.discover(str(number), {})
    first = store.discovered(0, 4, "s")
    assert [key for _, key, _ in first] == ["0", "1", "2", "3"]
    assert _keys(store, after=first[-1][0], limit=4) == ["4", "5", "6", "7"]


def test_frontier_of_another_plan(tmp_path: Path, stores: Stores) -> None:
    """Two crawls of one output do not share what they found."""
    store = stores(tmp_path / "s", "one")
    store.discover("x", {})
    store.begin("a", "two", "m", 1, "c")
    assert _keys(store) == []
    assert store.discover("x", {})


def test_frontier_when_all_is_to_be_done_afresh(tmp_path: Path, stores: Stores) -> None:
    """--fresh forgets what was found, too."""
    store = stores(tmp_path / "s")
    store.discover("x", {})
    store.forget()
    assert _keys(store) == []
    assert store.discover("x", {})


def test_store_of_the_first_schema_gets_a_frontier(tmp_path: Path, stores: Stores) -> None:
    """A store that an older toolkit wrote is brought up to date, with all that it knows."""
    path = tmp_path / "s"
    store = stores(path)
    store.record(APP, [Success(Task("b", None), {"size": 1})])
    store.close()
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE frontier")
        database.execute("DROP TABLE notes")
        database.execute("DROP INDEX tasks_place")
        database.execute("PRAGMA user_version = 1")
    database.close()
    again = stores(path)
    assert again.discover("x", {})
    known = again.recall("b")
    assert known is not None
    assert known.state == "done"
    again.close()
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (SCHEMA,)
    database.close()


def test_recent_keys_are_bounded(monkeypatch: pytest.MonkeyPatch, stores: Stores) -> None:
    """What is known without asking stays small; what was forgotten is found in the table."""
    monkeypatch.setattr(frontier, "RECENT", 3)
    store = stores(None)
    assert all(store.discover(str(number), {}) for number in range(10))
    assert not any(store.discover(str(number), {}) for number in range(10))
