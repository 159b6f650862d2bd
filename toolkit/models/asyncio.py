"""One event loop: for many waits at once. Functions that compute or block go to a few threads beside it.

The loop takes a task from the feed only when it can start it, so that no herd of waiting coroutines builds up.
"""

from __future__ import annotations

import asyncio
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, TypeVar, cast

from toolkit.core.cpus import usable_cpus
from toolkit.core.errors import UsageError
from toolkit.core.http import Accept, Reply, Request
from toolkit.core.job import Done, Feed, Group, Job, Wait
from toolkit.core.meter import metered
from toolkit.core.runtime import AsyncClient, is_scarcity, overdue
from toolkit.core.task import Outcome, Success, Task, Timing, outcome_of
from toolkit.models import Model, Runner, Setup, Traits, rates_of
from toolkit.models._group import LoopGroup
from toolkit.models._uvloop import loop_of

T = TypeVar("T")

LINGER = 2.0
"""Seconds that a cancelled run waits for functions in threads, which nothing can stop."""
BEAT = 0.2
"""Seconds between looks at the feed while there is room: a stop is asked for from outside."""


@contextmanager
def start(setup: Setup) -> Iterator[Runner]:
    """Lend a runner that runs an event loop in the thread that calls it."""
    with asyncio.Runner(loop_factory=loop_of() if setup.uvloop else None) as runner:
        runner.get_loop()

        def run(feed: Feed) -> None:
            with suppress(asyncio.CancelledError):  # tasks given up are left for the next run
                runner.run(conduct(setup, feed))

        yield run


async def conduct(setup: Setup, feed: Feed) -> None:
    """Run what the feed gives on this loop until it is done; raises CancelledError when the feed was cancelled."""
    loop, whole = asyncio.get_running_loop(), asyncio.current_task()
    assert whole is not None  # noqa: S101 - for the type checker: a coroutine runs in a task

    def cancel() -> None:
        with suppress(RuntimeError):  # the loop is closed: all is over
            loop.call_soon_threadsafe(whole.cancel)

    feed.on_cancel(cancel)
    runtime = AsyncRuntime(setup, feed)
    try:
        async with asyncio.TaskGroup() as group:
            await _Dispatcher(setup, feed, runtime, group).dispatch()
    except* Exception as several:
        raise several.exceptions[0] from None
    finally:
        await runtime.close(patience=LINGER if feed.cancelled else None)


class _Dispatcher:
    """Starts tasks while there is room, and sleeps until one has ended or the feed may have more."""

    def __init__(self, setup: Setup, feed: Feed, runtime: AsyncRuntime, group: asyncio.TaskGroup) -> None:
        self._setup, self._feed, self._runtime, self._group = setup, feed, runtime, group
        self._free = [f"slot-{n}" for n in reversed(range(setup.workers))]
        self._loop = asyncio.get_running_loop()
        self._alarm: asyncio.Future[None] | None = None

    async def dispatch(self) -> None:
        """Return when nothing more is to be started; what runs is the group's."""
        while not isinstance(step := self._next(), Done):
            if isinstance(step, Task):
                self._group.create_task(self._perform(step, self._free.pop()))
            else:
                await self._sleep(step)

    def _next(self) -> Task[Any] | Wait | Done | None:
        return self._feed.next() if self._free else None

    async def _sleep(self, step: Wait | None) -> None:
        """Sleep until a task has settled or, if there is room, until the feed is to be asked again."""
        self._alarm = self._loop.create_future()
        timer = None
        if step is not None:
            pause = BEAT if step.until is None else min(BEAT, step.until - time.monotonic())
            timer = self._loop.call_later(max(0.0, pause), self._wake)
        try:
            await self._alarm
        finally:
            self._alarm = None
            if timer:
                timer.cancel()

    def _wake(self) -> None:
        if self._alarm and not self._alarm.done():
            self._alarm.set_result(None)

    async def _perform(self, task: Task[Any], slot: str) -> None:
        self._feed.settle(await perform(self._setup.job, task, self._runtime, slot, self._setup.task_timeout))
        self._free.append(slot)
        self._wake()


