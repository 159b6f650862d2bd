"""Fetches of one task that go on at the same time, under the models that block: a thread and a client for each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Protocol, Self

from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.job import Runtime

Member = Callable[[Runtime], Coroutine[Any, Any, None]]


class Lender(Runtime, Protocol):
    """A runtime that can be broken off, and that lends others of its kind."""

    def lend(self) -> Lender:
        """Return a runtime with a client of its own; from any thread."""

    def take_back(self, lent: Any) -> None:
        """Keep what was lent for the next group; from any thread."""

    def break_off(self) -> None:
        """End the fetch that is under way, and refuse others, until mend; from any thread."""

    def mend(self) -> None:
        """Allow fetches again."""


class ThreadGroup:
    """A group whose members are threads; run drives a member's coroutine.

    The first error, of the body or of a member, breaks all others off: they see Cancelled raised by their fetch, and
    the error comes out of the `async with`.
    """

    def __init__(self, runtime: Lender, run: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        self._runtime = runtime
        self._run = run
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._lent: list[Lender] = []
        self._first: BaseException | None = None
        self._over = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._fail(error)
        while (thread := self._next()) is not None:
            thread.join()
        self._runtime.mend()
        if self._first is not None and self._first is not error:
            raise self._first from None

    def start(self, member: Member) -> None:
        """Start a member, unless the group is being broken off; raises TaskError limit if there can be no more."""
        with self._lock:
            if self._over:
                return
            lent = self._runtime.lend()
            # A daemon, as the models' own threads: one that is stuck in C code does not keep a program alive.
            thread = threading.Thread(target=self._work, args=(member, lent), name="toolkit-member", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                self._runtime.take_back(lent)
                raise TaskError(FailureKind.LIMIT, "no further thread can be started", retryable=True) from error
            self._lent.append(lent)
            self._threads.append(thread)

    def _next(self) -> threading.Thread | None:
        """Return a thread to wait for, or None once all have ended: then no other can be started."""
        with self._lock:
            self._over = self._over or not self._threads
            return self._threads.pop() if self._threads else None

    def _work(self, member: Member, lent: Lender) -> None:
        try:
            self._run(member(lent))
        except BaseException as error:  # raised again in the thread of the body
            self._fail(error)
        with self._lock:
            self._lent.remove(lent)
            lent.mend()
            self._runtime.take_back(lent)

    def _fail(self, error: BaseException) -> None:
        """Keep the first error, and break off everyone else."""
        with self._lock:
            if self._first is not None:
                return
            self._first, self._over = error, True
            for each in (self._runtime, *self._lent):
                each.break_off()
