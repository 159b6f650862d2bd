"""Groups on an event loop: what the task that opened one is like afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from toolkit.core.job import Runtime
from toolkit.models._group import LoopGroup

Body = Callable[[LoopGroup], Coroutine[Any, Any, None]]
Member = Callable[[Runtime], Coroutine[Any, Any, None]]

RUNTIME: Any = None
"""No test fetches."""


async def tick(runtime: Runtime) -> None:
    await asyncio.sleep(0)


async def fail(runtime: Runtime) -> None:
    await asyncio.sleep(0)
    raise ZeroDivisionError


async def stay(runtime: Runtime) -> None:
    await asyncio.sleep(60)


async def _nothing(group: LoopGroup) -> None:
    pass


async def _wait(group: LoopGroup) -> None:
    await asyncio.sleep(60)


async def _swallow(group: LoopGroup) -> None:
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        await asyncio.sleep(0)


async def grouped(body: Body, *members: Member) -> None:
    async with LoopGroup(RUNTIME) as group:
        for member in members:
            group.start(member)
        await body(group)


@pytest.mark.parametrize("body", [_nothing, _wait, _swallow])
def test_a_task_is_not_cancelled_once_its_group_has_ended(
    body: Body,
) -> None:
    """Whether the body waited for something of its own, or for its members; asyncio.TaskGroup does not give this."""

    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            await grouped(body, stay, fail)
        me = asyncio.current_task()
        assert me is not None
        assert me.cancelling() == 0
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {me}

    asyncio.run(main())


@pytest.mark.parametrize("body", [_nothing, _wait])
def test_cancelled_from_outside_it_stays_cancelled(body: Body) -> None:
    """Also where a member fails because of it: members end, and CancelledError comes out."""

    async def sore(runtime: Runtime) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise ZeroDivisionError

    async def main() -> None:
        task = asyncio.create_task(grouped(body, sore))
        for _ in range(5):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()

    asyncio.run(main())


def test_time_limits_end_a_group() -> None:
    """asyncio.timeout around it sees its own cancellation."""

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await grouped(_nothing, stay)

    asyncio.run(main())


def test_a_member_that_raises_cancelled_by_itself_fails_the_group() -> None:
    """Nobody cancelled it: that is an error as any other."""

    async def odd(runtime: Runtime) -> None:
        raise asyncio.CancelledError("by itself")

    async def main() -> None:
        with pytest.raises(asyncio.CancelledError, match="by itself"):
            await grouped(_nothing, odd, tick)
        me = asyncio.current_task()
        assert me is not None
        assert me.cancelling() == 0

    asyncio.run(main())
