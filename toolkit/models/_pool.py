"""Processes beside an event loop that compute for it: those of the model `processes`, fed by the loop.

So one that crashes, is killed or hangs costs its call and nothing else. The model runs in a thread of its own, started
when it is first wanted: the loop does not wait while processes come up. What travels at once is little: a call or two
for each process, or a megabyte of small ones.
"""

from __future__ import annotations

import asyncio
import itertools
import pickle
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from toolkit import models
from toolkit.clients import ClientOptions
from toolkit.core.errors import TaskError, TaskSkipped
from toolkit.core.job import Done, Wait
from toolkit.core.loops import Computed, Lag
from toolkit.core.task import Failure, Outcome, Skip, Task
from toolkit.models import Setup
from toolkit.models._caller import Caller

ALONE = "one by one"
"""The lane of calls that go out one by one, to whichever process is free, as long as there are few of them."""


class NoPool(Exception):  # noqa: N818 - it is caught where the call is made
    """There are no processes (any more): the call is to be made elsewhere."""


class Pool:
    """A number of processes. All but _run is called in the loop's thread; open may be called again."""

    def __init__(self, setup: Setup, processes: int) -> None:
        self.processes = processes
        preload = (type(setup.job).__module__, *getattr(setup.job, "preload", ()))
        job = Caller(tuple(name for name in preload if name != "__main__"))
        self._setup = Setup(job, processes, setup.client, ClientOptions(), setup.task_timeout, setup.recycle_growth)
        self._feed = _Feed(2 * processes)
        self._thread: threading.Thread | None = None
        self.ready = False
        self.failure: BaseException | None = None

    def open(self) -> None:
        """Begin to start the processes, unless that was done."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="toolkit-pool", daemon=True)
            self._thread.start()

    def takes(self, function: Callable[..., Any]) -> bool:
        """Whether another process can have the function."""
        if getattr(function, "__module__", "") == "__main__":
            from toolkit.models._worker import main_script  # most runs need none of what multiprocessing loads

            if not main_script():
                return False
        try:
            pickle.dumps(function)
        except Exception:
            return False
        return True

    async def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Return what came of it, as Called; raises TaskError if its process died, and NoPool."""
        if self.failure is not None:
            raise NoPool
        return await self._feed.ask(function, args)

    def close(self, patience: float | None, *, cancelled: bool) -> None:
        """Let the processes end, and wait for them; cancelled: kill those that are busy."""
        self._feed.end(cancelled=cancelled)
        if self._thread is not None:
            self._thread.join(patience)

    def _run(self) -> None:
        try:
            with models.load("processes").start(self._setup) as run:
                self.ready = True
                run(self._feed)
        except BaseException as error:  # told to those that call
            self.failure = error
        finally:
            self.ready = False
            self._feed.fail_all()


@dataclass(slots=True)
class _Asked:
    """A call, and who waits for it."""

    task: Task[Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]

    def answer(self, outcome: Outcome | None) -> None:
        """Tell what became of it, from any thread; None: it was not made."""
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            self.loop.call_soon_threadsafe(self._settle, outcome)

    def _settle(self, outcome: Outcome | None) -> None:
        if self.future.done():
            return
        if outcome is None:
            self.future.set_exception(NoPool())
        elif isinstance(outcome, Failure):
            self.future.set_exception(_error(outcome))
        elif isinstance(outcome, Skip):
            self.future.set_exception(TaskSkipped(outcome.reason))
        else:
            self.future.set_result(outcome.value)


class _Feed:
    """What the processes pull from: the loop's side asks and gives up, the other takes and settles."""

    def __init__(self, few: int) -> None:
        self._few = few
        self._numbers = itertools.count(1)
        self._queue: deque[_Asked] = deque()
        self._out: dict[str, _Asked] = {}
        self._ring: Callable[[], None] | None = None
        self._rung = False
        self._over = False
        self.cancelled = False
        self.scarce = False
        self.unwanted: set[str] = set()

    # The loop's side

    async def ask(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Have a call made, and wait for its result; one that nobody waits for any more is dropped, or killed."""
        loop = asyncio.get_running_loop()
        # While few wait, each goes to a process that is free. When many do, they travel together, which costs less.
        lane = ALONE if len(self._queue) < self._few else ""
        asked = _Asked(Task(str(next(self._numbers)), (function, args), lane), loop, loop.create_future())
        self._queue.append(asked)
        if self._over:
            self.fail_all()
        self._wake()
        try:
            return await asked.future
        except asyncio.CancelledError:
            if asked.task.key in self._out:
                self.unwanted.add(asked.task.key)
            raise

    def end(self, *, cancelled: bool) -> None:
        """Give out nothing more."""
        self._over, self.cancelled = True, cancelled
        self._rung = False
        self._wake()

    def fail_all(self) -> None:
        """Answer all who wait that nothing will come."""
        self._over = True
        with suppress(IndexError):  # both sides may be at it
            while True:
                self._queue.popleft().answer(None)
        for key in list(self._out):
            if asked := self._out.pop(key, None):
                asked.answer(None)

    def _wake(self) -> None:
        if not self._rung and self._ring is not None:
            self._rung = True
            self._ring()

    # The processes' side, as core.job.Feed has it

    def next(self, settled: Outcome | None = None) -> Task[Any] | Wait | Done:
        """Return the next call that somebody waits for."""
        if settled is not None:
            self.settle(settled)
        if self._over:
            return Done()
        self._rung = False  # before the look: what comes after it rings again
        while self._queue:
            asked = self._queue.popleft()
            key = asked.task.key
            self._out[key] = asked  # before the look: who gives up does the same, the other way round
            if not asked.future.done():
                return asked.task
            del self._out[key]
            self.unwanted.discard(key)
        return Wait()

    def settle(self, outcome: Outcome) -> None:
        """Hand a result to who waits for it."""
        asked = self._out.pop(outcome.task.key, None)
        self.unwanted.discard(outcome.task.key)
        if asked is not None:
            asked.answer(outcome)

    def wait(self, step: Wait, *, most: float = 0.2) -> None:
        """Return at once: processes wait in their own way."""

    def wake(self) -> None:
        """Nobody waits here."""

    def received(self, size: int) -> None:
        """Nothing is fetched."""

    def looped(self, lag: Lag, computed: tuple[Computed, ...]) -> None:
        """There is no loop."""

    def on_cancel(self, action: Callable[[], None]) -> None:
        """Keep what rings the processes' supervisor; it serves every call."""
        self._ring = action
        if self._over or self._queue:
            self._rung = True
            action()


def _error(failure: Failure) -> TaskError:
    """Return the error that a failure of the processes is for the task that called."""
    return TaskError(
        failure.kind,
        failure.message,
        retryable=failure.retryable,
        retry_after=failure.retry_after,
        cool_lane=failure.cool_lane,
        fatal=failure.fatal,
    )
