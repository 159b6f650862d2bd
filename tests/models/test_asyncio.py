"""The event loop: what only it can do, and what its threads must not do to it."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

from tests.clients.raw import PATIENCE, Do, RawServer, reply
from tests.models.conftest import Perform, start
from tests.models.fakes import FakeApp
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import MemorySink, Request
from toolkit.core.job import Runtime
from toolkit.core.policy import Policy
from toolkit.core.task import Failure, Success, Task


class Counting:
    """A job that waits, and notes how many of it wait at once."""

    def __init__(self) -> None:
        self.now = self.most = 0

    async def __call__(self, task: Task[Any], runtime: Runtime) -> int:
        """Wait a moment."""
        self.now += 1
        self.most = max(self.most, self.now)
        tasks = len(asyncio.all_tasks())
        await asyncio.sleep(0.01)
        self.now -= 1
        return tasks


def test_no_more_tasks_exist_than_may_run() -> None:
    """Coroutines that wait for a place would be a herd: there are none."""
    job = Counting()
    run = start("asyncio", FakeApp([("wait", n) for n in range(100)], job=job), workers=7)
    outcomes = list(run.outcomes())
    assert job.most == 7
    assert max(o.value for o in outcomes if isinstance(o, Success)) <= 7 + 1  # and the dispatcher


def test_an_await_past_its_limit_is_stopped(perform: Perform, tmp_path: Path) -> None:
    """Awaits can be stopped, so they are."""
    _, outcomes = perform("asyncio", [("await", (str(tmp_path / "a"), 60)), ("square", 2)], timeout=0.5)
    failure = outcomes["0"]
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.OVERDUE
    assert isinstance(outcomes["1"], Success)


def test_a_thread_that_is_stuck_is_replaced(perform: Perform, tmp_path: Path) -> None:
    """More overdue functions than there are threads do not stop the others from being called."""
    go = str(tmp_path / "go")
    holds: list[tuple[str, Any]] = [("hold", (str(tmp_path / f"shown-{n}"), go)) for n in range(8)]
    summary, _ = perform("asyncio", [*holds, ("touch", go), ("square", 2)], workers=4, timeout=0.5)
    assert summary.failed == {"overdue": 8}
    assert summary.succeeded == 2


def test_the_loop_goes_on_while_functions_block(tmp_path: Path) -> None:
    """A call blocks a thread, never the loop."""

    async def job(task: Task[Any], runtime: Runtime) -> str:
        if task.key == "0":
            await runtime.call(go.wait, 10)
            return "waited"
        go.set()  # in the loop, while the other one blocks
        return "went"

    go = threading.Event()
    began = time.monotonic()
    run = start("asyncio", FakeApp([("wait", 0), ("go", 1)], job=job))
    assert {o.value for o in run.outcomes() if isinstance(o, Success)} == {"waited", "went"}
    assert time.monotonic() - began < 5


def test_connections_that_wait_are_closed_when_this_machine_has_no_more() -> None:
    """At once, though others are in use: kept until those end, they would leave the next tasks no room for theirs."""
    kept, go = asyncio.Event(), threading.Event()

    async def job(task: Task[Any], runtime: Runtime) -> bool:
        match task.payload[0]:
            case "quick":
                await runtime.fetch(Request(idle.url), lambda _: MemorySink(99))
                kept.set()
            case "slow":
                await runtime.fetch(Request(busy.url), lambda _: MemorySink(99))
            case "unlucky":
                await kept.wait()
                await asyncio.to_thread(busy.asked.wait, PATIENCE)
                raise TaskError(FailureKind.LIMIT, "too many open files")
            case _:
                closed = await asyncio.to_thread(idle.left.wait, PATIENCE)
                go.set()
                return closed
        return True

    app = FakeApp([("quick", 0), ("slow", 0), ("unlucky", 0), ("look", 0)], job=job)
    app.network = True
    with RawServer((reply(b"x"), Do.HANG)) as idle, RawServer((go, reply(b"x"))) as busy:
        outcomes = list(start("asyncio", app, workers=4, policy=Policy(retries=0)).outcomes())
    assert [outcome.value for outcome in outcomes if isinstance(outcome, Success)] == [True] * 3
    assert len(outcomes) == 4
