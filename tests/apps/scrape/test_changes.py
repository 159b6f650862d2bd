"""What became of rows since their page was seen last."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apps.scrape.fakes import FakeMemory
from toolkit.apps.scrape.changes import NOTE, Changes
from toolkit.core.errors import FailureKind
from toolkit.core.job import Remembered
from toolkit.core.task import Failure, Skip, Success, Task

Row = dict[str, Any]


def known(*rows: Row, **more: Any) -> Remembered:
    return Remembered("k", "done", "old", {"rows": list(rows), **more}, 0)


def marked(before: list[Row] | None, now: list[Row]) -> tuple[list[str], list[Row]]:
    changes = Changes(["name", "price"], wanted=True)
    rows, lost = changes.mark(now, None if before is None else known(*before))
    assert [{name: row[name] for name in row if name != "change"} for row in rows] == now
    assert all(row["change"] == "gone" for row in lost)
    return [row["change"] for row in rows], [{n: v for n, v in row.items() if n != "change"} for row in lost]


N = {"name": None}
A, B, C = ({"name": name, "price": price} for name, price in (("a", 1), ("b", [2, {"x": None}]), ("c", 3.5)))


@pytest.mark.parametrize(
    ("before", "now", "expected", "lost"),
    [
        (None, [A, B], ["new", "new"], []),
        ([A, B], [B, A], ["unchanged", "unchanged"], []),
        ([A, B], [A, C], ["unchanged", "new"], [B]),
        ([A, B], [A, B | {"price": 9}], ["unchanged", "changed"], []),
        ([A], [C], ["changed"], []),  # the page's only row, as before
        ([A, A], [A], ["unchanged"], [A]),
        ([A], [A, A], ["unchanged", "new"], []),
        ([A, B], [], [], [A, B]),
        ([], [A], ["new"], []),
        ([N | {"price": 1}, B], [N | {"price": 2}, B], ["new", "unchanged"], [N | {"price": 1}]),
    ],
)  # fmt: skip
def test_mark(before: list[Row] | None, now: list[Row], expected: list[str], lost: list[Row]) -> None:
    """Each row of now and before has one partner at most, the one that is the same if there is one."""
    assert marked(before, now) == (expected, lost)


def test_mark_when_rows_are_very_many() -> None:
    """A page of tens of thousands of rows that all have changed does not hold up the run."""
    before = [{"name": f"n{number}", "price": number} for number in range(40_000)]
    now = [{"name": f"n{number}", "price": -1} for number in reversed(range(1, 40_001))]
    changes, lost = marked(before, now)
    assert (changes, lost) == (["new"] + ["changed"] * 39_999, [before[0]])


def test_mark_when_only_facts_differ() -> None:
    """When a page was fetched, by which status and with which columns of the user's, is no change."""
    before = A | {"fetched_at": "yesterday", "status": 200, "change": "new", "mine": "x"}
    assert marked([before], [A | {"fetched_at": "today", "status": 203, "mine": "y"}]) == (["unchanged"], [])


def test_mark_when_values_come_from_json() -> None:
    """A tuple that was kept is a list now, and the same."""
    assert marked([B], [B | {"price": (2, {"x": None})}]) == (["unchanged"], [])


def test_mark_when_the_page_was_gone() -> None:
    """Rows that were told to be gone are new when they come back."""
    rows, lost = Changes(["name"], wanted=True).mark([A], known(A, gone=True))
    assert ([row["change"] for row in rows], lost) == (["new"], [])


def test_rounds() -> None:
    """A round goes on until it is closed; only a run that looks for changes begins one."""
    memory = FakeMemory()

    def number(*, wanted: bool, close: bool = False) -> int:
        changes = Changes([], wanted=wanted)
        changes.meet(memory)
        changes.begin(memory)
        if close:
            changes.close(memory, "s")
        return changes.number

    assert number(wanted=False) == 0
    assert number(wanted=True) == 1
    assert number(wanted=True) == 1
    assert number(wanted=False) == 1
    assert number(wanted=True, close=True) == 1
    assert number(wanted=False) == 1
    assert number(wanted=True) == 2
    assert memory.noted(NOTE) == "2 open"


def _left(memory: FakeMemory, changes: Changes, *, complete: bool) -> dict[str, tuple[str, bool]]:
    return {
        row["name"]: (row["change"], batch.late)
        for batch in changes.rows(memory, "now", complete=complete)
        for row in batch.rows
    }


@pytest.mark.parametrize("complete", [True, False])
def test_pages_that_were_not_seen(*, complete: bool) -> None:
    """They are gone at the end of a round, unless they could be there; told once."""
    memory = FakeMemory()
    for index, key in enumerate(("seen", "unlisted", "missing", "broken", "forbidden", "moved")):
        settings = "now" if key == "seen" else "before"
        memory.keep(key, settings, {"rows": [{"name": key, "change": "new"}]}, index)
    changes = Changes(["name"], wanted=True)
    changes.ended(Success(Task("seen", None), None), memory)
    changes.ended(Failure(Task("missing", None), FailureKind.HTTP, "HTTP 410 Gone"), memory)
    changes.ended(Failure(Task("broken", None), FailureKind.HTTP, "HTTP 4040 is no such status"), memory)
    changes.ended(Skip(Task("forbidden", None), "robots.txt disallows it"), memory)
    changes.ended(Skip(Task("moved", None), "duplicate: redirected to a page that is known"), memory)
    gone = ("gone", True) if complete else ("unchecked", False)
    assert _left(memory, changes, complete=complete) == {
        "seen": ("new", False),
        "unlisted": gone,
        "missing": gone,
        "broken": ("unchecked", False),
        "forbidden": ("unchecked", False),
        "moved": gone,
    }
    if complete:
        assert changes.counts == {"gone": 3, "unchecked": 2}
        changes.close(memory, "now")
        assert set(_left(memory, changes, complete=True)) == {"seen", "broken", "forbidden"}
