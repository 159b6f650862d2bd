"""How blocking models run a job that is written as a coroutine, and what both sorts of HTTP client must offer."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeVar

from toolkit.core.errors import FailureKind, TaskError, UsageError
from toolkit.core.http import Accept, Progress, Reply, Request
from toolkit.core.job import Group, Job
from toolkit.core.task import Outcome, Success, Task, Timing, outcome_of

T = TypeVar("T")


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

    async def close(self) -> None:
        """Close all connections."""


class BlockingRuntime:
    """The runtime of every model that blocks: one worker's client, clock and limits."""

    def __init__(
        self,
        open_client: Callable[[], BlockingClient],
        *,
        received: Callable[[int], None],
        cancelled: Callable[[], bool],
        task_timeout: float | None = None,
    ) -> None:
        self._open = open_client
        self._received = received
        self._cancelled = cancelled
        self._timeout = task_timeout
        self._deadline: float | None = None
        self.client: BlockingClient | None = None

    async def fetch(self, request: Request, accept: Accept) -> Reply:
        """Exchange one request for one reply, in this thread."""
        if self.client is None:
            self.client = self._open()
        return self.client.fetch(request, accept, self._progress)

    async def call(self, function: Callable[..., T], *args: Any) -> T:
        """Call the function, in this thread."""
        return function(*args)

    def group(self) -> AbstractAsyncContextManager[Group]:
        """Open a group of fetches that go on at the same time."""
        raise NotImplementedError

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
            return outcome_of(task, error, Timing(started, time.monotonic(), worker), traceback.format_exc())
        return Success(task, value, Timing(started, time.monotonic(), worker))

    def abort(self) -> None:
        """Break off what is under way, from another thread."""
        if self.client is not None:
            self.client.abort()

    def close(self) -> None:
        """Close the client."""
        if self.client is not None:
            self.client.close()

    def _progress(self, size: int) -> float:
        self._received(size)
        if self._cancelled():
            raise Cancelled
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise overdue(self._timeout)
        return 0.0


def overdue(limit: float | None) -> TaskError:
    """Return the failure of a task that took too long."""
    return TaskError(FailureKind.OVERDUE, f"took longer than {limit:g} s and was stopped" if limit else "stopped")
