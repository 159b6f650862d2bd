"""Where a function runs that a job wants called beside an event loop: in place, as soon as it is known to be quick.

To hand a page to a thread and back takes about as long as to parse it, and the GIL lets only one of both compute. But a
function that takes its time would hold up all the other tasks of the loop.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from toolkit.models._beside import Threads
from toolkit.models._worker import CALLING, SERIAL, Mark

T = TypeVar("T")

QUICK = 0.02
"""Seconds that a function takes at most to be called in place."""
FADE = 0.9
"""What is left of the longest time after each call: one long call sends the next ones to a thread, but not for ever."""
UNKNOWN = float("inf")


class Calls:
    """Calls functions for tasks, by number; the mark says for which one."""

    def __init__(self, threads: Threads, mark: Mark) -> None:
        self._threads, self._mark = threads, mark
        self._longest: dict[str, float] = {}

    async def call(self, serial: int, function: Callable[..., T], *args: Any) -> T:
        """Return what the function returns, or raise what it raises."""
        name = getattr(function, "__qualname__", type(function).__qualname__)
        if self._longest.get(name, UNKNOWN) > QUICK:
            return await self._threads.call(self._timed, CALLING, name, serial, function, *args)
        return self._timed(SERIAL, name, serial, function, *args)

    def _timed(self, place: int, name: str, serial: int, function: Callable[..., T], *args: Any) -> T:
        """Call a function, and learn how long it takes."""
        before, self._mark[place] = self._mark[place], serial
        began = time.monotonic()
        try:
            return function(*args)
        finally:
            self._longest[name] = max(time.monotonic() - began, FADE * self._longest.get(name, 0.0))
            self._mark[place] = before
