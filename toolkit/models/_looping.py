"""The work of a process that runs an event loop with many tasks under way; it says which one it is busy with.

It starts whatever it is given at once, and answers in batches: what may run, and when, is the schedule's.
"""

from __future__ import annotations

import asyncio
import pickle
import time
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, TypeVar, cast

from toolkit.core.errors import UsageError
from toolkit.core.http import Accept, Reply, Request
from toolkit.core.job import Group, Job, Runtime
from toolkit.core.loops import Lag
from toolkit.core.runtime import AsyncClient
from toolkit.core.task import Task
from toolkit.models._beside import Threads
from toolkit.models._calls import Calls
from toolkit.models._group import LoopGroup
from toolkit.models._inbox import Inbox
from toolkit.models._loop import AsyncRuntime, perform
from toolkit.models._ticker import Ticker
from toolkit.models._uvloop import loop_of
from toolkit.models._watched import watched
from toolkit.models._wire import named, pack_failure, pack_outcome
from toolkit.models._worker import LAG, RECEIVED, SERIAL, SINCE, Brief, Mark, client_kind, load, memory_used

T = TypeVar("T")

BEAT = 0.1
"""Seconds between two signs of life."""
LOOKS = 0.02
"""Seconds between looks at the memory, at least."""
HELD = 0.002
"""Seconds for which results may wait for others to go with: each message costs both sides a tenth of a millisecond."""
SHARE = 4
"""Results that are this part of what is under way wait no longer, or their places would be idle too long."""
BYTES = 64 * 1024
"""Bytes of results that do not wait."""
THREADS = 1
"""Threads beside the loop, for functions that are slow: there is a process for each processor."""


def work(brief: Brief, job: Job[Any, Any], connection: Connection, mark: Mark) -> None:
    """Run tasks on an event loop until an empty message comes, and those that are under way then are given up."""
    if brief.fetches:
        client_kind(brief.client, "async")
    with asyncio.Runner(loop_factory=loop_of() if brief.uvloop else None) as runner:
        runner.run(_Place(brief, job, connection, mark).live())


