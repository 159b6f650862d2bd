"""Single flight: what several tasks of one process want at the same time is done once, and all get what came of it.

Keys are this process's, whatever runs are under way in it: one that is a run's own names the run.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Awaitable, Callable, Hashable
from contextvars import ContextVar
from typing import Any, TypeVar

from toolkit.core.errors import FailureKind, TaskError

T = TypeVar("T")

_aboard: ContextVar[tuple[Hashable, ...]] = ContextVar("_aboard", default=())
"""The keys of what is being made around this place: who asked for one of them here would wait for itself."""


class Flight:
    """What is under way for one key. All but `land` may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._over = False
        self._waiting: list[Callable[[], None]] = []
        self.given_up = False
        self.value: Any = None
        self.error: Exception | None = None

    def on_landing(self, action: Callable[[], None]) -> None:
        """Have action called when it is over, by whatever thread ends it; at once if it is over."""
        with self._lock:
            if not self._over:
                self._waiting.append(action)
                return
        action()

    def land(self) -> None:
        """Tell all who wait that it is over."""
        with self._lock:
            self._over = True
            waiting, self._waiting = self._waiting, []
        for action in waiting:
            action()


Wait = Callable[[Flight], Awaitable[None]]
"""Waits until a flight is over, in the way of the runtime that waits; may raise instead."""

_flights: dict[Hashable, Flight] = {}
_lock = threading.Lock()


async def once(key: Hashable, make: Callable[[], Awaitable[T]], wait: Wait) -> T:
    """Return what make() returns, or what another's make() for the same key does that is under way; raises likewise.

    Nothing is remembered. Whoever was given up half-way (cancelled, or out of time) is no answer for the others: one of
    them begins anew, with its own make.
    """
    if key in _aboard.get():
        raise RuntimeError(f"{key!r} was asked for by what makes it")
    while True:
        with _lock:
            flight = _flights.get(key)
            first = flight is None
            if flight is None:
                flight = _flights[key] = Flight()
        if first:
            return await _lead(key, flight, make)
        await wait(flight)
        if flight.error is not None:
            raise _copied(flight.error) from flight.error
        if not flight.given_up:
            value: T = flight.value
            return value


async def _lead(key: Hashable, flight: Flight, make: Callable[[], Awaitable[T]]) -> T:
    before = _aboard.set((*_aboard.get(), key))
    try:
        flight.value = value = await make()
    except BaseException as error:
        if isinstance(error, Exception) and not _is_out_of_time(error):
            flight.error = error
        else:
            flight.given_up = True
        raise
    else:
        return value
    finally:
        with _lock:
            del _flights[key]
        flight.land()
        _aboard.reset(before)


def _is_out_of_time(error: Exception) -> bool:
    """Whether it was the task's own time that ran out, and not a wait that is the same for all."""
    return isinstance(error, TaskError) and error.kind is FailureKind.OVERDUE


def _copied(error: Exception) -> Exception:
    """Return an error of one's own: each that is raised collects the places it went through. Some cannot be copied."""
    try:
        return copy.copy(error)
    except Exception:
        return error
