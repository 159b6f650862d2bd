"""What every model with an event loop has: how one task is performed on it, and what its jobs ask of the world."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable, Hashable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from toolkit.core.errors import UsageError
from toolkit.core.flights import Flight, once
from toolkit.core.http import Accept, Reply, Request
from toolkit.core.job import Group, Job, Runtime
from toolkit.core.meter import metered
from toolkit.core.rates import Rates
from toolkit.core.runtime import AsyncClient, is_scarcity, overdue
from toolkit.core.task import Outcome, Success, Task, Timing, outcome_of
from toolkit.models._beside import Threads
from toolkit.models._computing import Computing
from toolkit.models._group import LoopGroup

T = TypeVar("T")


class LoopRuntime(Runtime, Protocol):
    """What jobs ask of the world, on an event loop."""

    async def renew(self) -> None:
        """Have another client from now on."""


async def perform(
    job: Job[Any, Any], task: Task[Any], runtime: LoopRuntime, worker: str, limit: float | None
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

    def __init__(
        self,
        open_client: Callable[[], AsyncClient],
        *,
        received: Callable[[int], None],
        rates: Rates | None,
        threads: Threads,
        computing: Computing | None = None,
    ) -> None:
        self._open = open_client
        self._received = received
        self._rates = rates
        self._threads = threads
        self._computing = computing or Computing(threads)
        self._lease: _Lease | None = None

    async def fetch(self, request: Request, accept: Accept) -> Reply:
        """Exchange one request for one reply."""
        if self._lease is None:
            self._lease = _Lease(self._open())
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

    async def compute(self, function: Callable[..., T], *args: Any) -> T:
        """Call the function where it is done best: here, or in another process."""
        return await self._computing.compute(function, *args)

    async def once(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """Make something, or wait for what another makes of it."""
        return await once(key, make, landing)

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


async def landing(flight: Flight) -> None:
    """Wait until a flight is over that may be another thread's."""
    loop = asyncio.get_running_loop()
    landed: asyncio.Future[None] = loop.create_future()

    def land() -> None:
        if not landed.done():
            landed.set_result(None)

    def tell() -> None:
        with suppress(RuntimeError):  # the loop is closed, and nobody waits
            loop.call_soon_threadsafe(land)

    flight.on_landing(tell)
    await landed
