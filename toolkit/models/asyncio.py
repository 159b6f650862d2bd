"""One event loop: for many waits at once. What blocks goes to a few threads beside it, what computes to processes.

The loop takes a task from the feed only when it can start it, so that no herd of waiting coroutines builds up.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

from toolkit.core.cpus import usable_cpus
from toolkit.core.job import Done, Feed, Wait
from toolkit.core.loops import Lag
from toolkit.core.runtime import AsyncClient
from toolkit.core.task import Task
from toolkit.models import Model, Runner, Setup, Traits, rates_of
from toolkit.models._beside import Threads
from toolkit.models._computing import Computing, pool_of
from toolkit.models._loop import AsyncRuntime, perform
from toolkit.models._ticker import Ticker
from toolkit.models._uvloop import loop_of

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
    threads, lag = Threads(usable_cpus()), Lag()
    computing = Computing(threads, pool_of(setup))
    runtime = AsyncRuntime(
        lambda: cast("AsyncClient", setup.client.open(setup.client_options)),
        received=feed.received,
        rates=rates_of(setup),
        threads=threads,
        computing=computing,
    )
    try:
        with Ticker(lag):
            async with asyncio.TaskGroup() as group:
                await _Dispatcher(setup, feed, runtime, group).dispatch()
    except* Exception as several:
        raise several.exceptions[0] from None
    finally:
        feed.looped(lag, computing.figures())
        patience = LINGER if feed.cancelled else None
        computing.close(patience, cancelled=feed.cancelled)
        await runtime.close(patience=patience)


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


MODEL = Model("asyncio", Traits("one event loop: for many waits at once", "async"), start)
