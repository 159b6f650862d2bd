"""What the browser's thread has to say to whoever has a page rendered, under every concurrency model."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.job import Runtime

BEAT = 0.2
"""Seconds between two looks whether the run has been given up."""


class Mail(Protocol):
    """What the browser has to say, from its thread to ours."""

    def put(self, item: Any) -> None:
        """Send something; from any thread."""

    async def get(self, patience: float) -> Any:
        """Return what comes next; raises TaskError after so many seconds of silence."""


class _Blocking:
    """For a thread that waits. It asks its runtime, time and again, whether the run has been given up."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._items: SimpleQueue[Any] = SimpleQueue()

    def put(self, item: Any) -> None:
        """Send something."""
        self._items.put(item)

    async def get(self, patience: float) -> Any:
        """Return what comes next, in this thread."""
        ends = time.monotonic() + patience
        while time.monotonic() < ends:
            with suppress(Empty):
                return self._items.get(timeout=BEAT)
            await self._runtime.call(_nothing)
        raise _silent(patience)


class _Looping:
    """For a task on an event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._items: asyncio.Queue[Any] = asyncio.Queue()

    def put(self, item: Any) -> None:
        """Send something."""
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._items.put_nowait, item)

    async def get(self, patience: float) -> Any:
        """Return what comes next."""
        try:
            async with asyncio.timeout(patience):
                return await self._items.get()
        except TimeoutError:
            raise _silent(patience) from None


def mailbox(runtime: Runtime) -> Mail:
    """Return one that waits as the runtime's tasks do: on their event loop, or in their thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _Blocking(runtime)
    return _Looping()


def _nothing() -> None:
    """Do nothing: a runtime that is asked to may say that all is over."""


def _silent(patience: float) -> TaskError:
    return TaskError(FailureKind.OVERDUE, f"Chromium said nothing for {patience:g} s", retryable=True)
