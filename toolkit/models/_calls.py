"""Where a function runs that a job wants called beside an event loop: in place, as soon as it is known to be quick.

To hand a page to a thread and back takes about as long as to parse it, and the GIL lets only one of both compute. But a
function that takes its time would hold up all the other tasks of the loop.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from toolkit.core.loops import Computed
from toolkit.models._beside import Threads, size_of
from toolkit.models._worker import CALLING, COMPUTED, SERIAL, Mark

T = TypeVar("T")

QUICK = 0.02
"""Seconds that a function takes at most to be called in place."""
FADE = 0.9
"""What is left of the longest time after each call: one long call sends the next ones to a thread, but not for ever."""
UNKNOWN = float("inf")
IN_LOOP, IN_THREADS = COMPUTED, COMPUTED + 2
"""Where calls that compute are counted, and their seconds after them."""


class Calls:
    """Calls functions for tasks, by number; the mark says for which one."""

    def __init__(self, threads: Threads, mark: Mark) -> None:
        self._threads, self._mark = threads, mark
        self._longest: dict[str, float] = {}

    async def call(self, serial: int, function: Callable[..., T], *args: Any) -> T:
        """Return what the function returns, or raise what it raises."""
        return await self._call(serial, _name(function), (), function, args)

    async def compute(self, serial: int, function: Callable[..., T], *args: Any) -> T:
        """Call a function that computes in the same way, and count it.

        Arguments of twice the size are another matter: a page that takes long says little of small ones.
        """
        name = f"{_name(function)} {size_of(args).bit_length()}"
        return await self._call(serial, name, (IN_LOOP, IN_THREADS), function, args)

    async def _call(
        self, serial: int, name: str, counts: Sequence[int], function: Callable[..., T], args: tuple[Any, ...]
    ) -> T:
        if self._longest.get(name, UNKNOWN) > QUICK:
            return await self._threads.call(self._timed, CALLING, name, serial, counts[1:], function, args)
        return self._timed(SERIAL, name, serial, counts[:1], function, args)

    def _timed(
        self,
        place: int,
        name: str,
        serial: int,
        counts: Sequence[int],
        function: Callable[..., T],
        args: tuple[Any, ...],
    ) -> T:
        """Call a function, and learn how long it takes; counts: where that is counted, if it is known to compute.

        Then the processor's time is looked at, for on a busy machine the clock says little of the function.
        """
        before, self._mark[place] = self._mark[place], serial
        began, computed_before = time.monotonic(), time.thread_time()
        try:
            return function(*args)
        finally:
            computed = time.thread_time() - computed_before
            took = computed if counts else time.monotonic() - began
            self._longest[name] = max(took, FADE * self._longest.get(name, 0.0))
            self._mark[place] = before
            for cell in counts:
                self._mark[cell] += 1
                self._mark[cell + 1] += computed


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", type(function).__qualname__)


def computed(noted: Sequence[float]) -> tuple[Computed, ...]:
    """Return what the marks of a worker say of its calls that compute."""
    quick, slow = f"{QUICK * 1000:.0f} ms at most", f"more than {QUICK * 1000:.0f} ms, or not known yet"
    return (
        Computed("loop", int(noted[IN_LOOP]), noted[IN_LOOP + 1], quick),
        Computed("threads", int(noted[IN_THREADS]), noted[IN_THREADS + 1], slow),
    )