class _Place:
    """What runs here, and what has ended and is not yet told."""

    def __init__(self, brief: Brief, job: Job[Any, Any], connection: Connection, mark: Mark) -> None:
        self._brief, self._job, self._connection, self._mark = brief, job, connection, mark
        self._threads = Threads(THREADS)
        self._calls = Calls(self._threads, mark)
        self._runtime = AsyncRuntime(self._client, received=self._received, rates=brief.rates, threads=self._threads)
        self._tasks: set[asyncio.Task[None]] = set()
        self._results: list[tuple[int, bytes]] = []
        self._size = self._read = self._memory = 0
        self._looked = 0.0
        self._answered = True
        self._soon = False
        self._timer: asyncio.TimerHandle | None = None

    async def live(self) -> None:
        """Live until dismissed."""
        self._loop = asyncio.get_running_loop()
        self._over = self._loop.create_future()
        beat = self._loop.create_task(self._beat())
        try:
            with Ticker(Lag(self._mark, LAG)), Inbox(self._connection, self._take):
                await self._over
        finally:
            beat.cancel()
            await self._runtime.close(patience=0)

    def _take(self, message: bytes) -> None:
        """Start tasks; an empty message is the end."""
        try:
            self._start(message)
        except BaseException as error:  # there is no memory, say: tasks that were not begun must not be waited for
            self._end(error)

    def _start(self, message: bytes) -> None:
        self._read += 1
        self._answered = True
        if self._results:
            self._tell()
        if not message:
            self._end()
            return
        first, tasks = pickle.loads(message)  # noqa: S301 - from our own parent
        for serial, packed in enumerate(tasks, first):
            task = self._loop.create_task(self._perform(serial, packed))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _perform(self, serial: int, packed: bytes) -> None:
        try:
            result = await self._result(serial, packed)
        except BaseException as error:
            known = isinstance(error, UsageError)  # it is the whole run's
            if known:
                self._send((0, error, 0, False))
            self._end(None if known else error)
            return
        self._results.append((serial, result))
        self._size += len(result)
        # While the parent has not answered the last ones, it has much to do: it would not take these up any sooner.
        enough = self._answered and len(self._results) * SHARE >= len(self._tasks)
        if self._size > BYTES:
            self._tell()
        elif enough and not self._soon:
            self._soon = True
            self._loop.call_soon(self._tell)  # with those that end in the same round of the loop
        elif self._timer is None:
            self._timer = self._loop.call_later(HELD, self._tell)

    async def _result(self, serial: int, packed: bytes) -> bytes:
        """Return what became of a task, packed."""
        mark = self._mark
        mark[SERIAL] = serial
        try:
            task: Task[Any] = Task(*load(packed, self._brief))
        except Exception as error:
            return pack_failure(f"the task cannot be loaded in a worker process: {named(error)}")
        finally:
            mark[SERIAL] = 0
        runtime = _Share(self._runtime, self._calls, serial)
        job = partial(self._do, serial)
        outcome = await perform(job, task, runtime, self._brief.name, self._brief.task_timeout)
        mark[SERIAL] = serial
        try:
            return pack_outcome(outcome)
        finally:
            mark[SERIAL] = 0

    async def _do(self, serial: int, task: Task[Any], runtime: Runtime) -> Any:
        return await watched(self._job(task, runtime), self._mark, serial)

    def _tell(self) -> None:
        """Send what has ended, and how many messages were read; waits for the parent if it has much to read."""
        self._soon = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not (self._results or self._read):
            return
        try:
            self._send((self._read, self._results, self._memory_used(), self._threads.lost > 0))
        except BaseException as error:  # what is not told would be waited for
            self._end(error)
        self._answered = self._answered and not self._results
        self._read, self._results, self._size = 0, [], 0

    def _memory_used(self) -> int:
        if (now := time.monotonic()) > self._looked + LOOKS:
            self._looked, self._memory = now, memory_used()
        return self._memory

    def _send(self, message: Any) -> None:
        with suppress(OSError):  # the parent has gone, and so shall we
            self._connection.send_bytes(pickle.dumps(message))

    async def _beat(self) -> None:
        """Give signs of life."""
        while True:
            self._mark[SINCE] = time.monotonic()
            if self._read:
                self._tell()
            await asyncio.sleep(BEAT)

    def _end(self, error: BaseException | None = None) -> None:
        """End this process; with an error it has died, for the parent."""
        if self._over.done():
            return
        if error is None:
            self._over.set_result(None)
        else:
            self._over.set_exception(error)

    def _client(self) -> AsyncClient:
        return cast("AsyncClient", client_kind(self._brief.client, "async").open(self._brief.client_options))

    def _received(self, size: int) -> None:
        self._mark[RECEIVED] += size


@dataclass(frozen=True, slots=True)
class _Share:
    """What one task asks of the world."""

    runtime: AsyncRuntime
    calls: Calls
    serial: int

    async def fetch(self, request: Request, accept: Accept) -> Reply:
        """Exchange one request for one reply."""
        return await self.runtime.fetch(request, accept)

    def call(self, function: Callable[..., T], *args: Any) -> Coroutine[Any, Any, T]:
        """Call the function: here if it is known to be quick."""
        return self.calls.call(self.serial, function, *args)

    def compute(self, function: Callable[..., T], *args: Any) -> Coroutine[Any, Any, T]:
        """Call the function, in the same way: each processor has a process already."""
        return self.calls.compute(self.serial, function, *args)

    async def once(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """Make something, or wait for what another makes of it."""
        return await self.runtime.once(key, make)

    def group(self) -> AbstractAsyncContextManager[Group]:
        """Open a group of fetches that go on at the same time."""
        return LoopGroup(self)

    async def renew(self) -> None:
        """Have another client from now on."""
        await self.runtime.renew()
