"""What a worker process with an event loop is made of: whose step it is in, where it calls functions, how it hears."""

from __future__ import annotations

import asyncio
import multiprocessing
import pickle
import threading
import time
from collections.abc import Callable
from typing import Any, cast

import pytest

from toolkit.clients import ClientOptions
from toolkit.models._beside import Threads
from toolkit.models._calls import QUICK, Calls, computed
from toolkit.models._inbox import Inbox
from toolkit.models._looping import work
from toolkit.models._watched import watched
from toolkit.models._worker import CALLING, MARKS, SERIAL, Brief


def test_the_mark_bears_a_number_while_a_step_runs_and_not_while_it_waits() -> None:
    """Two tasks in turn, and between them nobody."""
    mark = [0.0] * MARKS
    seen: list[float] = []

    async def look() -> str:
        seen.append(mark[SERIAL])
        await asyncio.sleep(0.01)
        seen.append(mark[SERIAL])
        return "seen"

    async def step(serial: int) -> str:
        return await watched(look(), mark, serial)

    async def both() -> list[str]:
        found = asyncio.gather(step(7), step(8))
        await asyncio.sleep(0.005)
        seen.append(mark[SERIAL])
        return list(await found)

    assert asyncio.run(both()) == ["seen", "seen"]
    assert seen == [7, 8, 0, 7, 8]
    assert mark[SERIAL] == 0


def test_a_cancellation_reaches_the_watched_coroutine() -> None:
    """It can clean up, with the mark, and its end is its own."""
    mark = [0.0] * MARKS
    seen: list[float] = []

    async def stay() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            seen.append(mark[SERIAL])

    async def cancelled() -> None:
        async with asyncio.timeout(0.01):
            await watched(stay(), mark, 5)

    with pytest.raises(TimeoutError):
        asyncio.run(cancelled())
    assert seen == [5]


def called(*functions: Callable[[], Any]) -> tuple[list[Any], list[float]]:
    """Call functions for task 3, one after the other; return what they return, and the mark afterwards."""
    mark = [0.0] * MARKS
    threads = Threads(1)
    calls = Calls(threads, mark)

    async def all_of_them() -> list[Any]:
        return [await calls.call(3, function) for function in functions]

    try:
        return asyncio.run(all_of_them()), mark
    finally:
        threads.close(None)


def where() -> str:
    return threading.current_thread().name


def test_a_function_is_called_in_place_from_its_second_call_on() -> None:
    """It has shown that it is quick."""
    found, _ = called(where, where, where)
    assert found == ["toolkit-call-0", "MainThread", "MainThread"]


def test_calls_that_compute_are_counted_by_place() -> None:
    """In shared memory, where the parent finds them even when the worker has died; other calls are not counted."""
    mark = [0.0] * MARKS
    threads = Threads(1)
    calls = Calls(threads, mark)

    async def several() -> None:
        for _ in range(3):
            await calls.compute(3, where)
        await calls.call(3, where)

    try:
        asyncio.run(several())
    finally:
        threads.close(None)
    assert {each.where: each.calls for each in computed(mark)} == {"loop": 2, "threads": 1}
    assert all(each.seconds > 0 for each in computed(mark))


def test_one_slow_call_sends_the_next_ones_to_a_thread_but_not_for_ever() -> None:
    """How long a call takes depends on what it is given."""
    pauses = iter([0.0, 2.5 * QUICK] + [0.0] * 20)

    def uneven() -> str:
        time.sleep(next(pauses))
        return where()

    found, _ = called(*[uneven] * 20)
    assert found[:4] == ["toolkit-call-0", "MainThread", "toolkit-call-0", "toolkit-call-0"]
    assert found[-1] == "MainThread"


def test_calls_that_compute_are_judged_by_what_they_compute_and_by_size() -> None:
    """A busy machine makes no function slow, nor a large page the small ones."""
    threads = Threads(1)
    calls = Calls(threads, [0.0] * MARKS)

    def read(page: bytes) -> str:
        ends = time.thread_time() + len(page) * QUICK / 1000
        while time.thread_time() < ends:
            pass
        time.sleep(2 * QUICK)
        return where()

    async def several(*sizes: int) -> list[str]:
        return [await calls.compute(3, read, b"x" * size) for size in sizes]

    try:
        found = asyncio.run(several(100, 100, 1500, 100, 1500))
    finally:
        threads.close(None)
    assert found == ["toolkit-call-0", "MainThread", "toolkit-call-0", "MainThread", "toolkit-call-0"]


def test_functions_are_judged_each_by_itself() -> None:
    """Also those that have no name."""

    class Named:
        def __call__(self) -> str:
            return where()

    def slow() -> str:
        time.sleep(2 * QUICK)
        return where()

    found, _ = called(slow, Named(), slow, Named())
    assert found == ["toolkit-call-0"] * 3 + ["MainThread"]


def test_the_mark_says_for_whom_a_function_is_called() -> None:
    """In the loop's thread and in the one beside it, and only as long as it lasts."""
    mark = [0.0] * MARKS
    threads = Threads(1)
    calls = Calls(threads, mark)

    def look() -> tuple[float, float]:
        return mark[SERIAL], mark[CALLING]

    async def both() -> list[tuple[float, float]]:
        return [await calls.call(3, look), await calls.call(4, look)]

    assert asyncio.run(both()) == [(0, 3), (4, 0)]
    assert mark == [0.0] * MARKS
    threads.close(None)


@pytest.mark.parametrize("watches", [True, False])
def test_messages_are_heard_in_the_loop_and_so_is_the_end(monkeypatch: pytest.MonkeyPatch, *, watches: bool) -> None:
    """Where a loop cannot watch a pipe, as on Windows, a thread does."""
    ours, theirs = multiprocessing.Pipe()
    heard: list[bytes] = []
    threads: set[str] = set()

    async def listen() -> None:
        loop = asyncio.get_running_loop()
        over = loop.create_future()

        def hear(message: bytes) -> None:
            heard.append(message)
            threads.add(where())
            if not message:
                over.set_result(None)

        def cannot(*arguments: Any) -> None:
            raise NotImplementedError

        if not watches:
            monkeypatch.setattr(loop, "add_reader", cannot)
        with Inbox(ours, hear):
            for message in (b"one", b"two" * 100_000):
                await asyncio.to_thread(theirs.send_bytes, message)
            theirs.close()
            await over

    asyncio.run(listen())
    ours.close()
    assert heard == [b"one", b"two" * 100_000, b""]
    assert threads == {"MainThread"}


def test_a_process_that_cannot_start_what_it_got_ends() -> None:
    """Its parent takes it for dead; if it went on, those tasks would be waited for for ever."""
    ours, theirs = multiprocessing.Pipe()
    theirs.send_bytes(b"no pickle")
    brief = Brief("loop-0", work, b"", {}, "aiohttp", ClientOptions())
    with pytest.raises(pickle.UnpicklingError):
        work(brief, cast("Any", None), ours, [0.0] * MARKS)
    ours.close()
    theirs.close()
