"""How blocking models run a job that is written as a coroutine, and what both sorts of HTTP client must offer."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from toolkit.core.errors import FailureKind, TaskError, UsageError
from toolkit.core.flights import Flight, once
from toolkit.core.group import ThreadGroup
from toolkit.core.http import Accept, Progress, Reply, Request
from toolkit.core.job import Group, Job
from toolkit.core.meter import metered
from toolkit.core.rates import Rates
from toolkit.core.task import Outcome, Success, Task, Timing, outcome_of

T = TypeVar("T")

TICK = 0.1
"""Seconds by which a client may be early in giving up a wait."""


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine whose awaits never suspend, and return its result; a real suspension is an error.

    This is how one async body serves blocking models (the idea behind httpx's auth flow).
    """
    try:
        coroutine.send(None)
    except StopIteration as stop:
        value: T = stop.value
        return value
    coroutine.close()
    raise RuntimeError("a job awaited something that its runtime did not give it")


class Cancelled(BaseException):
    """Raised inside a running task when it must be given up; never an outcome."""


class BlockingClient(Protocol):
    """An HTTP client that blocks; used by one thread at a time, except for abort."""

    def fetch(self, request: Request, accept: Accept, progress: Progress) -> Reply:
        """Exchange one request for one reply, following no redirect; raises TaskError and what accept raises."""

    def abort(self) -> None:
        """Break off what is under way, from another thread."""

    def close(self) -> None:
        """Close all connections."""


class AsyncClient(Protocol):
    """An HTTP client for one event loop, used by many tasks at once."""

    async def fetch(self, request: Request, accept: Accept, progress: Progress) -> Reply:
        """As BlockingClient.fetch."""

    def retire(self) -> None:
        """Keep no connection: close those that wait, now, and the others when what is under way has ended."""

    async def close(self) -> None:
        """Close all connections."""


