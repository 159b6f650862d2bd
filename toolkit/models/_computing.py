"""Where a function is computed that holds the GIL: in the loop while it is quick, else in processes beside it.

What it costs is found out by doing it: a function's first calls are made in the loop, and looked at again every few.
Processes are started once that much was computed that they would have paid.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeVar

from toolkit.core.cpus import usable_cpus
from toolkit.core.loops import Computed, summed
from toolkit.models import Setup
from toolkit.models._beside import Threads, size_of
from toolkit.models._caller import Called
from toolkit.models._pool import NoPool, Pool

T = TypeVar("T")

CALLS = 20
"""Calls after which it is decided where the next ones are made."""
SECONDS = 0.5
"""Seconds of computing after which it is decided, however few calls they were."""
WORTH = 0.001
"""Seconds that a call takes, on average, to be worth the way to a process and back.

The way costs 0.5 ms of processor time with a page of 100 KB, both sides together. It is worth it although it is dear:
on two processors, 5,300 pages that took 2.2 ms each were read in 15.6 s beside the loop and in 21.7 s in it, for 24 s
of processor time instead of 21. Threads gained nothing, for they take turns with the loop.
"""
BACK = 0.0005
"""Seconds below which calls come back into the loop: less than WORTH, so that nothing goes to and fro."""
PAYS = 2.0
"""Seconds of calls worth the way that are made here before processes are started.

To start them costs a second of processor time. Whoever has computed for so long will, as a rule, go on for as long
again; a few large pages in a row, or a short list, are over before it would pay.
"""
FAIR = 0.005
"""Seconds after which a call lets others go first: Python's switch interval, as between threads."""
LONG = 0.02
"""Seconds for which a single call may hold up the loop; so in hybrid's loops."""
LARGE = 256 * 1024
"""Bytes of arguments that may take LONG, as long as nobody knows: a page of that size takes Beautiful Soup 0.1 s."""
FEW = 2
"""Tasks at once, and processors, from which on processes compute while the loop does something else."""

FIRST = "the first calls, to see how long they take"
QUICK = "too quick to be worth the way elsewhere"
HERE = "there is nowhere else"
EARLY = "too little so far for processes to be started"
BY_SIZE = "too long for the loop, by their size"
MEANWHILE = "until the processes were there"
LASTING = f"{WORTH * 1000:.0f} ms or more on average"
SLOW = f"more than {LONG * 1000:.0f} ms on average, and no processes"

Where = Literal["loop", "processes", "threads"]


@dataclass(slots=True)
class _Known:
    """What is known of a function. mean: seconds a call took; pace: and a byte. The rest is of calls not judged yet."""

    where: Where = "loop"
    mean: float | None = None
    calls: int = 0
    seconds: float = 0.0
    size: int = 0
    pace: float | None = None
    can_be_sent: bool | None = None


class Computing:
    """Calls functions for the tasks of one loop, and counts. pool: processes, where there may be some."""

    def __init__(self, threads: Threads, pool: Pool | None = None) -> None:
        self._threads, self._pool = threads, pool
        self._known: dict[str, _Known] = {}
        self._counts: dict[tuple[Where, str], list[float]] = {}
        self._spent = 0.0

    async def compute(self, function: Callable[..., T], *args: Any) -> T:
        """Return what the function returns, or raise what it raises; TaskError where its process died."""
        known = self._known.setdefault(_name(function), _Known())
        size = size_of(args)
        called: Called
        where, why = self._place(function, known, size)
        if where == "processes" and self._pool is not None:
            try:
                called = await self._pool.call(function, *args)
            except NoPool:
                known.where = where = "threads"
                why = SLOW
        if where == "loop":
            called = _timed(function, *args)
        elif where == "threads":
            called = await self._threads.call(partial(_timed, function, *args))
        self._learn(function, known, called.seconds, size)
        count = self._counts.setdefault((where, why), [0, 0.0])
        count[0] += 1
        count[1] += called.seconds
        if where == "loop" and called.seconds >= FAIR:
            await asyncio.sleep(0)  # those that have waited meanwhile go first, before the next task computes
        try:
            value: T = called.result()
            return value
        finally:
            del called  # its error holds this frame, and the frame would hold the error

    def figures(self) -> tuple[Computed, ...]:
        """Return how many calls were made where."""
        processes = self._pool.processes if self._pool is not None else 0
        return summed(
            Computed(where, int(calls), seconds, why, processes if where == "processes" else 0)
            for (where, why), (calls, seconds) in self._counts.items()
        )

    def close(self, patience: float | None, *, cancelled: bool) -> None:
        """End the processes, if there are any."""
        if self._pool is not None:
            self._pool.close(patience, cancelled=cancelled)

    def _place(self, function: Callable[..., Any], known: _Known, size: int) -> tuple[Where, str]:
        ready = self._pool is not None and self._pool.ready
        if known.where == "processes":
            if ready:
                return "processes", LASTING
            return "threads" if known.mean is None or known.mean > LONG else "loop", MEANWHILE
        if known.where != "loop":
            return "threads", EARLY if self._may_come else SLOW
        if size >= LARGE and (known.pace is None or known.pace * size > LONG):
            return "processes" if ready and self._can_be_sent(function, known) else "threads", BY_SIZE
        if known.mean is None:
            return "loop", FIRST
        return "loop", QUICK if known.mean < WORTH else EARLY if self._may_come else HERE

    def _learn(self, function: Callable[..., Any], known: _Known, seconds: float, size: int) -> None:
        """Take in how long a call took, and judge the function anew every few calls."""
        known.calls += 1
        known.seconds += seconds
        known.size += size
        if known.calls < CALLS and known.seconds < SECONDS:
            return
        known.mean = mean = known.seconds / known.calls
        known.pace = known.seconds / known.size if known.size else None
        known.where = self._judged(function, known, mean)
        known.calls, known.seconds, known.size = 0, 0.0, 0

    def _judged(self, function: Callable[..., Any], known: _Known, mean: float) -> Where:
        if mean < (WORTH if known.where == "loop" else BACK):
            return "loop"
        self._spent += known.seconds
        if self._spent >= PAYS and self._has_processes(function, known):
            return "processes"
        return "threads" if mean > LONG else "loop"

    @property
    def _may_come(self) -> bool:
        """Whether processes may yet be started."""
        return self._spent < PAYS and self._pool is not None and self._pool.failure is None

    def _has_processes(self, function: Callable[..., Any], known: _Known) -> bool:
        """Whether there are processes for the function, or will be soon."""
        if self._pool is None or self._pool.failure is not None or not self._can_be_sent(function, known):
            return False
        self._pool.open()
        return True

    def _can_be_sent(self, function: Callable[..., Any], known: _Known) -> bool:
        if known.can_be_sent is None:
            known.can_be_sent = self._pool is not None and self._pool.takes(function)
        return known.can_be_sent


def pool_of(setup: Setup) -> Pool | None:
    """Return processes that may be started, if they would help: not where there is one processor, or one task."""
    cpus = min(usable_cpus(), setup.workers)
    return Pool(setup, cpus) if cpus >= FEW else None


def _timed(function: Callable[..., Any], *args: Any) -> Called:
    """Call a function; the time is the processor's, for on a busy machine the clock says little of the function."""
    began = time.thread_time()
    try:
        value = function(*args)
    except Exception as error:
        return Called(None, time.thread_time() - began, error)
    return Called(value, time.thread_time() - began)


def _name(function: Callable[..., Any]) -> str:
    kind = type(function)
    return f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', kind.__qualname__)}"
