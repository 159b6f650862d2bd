"""Driving one async body without an event loop, and what the blocking runtime makes of its end."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from toolkit.core.errors import FailureKind, TaskError, TaskSkipped
from toolkit.core.http import Accept, Head, Headers, MemorySink, Progress, Reply, Request
from toolkit.core.job import Job, Runtime
from toolkit.core.runtime import BlockingRuntime, Cancelled, drive
from toolkit.core.task import Failure, Skip, Success, Task

TASK = Task("k", 21, "h:80")


class Echo:
    """A client that sends one block for every byte of the URL."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def fetch(self, request: Request, accept: Accept, progress: Progress) -> Reply:
        """Send the URL back."""
        self.calls.append("fetch")
        sink = accept(Head(request.url, 200, Headers()))
        for byte in request.url.encode():
            if sink is not None:
                sink.write(bytes([byte]))
            progress(1)
        return Reply(Head(request.url, 200, Headers()), len(request.url))

    def abort(self) -> None:
        """Note it."""
        self.calls.append("abort")

    def close(self) -> None:
        """Note it."""
        self.calls.append("close")


class World:
    """A runtime and what it told its model."""

    def __init__(self, task_timeout: float | None = None) -> None:
        self.client = Echo()
        self.opened = 0
        self.bytes = 0
        self.cancelled = False
        self.runtime = BlockingRuntime(
            self._open, received=self._received, cancelled=lambda: self.cancelled, task_timeout=task_timeout
        )

    def _open(self) -> Echo:
        self.opened += 1
        return self.client

    def give_up(self) -> None:
        """Give up the run."""
        self.cancelled = True

    def _received(self, size: int) -> None:
        self.bytes += size


def raising(error: BaseException) -> Job[Any, Any]:
    async def job(task: Task[Any], runtime: Runtime) -> None:
        raise error

    return job


async def fetching(task: Task[Any], runtime: Runtime) -> bytes:
    sink = MemorySink(1000)
    await runtime.fetch(Request("http://h/"), lambda _: sink)
    return sink.body()


async def doubling(task: Task[int], runtime: Runtime) -> int:
    return await runtime.call(lambda number, times: number * times, task.payload, 2)


def test_drive_returns_the_result_when_nothing_suspends() -> None:
    """Awaiting what is there already needs no loop."""

    async def inner(number: int) -> int:
        return number + 1

    async def outer() -> int:
        return await inner(await inner(1))

    assert drive(outer()) == 3


def test_drive_raises_what_the_body_raises() -> None:
    """Exceptions pass as they are."""

    async def body() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        drive(body())


def test_drive_refuses_when_the_body_really_waits() -> None:
    """A job that sleeps, or waits for anything not of its runtime, is an error; its cleanup still runs."""
    closed = []

    async def body() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            closed.append(1)

    with pytest.raises(RuntimeError, match="awaited something that its runtime did not give it"):
        drive(body())
    assert closed == [1]


def test_perform_returns_a_success_with_its_timing() -> None:
    """The value, when it ran and where."""
    before = time.monotonic()
    outcome = World().runtime.perform(doubling, TASK, "thread-3")
    assert isinstance(outcome, Success)
    assert (outcome.task, outcome.value, outcome.timing.worker) == (TASK, 42, "thread-3")
    assert before <= outcome.timing.started <= outcome.timing.ended <= time.monotonic()


def test_perform_turns_exceptions_into_outcomes() -> None:
    """No exception of a job ends its worker; a bug keeps its traceback."""
    perform = World().runtime.perform
    skip = perform(raising(TaskSkipped("same")), TASK, "w")
    assert isinstance(skip, Skip)
    failure = perform(raising(TaskError(FailureKind.DNS, "no such host")), TASK, "w")
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.DNS
    bug = perform(raising(ZeroDivisionError("by zero")), TASK, "w")
    assert isinstance(bug, Failure)
    assert (bug.kind, bug.message) == (FailureKind.BUG, "ZeroDivisionError: by zero")
    assert "Traceback" in bug.debug


def test_perform_calls_it_a_bug_when_a_job_waits() -> None:
    """The worker lives on."""

    async def sleepy(task: Task[Any], runtime: Runtime) -> None:
        await asyncio.sleep(0)

    outcome = World().runtime.perform(sleepy, TASK, "w")
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.BUG


def test_perform_fails_the_task_when_a_job_would_end_its_worker() -> None:
    """sys.exit() in a job is that job's failure; only being given up is no outcome."""
    outcome = World().runtime.perform(raising(SystemExit(1)), TASK, "w")
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.message) == (FailureKind.BUG, "SystemExit: 1")
    with pytest.raises(Cancelled):
        World().runtime.perform(raising(Cancelled()), TASK, "w")


def test_fetch_opens_the_client_at_its_first_use() -> None:
    """Once for all tasks of a worker; what comes in is counted."""
    world = World()
    world.runtime.close()
    world.runtime.abort()
    assert world.opened == 0
    for _ in range(2):
        outcome = world.runtime.perform(fetching, TASK, "w")
        assert isinstance(outcome, Success)
        assert outcome.value == b"http://h/"
    assert (world.opened, world.bytes) == (1, 18)
    world.runtime.abort()
    world.runtime.close()
    assert world.client.calls == ["fetch", "fetch", "abort", "close"]


def test_perform_raises_cancelled_when_the_run_is_given_up() -> None:
    """In the middle of a body, and for an error that the abort itself has caused: never an outcome."""
    world = World()

    async def giving_up(task: Task[Any], runtime: Runtime) -> None:
        await runtime.fetch(Request("http://h/"), lambda _: world.give_up())

    with pytest.raises(Cancelled):
        world.runtime.perform(giving_up, TASK, "w")
    assert world.bytes == 1
    with pytest.raises(Cancelled):
        world.runtime.perform(fetching, TASK, "w")
    assert world.client.calls == ["fetch"]
    with pytest.raises(Cancelled):
        world.runtime.perform(raising(TaskError(FailureKind.CONNECT, "shut down")), TASK, "w")


def test_perform_fails_a_task_that_takes_too_long() -> None:
    """The time limit is looked at with each block; the next task has its own."""
    world = World(task_timeout=1e-9)
    outcome = world.runtime.perform(fetching, TASK, "w")
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.OVERDUE
    assert "1e-09 s" in outcome.message
    assert isinstance(World(task_timeout=60.0).runtime.perform(fetching, TASK, "w"), Success)
