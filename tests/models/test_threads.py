"""Threads: how many there are, what happens where there can be no more, and what those that wait cost."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.models.conftest import start
from tests.models.fakes import FakeApp


def test_threads_come_only_as_work_needs_them() -> None:
    """A thousand may come, but tasks that end at once, one after the other, need a few."""
    before = threading.active_count()
    seen = [
        threading.active_count() for _ in start("threads", FakeApp([("square", 1)] * 2000), workers=1000).outcomes()
    ]
    assert max(seen) - before < 500


def test_threads_come_while_all_are_busy(tmp_path: Path) -> None:
    """Tasks that wait for each other run at the same time."""
    names = [str(tmp_path / f"{n}") for n in range(9)]
    app = FakeApp([("hold", pair) for pair in zip(names, [*names[1:], names[0]], strict=True)])
    assert start("threads", app, workers=9).finish().succeeded == 9


def test_run_goes_on_with_fewer_when_threads_cannot_be_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine that has no third thread has two that do the work."""
    limit_threads(monkeypatch, 2)
    app = FakeApp([("touch", str(tmp_path / f"started-{n}")) for n in range(8)])
    assert start("threads", app, workers=4).finish().succeeded == 8


def test_run_stops_when_not_even_one_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user is told why nothing was done."""
    limit_threads(monkeypatch, 0)
    summary = start("threads", FakeApp([("square", 1)]), workers=4).finish()
    assert summary.exit_code == 3
    assert "no thread can be started (can't start new thread)" in summary.reason


def limit_threads(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Let workers up to a number start, and no more."""
    usual = threading.Thread.start

    def limited(self: threading.Thread) -> None:
        if self.name.removeprefix("toolkit-").isdigit() and int(self.name.removeprefix("toolkit-")) >= most:
            raise RuntimeError("can't start new thread")
        usual(self)

    monkeypatch.setattr(threading.Thread, "start", limited)