class BlockingRuntime:
    """The runtime of every model that blocks: one worker's client, clock and limits.

    lend and what follows it serve groups; from those, and from abort, other threads come in.
    """

    def __init__(
        self,
        open_client: Callable[[], BlockingClient],
        *,
        received: Callable[[int], None],
        cancelled: Callable[[], bool],
        task_timeout: float | None = None,
        rates: Rates | None = None,
    ) -> None:
        self._open = open_client
        self._received = received
        self._cancelled = cancelled
        self._timeout = task_timeout
        self._rates = rates
        self._deadline: float | None = None
        self._fetching = False
        self._broken = False
        self._lent: list[BlockingRuntime] = []
        self._spare: list[BlockingRuntime] = []
        self.client: BlockingClient | None = None

    async def fetch(self, request: Request, accept: Accept) -> Reply:
        """Exchange one request for one reply, in this thread; raises Cancelled where a group is broken off."""
        if self.client is None:
            self.client = self._open()
        self._fetching = True  # said before the look at _broken: break_off does the same, the other way round
        try:
            self._check()
            if self._deadline is not None:
                request = hurried(request, self._deadline, self._timeout)
            return self.client.fetch(request, accept, metered(self._progress, request, self._rates, self._deadline))
        except BaseException as error:
            if self._broken:
                raise Cancelled from error
            if self._deadline is not None and _ran_out(error, self._deadline):
                raise overdue(self._timeout) from error
            raise
        finally:
            self._fetching = False
            if self._broken:  # its client may have been aborted, and can do no more
                self._close_client()

    async def call(self, function: Callable[..., T], *args: Any) -> T:
        """Call the function, in this thread; raises Cancelled where nothing is to begin any more."""
        self._check()
        return function(*args)

    async def compute(self, function: Callable[..., T], *args: Any) -> T:
        """Call the function, in this thread."""
        return function(*args)

    async def once(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """Make something, or wait in this thread for what another makes of it; raises Cancelled where it gives up."""
        return await once(key, make, self._wait)

    def group(self) -> AbstractAsyncContextManager[Group]:
        """Open a group of fetches that go on at the same time: each in a thread, with a client that is kept."""
        return ThreadGroup(self, drive)

    def perform(self, job: Job[Any, Any], task: Task[Any], worker: str) -> Outcome:
        """Run the job on one task and return what became of it.

        Raises Cancelled, and UsageError: what is wrong with the whole run is not this task's failure.
        """
        started = time.monotonic()
        self._deadline = started + self._timeout if self._timeout else None
        try:
            value = drive(job(task, self))
        except (Cancelled, UsageError):
            raise
        except BaseException as error:  # a job that raises SystemExit has failed; it must not end its worker
            if self._cancelled():
                raise Cancelled from error
            if is_scarcity(error):
                self.close()  # kept connections are open files, too
            return outcome_of(task, error, Timing(started, time.monotonic(), worker), traceback.format_exc)
        return Success(task, value, Timing(started, time.monotonic(), worker))

    def abort(self) -> None:
        """Break off what is under way, from another thread."""
        if self.client is not None:
            self.client.abort()
        for lent in list(self._lent):
            lent.abort()

    def close(self) -> None:
        """Close the client, and those of members; the next fetch opens another."""
        self._close_client()
        for lent in self._lent:
            lent.close()

    def lend(self) -> BlockingRuntime:
        """Return a runtime for a member of a group; the groups of one runtime come one after the other."""
        if self._spare:
            lent = self._spare.pop()
        else:
            kept: dict[str, Any] = {"received": self._received, "cancelled": self._cancelled, "rates": self._rates}
            lent = BlockingRuntime(self._open, **kept)
            self._lent.append(lent)
        lent._timeout, lent._deadline = self._timeout, self._deadline
        return lent

    def take_back(self, lent: BlockingRuntime) -> None:
        """Keep it, with its client, for the next group."""
        self._spare.append(lent)

    def break_off(self) -> None:
        """End the fetch that is under way, and refuse others, until mend."""
        self._broken = True
        if self._fetching and (client := self.client) is not None:
            client.abort()

    def mend(self) -> None:
        """Allow fetches again."""
        self._broken = False

    async def _wait(self, flight: Flight) -> None:
        """Block until a flight is over; what breaks off this runtime, and its deadline, end the wait."""
        landed = threading.Event()
        flight.on_landing(landed.set)
        while not landed.wait(TICK):
            self._check()
            if self._deadline is not None and time.monotonic() > self._deadline:
                raise overdue(self._timeout)

    def _close_client(self) -> None:
        client, self.client = self.client, None
        if client is not None:
            client.close()

    def _check(self) -> None:
        if self._broken or self._cancelled():
            raise Cancelled

    def _progress(self, size: int) -> float:
        self._received(size)
        self._check()
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise overdue(self._timeout)
        return 0.0


def hurried(request: Request, deadline: float, limit: float | None) -> Request:
    """Return a request that waits no longer than to the deadline; raises TaskError overdue if that is past."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise overdue(limit)
    if left >= request.connect_timeout and left >= request.read_timeout:
        return request
    return replace(
        request, connect_timeout=min(left, request.connect_timeout), read_timeout=min(left, request.read_timeout)
    )


def overdue(limit: float | None) -> TaskError:
    """Return the failure of a task that took too long."""
    return TaskError(FailureKind.OVERDUE, f"took longer than {limit:g} s and was stopped" if limit else "stopped")


def is_scarcity(error: BaseException) -> bool:
    """Whether this machine had no more of something."""
    return isinstance(error, TaskError) and error.kind is FailureKind.LIMIT


def _ran_out(error: BaseException, deadline: float) -> bool:
    """Whether a wait ended because the deadline came; clients count in steps."""
    timed_out = isinstance(error, TaskError) and error.kind is FailureKind.TIMEOUT
    return timed_out and time.monotonic() > deadline - TICK
