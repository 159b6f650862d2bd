"""Groups of the blocking runtime, over a written client: who is broken off, what comes out, whose clients are kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Accept, Head, Headers, Progress, Reply, Request
from toolkit.core.job import Group, Runtime
from toolkit.core.runtime import BlockingRuntime, Cancelled, drive
from toolkit.core.task import Success, Task

PATIENCE = 10.0
HANG, DONE = Request("http://h/hang"), Request("http://h/done")


class Client:
    """Answers at once, or hangs until it is aborted: then it is good for nothing more."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._aborted = threading.Event()
        self.closed = False

    def fetch(self, request: Request, accept: Accept, progress: Progress) -> Reply:
        """Fetch, or hang."""
        assert not self._aborted.is_set()
        accept(Head(request.url, 200, Headers()))
        if request is HANG:
            self._world.hanging.release()
            assert self._aborted.wait(PATIENCE)
            raise TaskError(FailureKind.CONNECT, "broken off", retryable=True)
        progress(1)
        return Reply(Head(request.url, 200, Headers()), 1)

    def abort(self) -> None:
        """Break off."""
        self._aborted.set()

    def close(self) -> None:
        """Note it."""
        self.closed = True


class World:
    """A runtime, the clients it opened, and a count of fetches that hang."""

    def __init__(self) -> None:
        self.clients: list[Client] = []
        self.hanging = threading.Semaphore(0)
        self.cancelled = False
        self.runtime = BlockingRuntime(self._open, received=lambda _: None, cancelled=lambda: self.cancelled)

    def hangs(self) -> None:
        """Wait until one more fetch hangs."""
        assert self.hanging.acquire(timeout=PATIENCE)

    def _open(self) -> Client:
        self.clients.append(Client(self))
        return self.clients[-1]


async def fetch(runtime: Runtime, request: Request, at_head: Callable[[], object] = lambda: None) -> None:
    def accept(_: Head) -> None:
        at_head()

    await runtime.fetch(request, accept)


async def done(runtime: Runtime) -> None:
    await fetch(runtime, DONE)


async def hang(runtime: Runtime) -> None:
    await fetch(runtime, HANG)


async def fail(runtime: Runtime) -> None:
    raise ZeroDivisionError("member")


def in_group(world: World, body: Callable[[Group], Any]) -> None:
    async def job() -> None:
        async with world.runtime.group() as group:
            await body(group)

    drive(job())


def test_clients_of_members_are_kept_for_the_next_group() -> None:
    """As many are opened as members ran at once, and all are closed with the runtime."""
    world = World()
    gate = threading.Barrier(3)

    async def member(runtime: Runtime) -> None:
        await fetch(runtime, DONE, lambda: gate.wait(PATIENCE))

    async def body(group: Group) -> None:
        for _ in range(3):
            group.start(member)

    in_group(world, body)
    in_group(world, body)
    assert len(world.clients) == 3
    world.runtime.close()
    assert all(client.closed for client in world.clients)


def test_an_error_of_a_member_breaks_off_body_and_members_and_their_clients_are_replaced() -> None:
    """An aborted client is good for nothing more; those that did not fetch just then are kept."""
    world = World()

    async def late(runtime: Runtime) -> None:
        world.hangs()
        world.hangs()
        raise ZeroDivisionError("late")

    async def body(group: Group) -> None:
        await done(world.runtime)
        group.start(hang)
        group.start(late)
        await hang(world.runtime)

    with pytest.raises(ZeroDivisionError, match="late"):
        in_group(world, body)
    assert [client.closed for client in world.clients] == [True, True]
    in_group(world, lambda group: done(world.runtime))
    assert [client.closed for client in world.clients] == [True, True, False]


def test_the_bodys_own_error_comes_out_with_members_broken_off() -> None:
    """Nobody is left running, and what they then raise counts for nothing."""
    world = World()

    async def body(group: Group) -> None:
        group.start(hang)
        world.hangs()
        raise KeyError("body")

    with pytest.raises(KeyError):
        in_group(world, body)
    assert not [thread for thread in threading.enumerate() if thread.name == "toolkit-member"]


def test_an_error_while_the_body_does_not_fetch_meets_it_at_its_next_fetch() -> None:
    """Or at the end of the group; its client was not touched, and lives on."""
    world = World()
    failed = threading.Event()

    async def failing(runtime: Runtime) -> None:
        failed.set()
        raise ZeroDivisionError

    async def body(group: Group) -> None:
        await done(world.runtime)
        group.start(failing)
        assert failed.wait(PATIENCE)

    with pytest.raises(ZeroDivisionError):
        in_group(world, body)
    drive(done(world.runtime))
    assert len(world.clients) == 1


def test_members_may_start_members() -> None:
    """The group waits for them all."""
    world = World()
    seen: list[int] = []

    def member(group: Group, depth: int) -> Callable[[Runtime], Any]:
        async def run(runtime: Runtime) -> None:
            await fetch(runtime, DONE, lambda: group.start(member(group, depth - 1)) if depth else None)
            seen.append(depth)

        return run

    async def body(group: Group) -> None:
        group.start(member(group, 3))

    in_group(world, body)
    assert sorted(seen) == [0, 1, 2, 3]


def test_no_member_starts_in_a_group_that_is_being_broken_off() -> None:
    """What fails is over."""
    world = World()
    started: list[int] = []

    async def member(runtime: Runtime) -> None:
        started.append(1)

    async def body(group: Group) -> None:
        group.start(fail)
        try:
            await hang(world.runtime)
        finally:
            group.start(member)

    with pytest.raises(ZeroDivisionError):
        in_group(world, body)
    assert not started


def test_a_run_given_up_reaches_members() -> None:
    """Aborting the runtime aborts theirs, and the task is left."""
    world = World()

    async def job(task: Task[Any], runtime: Runtime) -> None:
        async with runtime.group() as group:
            group.start(hang)
            await hang(runtime)

    def give_up() -> None:
        world.hangs()
        world.hangs()
        world.cancelled = True
        world.runtime.abort()

    other = threading.Thread(target=give_up)
    other.start()
    with pytest.raises(Cancelled):
        world.runtime.perform(job, Task("k", None), "w")
    other.join()


def test_groups_within_groups() -> None:
    """A member's runtime is a whole one."""

    async def job(task: Task[Any], runtime: Runtime) -> int:
        async with runtime.group() as group:
            group.start(inner)
        return 1

    async def inner(runtime: Runtime) -> None:
        async with runtime.group() as group:
            group.start(done)

    assert isinstance(World().runtime.perform(job, Task("k", None), "w"), Success)


def test_too_many_threads_are_a_limit_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The task fails as one that may succeed with fewer at once, and its body is broken off."""
    world = World()

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def body(group: Group) -> None:
        group.start(done)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(TaskError) as caught:
        in_group(world, body)
    assert (caught.value.kind, caught.value.retryable) == (FailureKind.LIMIT, True)
