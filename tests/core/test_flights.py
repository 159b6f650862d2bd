"""Single flight among threads: who makes, who waits, and what they get."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.runtime import BlockingRuntime, Cancelled, drive
from toolkit.core.task import Failure, Success, Task

PATIENCE = 10.0
KEY = "a key"
TASK: Task[Any] = Task("k", None)


class World:
    """Tasks in threads of their own, and what they make: `made` counts, `errors` are raised, `gate` lets it end."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.gate = threading.Event()
        self.made = 0
        self.cancelled: set[str] = set()
        self.errors: list[BaseException] = []

    async def make(self) -> object:
        """Make a new thing, once the gate is open."""
        self.made += 1
        error = self.errors.pop() if self.errors else None
        self.begun.release()
        assert self.gate.wait(PATIENCE)
        if error is not None:
            raise error
        return object()

    def runtime(self, name: str, **options: Any) -> BlockingRuntime:
        """Return the runtime of a worker."""
        return BlockingRuntime(_no_client, received=lambda _: None, cancelled=lambda: name in self.cancelled, **options)

    def ask(self, name: str, key: object = KEY) -> Future[Any]:
        """Have a thread ask."""
        runtime = self.runtime(name)
        return started(lambda: drive(runtime.once(key, self.make)))

    def asked(self) -> None:
        """Wait until one has begun to make."""
        assert self.begun.acquire(timeout=PATIENCE)


def started(function: Callable[[], Any]) -> Future[Any]:
    future: Future[Any] = Future()

    def work() -> None:
        try:
            future.set_result(function())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return future


def _no_client() -> Any:
    raise NotImplementedError


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Return what is released for each that has begun to wait."""
    semaphore = threading.Semaphore(0)
    from toolkit.core.flights import Flight

    wait = Flight.on_landing

    def on_landing(self: Flight, action: Callable[[], None]) -> None:
        wait(self, action)
        semaphore.release()

    monkeypatch.setattr(Flight, "on_landing", on_landing)
    return semaphore


def test_once_while_it_is_made_is_waited_for(world: World, waiting: threading.Semaphore) -> None:
    """One makes; those that ask meanwhile get the very same."""
    first = world.ask("first")
    world.asked()
    others = [world.ask(f"other-{n}") for n in range(3)]
    for _ in others:
        assert waiting.acquire(timeout=PATIENCE)
    world.gate.set()
    assert {id(other.result(PATIENCE)) for other in others} == {id(first.result(PATIENCE))}
    assert world.made == 1


def test_once_afterwards_makes_anew(world: World) -> None:
    """What was made is forgotten, and so is what failed."""
    world.gate.set()
    assert world.ask("a").result(PATIENCE) is not world.ask("b").result(PATIENCE)
    for _ in range(2):
        world.errors = [ValueError("no")]
        with pytest.raises(ValueError, match="no"):
            world.ask("c").result(PATIENCE)
    assert world.made == 4


def test_once_with_other_keys_goes_on_at_the_same_time(world: World) -> None:
    """Keys do not wait for each other."""
    asked = [world.ask("a", key) for key in (1, 2)]
    world.asked()
    world.asked()
    world.gate.set()
    assert len({id(future.result(PATIENCE)) for future in asked}) == 2


def test_once_that_fails_fails_for_all_each_with_an_error_of_its_own(
    world: World, waiting: threading.Semaphore
) -> None:
    """The error has the same facts, and is not the same object: each that is raised collects its own places."""
    world.errors = [TaskError(FailureKind.CONNECT, "no answer", retryable=True, retry_after=3.0)]
    first = world.ask("first")
    world.asked()
    other = world.ask("other")
    assert waiting.acquire(timeout=PATIENCE)
    world.gate.set()
    errors = [future.exception(PATIENCE) for future in (first, other)]
    assert errors[0] is not errors[1]
    for error in errors:
        assert isinstance(error, TaskError)
        assert (error.kind, error.message, error.retry_after) == (FailureKind.CONNECT, "no answer", 3.0)
    assert world.made == 1


@pytest.mark.parametrize("error", [Cancelled(), TaskError(FailureKind.OVERDUE, "took longer"), SystemExit(1)])
def test_once_that_is_given_up_is_begun_anew_by_another(
    world: World, waiting: threading.Semaphore, error: BaseException
) -> None:
    """What ends the one that makes it is no answer for the others: one of them makes it."""
    world.errors = [error]
    first = world.ask("first")
    world.asked()
    others = [world.ask(f"other-{n}") for n in range(2)]
    for _ in others:
        assert waiting.acquire(timeout=PATIENCE)
    world.gate.set()
    assert first.exception(PATIENCE) is error
    assert all(other.result(PATIENCE) for other in others)
    assert world.made in (2, 3)  # the second may have been too late to wait for the one before


def test_once_in_a_wait_is_broken_off_with_its_runtime(world: World, waiting: threading.Semaphore) -> None:
    """A worker that is to give up does not wait for what another makes; the other does not mind."""
    first = world.ask("first")
    world.asked()
    other = world.ask("other")
    assert waiting.acquire(timeout=PATIENCE)
    world.cancelled.add("other")
    assert isinstance(other.exception(PATIENCE), Cancelled)
    world.gate.set()
    assert first.result(PATIENCE)


def test_once_in_a_wait_ends_at_the_deadline(world: World) -> None:
    """A task waits for another's work no longer than it may take."""
    first = world.ask("first")
    world.asked()

    async def job(task: Task[Any], runtime: Any) -> object:
        return await runtime.once(KEY, world.make)

    outcome = world.runtime("other", task_timeout=0.05).perform(job, TASK, "other")
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.OVERDUE
    world.gate.set()
    assert first.result(PATIENCE)


def test_once_that_asks_for_itself_is_told(world: World) -> None:
    """It would wait for ever."""
    runtime = world.runtime("a")

    async def again() -> object:
        return await runtime.once(KEY, world.make)

    with pytest.raises(RuntimeError, match="asked for by what makes it"):
        drive(runtime.once(KEY, again))
    world.gate.set()
    assert drive(again())


def test_compute_in_a_thread_is_in_place(world: World) -> None:
    """A model that blocks computes where it is."""

    async def job(task: Task[Any], runtime: Any) -> int:
        ident: int = await runtime.compute(threading.get_ident)
        return ident

    outcome = world.runtime("a").perform(job, TASK, "a")
    assert isinstance(outcome, Success)
    assert outcome.value == threading.get_ident()
