"""Fetches of one task that go on at the same time, on an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

from toolkit.core.job import Runtime


class LoopGroup:
    """A group whose members are tasks of the loop; the first error cancels all others, and comes out.

    Not asyncio's own: that wraps errors, and on Python 3.11 leaves a task marked as cancelled for good if one of its
    members fails while it waits for them.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._tasks: set[asyncio.Task[None]] = set()
        self._first: BaseException | None = None
        self._over = False
        self._in_body = True
        self._cancelled = False
        self._cancels_before = 0

    async def __aenter__(self) -> Self:
        self._body = _this_task()
        self._cancels_before = self._body.cancelling()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._in_body = False
        if self._cancelled:
            self._body.uncancel()
        if error is not None:
            self._fail(error)
        while self._tasks:
            try:
                await asyncio.wait(self._tasks)
            except asyncio.CancelledError as cancelled:
                self._fail(cancelled)
        self._over = True
        if self._body.cancelling() > self._cancels_before:  # from outside, and that goes before any error
            raise asyncio.CancelledError
        if self._first is not None and self._first is not error:
            raise self._first from None

    def start(self, member: Callable[[Runtime], Coroutine[Any, Any, None]]) -> None:
        """Start a member, unless the group is being broken off."""
        if not self._over:
            task = asyncio.create_task(self._run(member))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run(self, member: Callable[[Runtime], Coroutine[Any, Any, None]]) -> None:
        try:
            await member(self._runtime)
        except BaseException as error:  # SystemExit must not end the loop
            if isinstance(error, asyncio.CancelledError) and _this_task().cancelling():
                raise
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """Keep the first error, and cancel everyone else."""
        if self._first is None:
            self._first = error
            if self._in_body:
                self._cancelled = True
                self._body.cancel()
        if not self._over:
            self._over = True
            for task in self._tasks:
                if task is not asyncio.current_task():
                    task.cancel()


def _this_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - for the type checker: a coroutine runs in a task
    return task
