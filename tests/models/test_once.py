"""Single flight on event loops: tasks of one, of two, and threads beside them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from toolkit.core.runtime import BlockingRuntime, drive
from toolkit.models._beside import Threads
from toolkit.models._loop import AsyncRuntime

PATIENCE = 10.0
KEY = "a key of loops"


def runtime() -> AsyncRuntime:
    return AsyncRuntime(_no_client, received=lambda _: None, rates=None, threads=Threads(1))


def _no_client() -> Any:
    raise NotImplementedError


class Maker:
    """Makes things as soon as the gate is open; raises what `errors` has."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.made = 0
        self.errors: list[BaseException] = []

    async def __call__(self) -> object:
        """Make one."""
        self.made += 1
        error = self.errors.pop() if self.errors else None
        await self.gate.wait()
        if error is not None:
            raise error
        return object()


def on_loop(test: Callable[[Maker], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with asyncio.timeout(PATIENCE):
            await test(Maker())

    asyncio.run(whole())


async def turns() -> None:
    """Let all tasks go on as far as they can."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_once_on_a_loop_is_made_once() -> None:
    """Tasks of one loop share one making."""

    async def test(maker: Maker) -> None:
        world = runtime()
        tasks = [asyncio.create_task(world.once(KEY, maker)) for _ in range(20)]
        await turns()
        maker.gate.set()
        assert len(set(await asyncio.gather(*tasks))) == 1
        assert maker.made == 1

    on_loop(test)


def test_once_whose_maker_is_cancelled_is_taken_over() -> None:
    """The cancelled one is cancelled; another makes it for all the others."""

    async def test(maker: Maker) -> None:
        world = runtime()
        first, *others = [asyncio.create_task(world.once(KEY, maker)) for _ in range(5)]
        await turns()
        first.cancel()
        await turns()
        assert first.cancelled()
        assert maker.made == 2
        maker.gate.set()
        assert len(set(await asyncio.gather(*others))) == 1
        assert maker.made == 2

    on_loop(test)


def test_once_whose_waiters_are_cancelled_goes_on() -> None:
    """One that waits no longer costs the others nothing."""

    async def test(maker: Maker) -> None:
        world = runtime()
        first, second, third = [asyncio.create_task(world.once(KEY, maker)) for _ in range(3)]
        await turns()
        second.cancel()
        await turns()
        assert second.cancelled()
        maker.gate.set()
        assert await first is await third
        assert maker.made == 1

    on_loop(test)


def test_once_on_a_loop_that_fails_fails_for_all() -> None:
    """All get the error, and none the same object."""

    async def test(maker: Maker) -> None:
        world = runtime()
        maker.errors = [ValueError("no")]
        tasks = [asyncio.create_task(world.once(KEY, maker)) for _ in range(3)]
        await turns()
        maker.gate.set()
        errors = await asyncio.gather(*tasks, return_exceptions=True)
        assert [repr(error) for error in errors] == ["ValueError('no')"] * 3
        assert len({id(error) for error in errors}) == 3
        assert maker.made == 1

    on_loop(test)


@pytest.mark.parametrize("first", ["loop", "thread"])
def test_once_is_one_for_loops_and_threads(first: str) -> None:
    """A thread waits for what a task of a loop makes, and the other way round."""

    async def test(maker: Maker) -> None:
        opened, begun, made = threading.Event(), threading.Semaphore(0), []

        async def in_thread() -> object:
            begun.release()
            assert opened.wait(PATIENCE)
            made.append("thread")
            return object()

        async def on_this_loop() -> object:
            begun.release()
            await maker.gate.wait()
            made.append("loop")
            return object()

        blocking = BlockingRuntime(_no_client, received=lambda _: None, cancelled=lambda: False)

        async def ask(where: str) -> asyncio.Task[object]:
            if where == "loop":
                return asyncio.create_task(runtime().once(KEY, on_this_loop))
            return asyncio.create_task(asyncio.to_thread(lambda: drive(blocking.once(KEY, in_thread))))

        one = await ask(first)
        assert await asyncio.to_thread(begun.acquire, timeout=PATIENCE)
        two = await ask("thread" if first == "loop" else "loop")
        await turns()
        opened.set()
        maker.gate.set()
        results = await asyncio.gather(one, two)
        # The second may have come too late to wait; it has never made one while another did.
        assert (results[0] is results[1]) == (len(made) == 1)
        assert made[0] == first

    on_loop(test)
