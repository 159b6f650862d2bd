"""Threads: how many there are, what happens where there can be no more, and what those that wait cost."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.models.conftest import start
from tests.models.fakes import FakeApp
from toolkit.core.policy import Policy


def test_threads_come_only_as_work_needs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand may come, but tasks that end at once, one after the other, need a few; none of them starts another."""
    hired = hires(monkeypatch)
    assert start("threads", FakeApp([("square", 1)] * 200), workers=1000).finish().succeeded == 200
    assert len(hired) < 50
    assert set(hired.values()) == {"toolkit-model"}


def test_threads_are_two_at_most_when_one_task_runs_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another comes only while all are busy, and so the second never has reason to be followed by a third."""
    hired = hires(monkeypatch)
    policy = Policy(workers=1)
    assert start("threads", FakeApp([("square", 1)] * 200), workers=1000, policy=policy).finish().succeeded == 200
    assert 1 <= len(hired) <= 2


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


def hires(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return the workers' threads that are started from now on, each with the thread that started it."""
    usual, hired = threading.Thread.start, dict[str, str]()

    def noted(self: threading.Thread) -> None:
        if number_of(self) is not None:
            hired[self.name] = threading.current_thread().name
        usual(self)

    monkeypatch.setattr(threading.Thread, "start", noted)
    return hired


def limit_threads(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Let workers up to a number start, and no more."""
    usual = threading.Thread.start

    def limited(self: threading.Thread) -> None:
        number = number_of(self)
        if number is not None and number >= most:
            raise RuntimeError("can't start new thread")
        usual(self)

    monkeypatch.setattr(threading.Thread, "start", limited)


def number_of(thread: threading.Thread) -> int | None:
    """Return which worker's thread it is, from 0; None if it is another's."""
    number = thread.name.removeprefix("toolkit-")
    return int(number) if number.isdigit() else None
