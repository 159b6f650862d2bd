"""What the browser's thread has to say to whoever has a page rendered, under every concurrency model."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from toolkit.core.errors import FailureKind, TaskError


class Mail(Protocol):
    """What the browser has to say, from its thread to ours."""

    def put(self, item: Any) -> None:
        """Send something; from any thread."""

    async def get(self, patience: float) -> Any:
        """Return what comes next; raises TaskError after so many seconds of silence."""


class _Blocking:
    """For a thread that waits."""

    def __init__(self) -> None:
        self._items: SimpleQueue[Any] = SimpleQueue()

    def put(self, item: Any) -> None:
        """Send something."""
        self._items.put(item)

    async def get(self, patience: float) -> Any:
        """Return what comes next, in this thread."""
        try:
            return self._items.get(timeout=patience)
        except Empty:
            raise _silent(patience) from None


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


def mailbox() -> Mail:
    """Return one that waits as the caller does: on its event loop, or in its thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _Blocking()
    return _Looping()


def _silent(patience: float) -> TaskError:
    return TaskError(FailureKind.OVERDUE, f"Chromium said nothing for {patience:g} s", retryable=True)
