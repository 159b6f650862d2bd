"""Threads beside an event loop, for functions that would hold it up."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class Threads:
    """A few threads that call functions for a loop.

    They are daemons, unlike those of the standard executor: a function that never returns must not keep a cancelled
    program alive. All but _work runs in the loop's thread. lost: how many functions nobody waits for any more, but run.
    """

    def __init__(self, most: int) -> None:
        self.lost = 0
        self._most = most
        self._open = 0
        self._calls: SimpleQueue[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    async def call(self, function: Callable[..., T], *args: Any) -> T:
        """Return what the function returns, or raise what it raises."""
        future: Future[T] = Future()
        self._calls.put((future, function, args))
        self._open += 1
        self._staff()
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if future.running():  # its thread is lost to what nobody waits for: there may be one more instead
                self.lost += 1
                self._most += 1
                self._open += 1
                self._staff()
            raise
        finally:
            self._open -= 1

    def close(self, patience: float | None) -> None:
        """Let the threads end, and wait for them."""
        for _ in self._threads:
            self._calls.put(None)
        ends = None if patience is None else time.monotonic() + patience
        for thread in self._threads:
            thread.join(None if ends is None else max(0.0, ends - time.monotonic()))

    def _staff(self) -> None:
        """Start a thread if one is wanted and allowed."""
        if self._open <= len(self._threads) or len(self._threads) >= self._most:
            return
        thread = threading.Thread(target=self._work, name=f"toolkit-call-{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while call := self._calls.get():
            future, function, args = call
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(function(*args))
            except (StopIteration, GeneratorExit) as error:  # awaits cannot carry them: they mean something there
                future.set_exception(RuntimeError(f"the function raised {type(error).__name__}: {error}"))
            except BaseException as error:
                future.set_exception(error)
            del call, future, function, args


def size_of(args: tuple[Any, ...]) -> int:
    """Return the bytes, or signs, of the arguments that have many."""
    return sum(len(each) for each in args if isinstance(each, bytes | bytearray | str))
