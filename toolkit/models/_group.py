"""Fetches of one task that go on at the same time, on an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

from toolkit.core.job import Runtime


class LoopGroup:
    """A group whose members are tasks of the loop: asyncio's own, but the first error comes out as it is."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._group = asyncio.TaskGroup()
        self._first: BaseException | None = None
        self._over = False

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        me = asyncio.current_task()
        if error is not None and not (isinstance(error, asyncio.CancelledError) and me and me.cancelling()):
            self._fail(error)
        try:
            await self._group.__aexit__(kind, error, trace)
        except asyncio.CancelledError:
            raise
        except BaseException:  # all errors of the members; the first of them is kept
            if me is not None and me.cancelling():  # from outside, and that goes before any error
                raise asyncio.CancelledError from None
        finally:
            self._over = True
        if self._first is not None and self._first is not error:
            raise self._first from None

    def start(self, member: Callable[[Runtime], Coroutine[Any, Any, None]]) -> None:
        """Start a member, unless the group is being broken off."""
        if not self._over:
            self._group.create_task(self._run(member))

    async def _run(self, member: Callable[[Runtime], Coroutine[Any, Any, None]]) -> None:
        me = asyncio.current_task()
        try:
            await member(self._runtime)
        except BaseException as error:  # SystemExit must not end the loop
            if isinstance(error, asyncio.CancelledError) and me is not None and me.cancelling():
                raise
            self._fail(error)
            raise _Failed from None

    def _fail(self, error: BaseException) -> None:
        self._first = self._first or error
        self._over = True


class _Failed(Exception):  # noqa: N818 - it only tells the group to end
    """A member has failed, and its error is kept."""