async def perform(
    job: Job[Any, Any], task: Task[Any], runtime: AsyncRuntime, worker: str, limit: float | None
) -> Outcome:
    """Run the job on one task and return what became of it; raises CancelledError, and UsageError."""
    started = time.monotonic()
    me = asyncio.current_task()
    try:
        async with asyncio.timeout(limit) as clock:
            value = await job(task, runtime)
    except BaseException as error:  # a job that raises SystemExit must not end the loop
        if isinstance(error, asyncio.CancelledError) and me is not None and me.cancelling():
            raise
        if isinstance(error, UsageError):  # it is the whole run's
            raise
        cause = overdue(limit) if clock.expired() else error
        if is_scarcity(cause):
            await runtime.renew()  # kept connections are open files, too
        return outcome_of(task, cause, Timing(started, time.monotonic(), worker), traceback.format_exc)
    return Success(task, value, Timing(started, time.monotonic(), worker))


@dataclass(slots=True)
class _Lease:
    """A client, and how many fetches are under way with it."""

    client: AsyncClient
    users: int = 0


class AsyncRuntime:
    """What jobs ask of the world on an event loop: one client for all, and threads for what would hold up the loop."""

    def __init__(self, setup: Setup, feed: Feed) -> None:
        self._setup = setup
        self._received = feed.received
        self._lease: _Lease | None = None
        self._rates = rates_of(setup)
        self._threads = _Threads(usable_cpus())

    async def fetch(self, request: Request, accept: Accept) -> Reply:
        """Exchange one request for one reply."""
        if self._lease is None:
            self._lease = _Lease(cast("AsyncClient", self._setup.client.open(self._setup.client_options)))
        lease = self._lease
        lease.users += 1
        try:
            return await lease.client.fetch(request, accept, metered(self._progress, request, self._rates))
        finally:
            lease.users -= 1
            if lease is not self._lease and not lease.users:
                await lease.client.close()

    async def renew(self) -> None:
        """Have another client from now on: this one's connections end now, or with what is under way on them.

        Were those that wait kept for as long as another is in use, the new client would find no room for its own, and
        each of its tasks would fail and lower the limit again.
        """
        lease, self._lease = self._lease, None
        if lease is None:
            return
        lease.client.retire()
        if not lease.users:
            await lease.client.close()

    def _progress(self, size: int) -> float:
        self._received(size)
        return 0.0

    async def call(self, function: Callable[..., T], *args: Any) -> T:
        """Call the function in a thread."""
        return await self._threads.call(function, *args)

    def group(self) -> AbstractAsyncContextManager[Group]:
        """Open a group of fetches that go on at the same time; one client serves them all."""
        return LoopGroup(self)

    async def close(self, *, patience: float | None = None) -> None:
        """Close the client, and wait for what still runs in threads: `patience` seconds, or as long as it takes."""
        try:
            if self._lease is not None:
                await self._lease.client.close()
        finally:
            self._threads.close(patience)


class _Threads:
    """A few threads that call functions for a loop.

    They are daemons, unlike those of the standard executor: a function that never returns must not keep a cancelled
    program alive. All but _work runs in the loop's thread.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._open = 0
        self._calls: SimpleQueue[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    async def call(self, function: Callable[..., T], *args: Any) -> T:
        """Return what the function returns, or raise what it raises."""
        future: Future[T] = Future()
        self._calls.put((future, function, args))
        self._open += 1
        self._staff()
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if future.running():  # its thread is lost to what nobody waits for: there may be one more instead
                self._most += 1
                self._open += 1
                self._staff()
            raise
        finally:
            self._open -= 1

    def close(self, patience: float | None) -> None:
        """Let the threads end, and wait for them."""
        for _ in self._threads:
            self._calls.put(None)
        ends = None if patience is None else time.monotonic() + patience
        for thread in self._threads:
            thread.join(None if ends is None else max(0.0, ends - time.monotonic()))

    def _staff(self) -> None:
        """Start a thread if one is wanted and allowed."""
        if self._open <= len(self._threads) or len(self._threads) >= self._most:
            return
        thread = threading.Thread(target=self._work, name=f"toolkit-call-{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while call := self._calls.get():
            future, function, args = call
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(function(*args))
            except (StopIteration, GeneratorExit) as error:  # awaits cannot carry them: they mean something there
                future.set_exception(RuntimeError(f"the function raised {type(error).__name__}: {error}"))
            except BaseException as error:
                future.set_exception(error)
            del call, future, function, args


MODEL = Model("asyncio", Traits("one event loop: for many waits at once", "async"), start)
