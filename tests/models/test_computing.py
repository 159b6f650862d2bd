"""Where asyncio computes, and what becomes of a call whose process dies, hangs or never was."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.models.computing import EAGER, Beside, Job, act, beside, spin
from tests.models.conftest import start
from tests.models.fakes import FakeApp
from tests.models.test_signals import CTRL_C, lives, terminal, wait_for
from toolkit import clients
from toolkit.core.errors import FailureKind, RunStopped, TaskError
from toolkit.core.loops import Computed
from toolkit.core.task import Failure, Success
from toolkit.models import Setup, _batches, _computing
from toolkit.models._beside import Threads
from toolkit.models._computing import (
    BY_SIZE,
    EARLY,
    FIRST,
    HERE,
    LARGE,
    LASTING,
    MEANWHILE,
    QUICK,
    SLOW,
    Computing,
    pool_of,
)
from toolkit.models._crew import Crew, crew_of
from toolkit.models._pool import Pool

PATIENCE = 20.0
ME = os.getpid()


def setup(job: Any = None, **options: Any) -> Setup:
    return Setup(job or Job(), 2, clients.load("aiohttp", "async"), **options)


@contextmanager
def pool_of_two(processes: int = 2) -> Iterator[Pool]:
    pool = Pool(setup(), processes)
    pool.open()
    try:
        yield pool
    finally:
        pool.close(PATIENCE, cancelled=True)


def on_loop(work: Awaitable[Any]) -> Any:
    async def whole() -> Any:
        async with asyncio.timeout(PATIENCE):
            return await work

    return asyncio.run(whole())


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    for _ in range(4000):
        if holds():
            return
        await asyncio.sleep(0.005)
    raise TimeoutError


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Want processes from the second call on."""
    for name, value in EAGER.items():
        monkeypatch.setattr(_computing, name, value)


class World:
    """A Computing whose calls can be made one after the other."""

    def __init__(self, pool: Pool | None) -> None:
        self.threads = Threads(1)
        self.computing = Computing(self.threads, pool)

    async def calls(self, *seconds: float) -> list[int]:
        """Compute for so long each, one after the other; return the processes."""
        return [await self.computing.compute(spin, each) for each in seconds]

    def counts(self) -> dict[tuple[str, str], int]:
        """Return how many calls were made where, and why."""
        return {(each.where, each.why): each.calls for each in self.computing.figures()}

    def close(self) -> None:
        """End it."""
        self.computing.close(PATIENCE, cancelled=True)
        self.threads.close(PATIENCE)


@contextmanager
def world(pool: Pool | None = None) -> Iterator[World]:
    world = World(pool)
    try:
        yield world
    finally:
        world.close()


# Where


def test_what_is_quick_stays_in_the_loop() -> None:
    """It is not worth the way, and no process is started for it."""
    pool = Pool(setup(), 2)
    with world(pool) as here:
        assert set(on_loop(here.calls(*[0.0001] * 50))) == {ME}
        assert here.counts() == {("loop", FIRST): 20, ("loop", QUICK): 30}
        assert pool._thread is None


def test_what_takes_long_goes_to_processes_after_the_first_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until they are there, to threads; then the loop has nothing to do with it."""

    async def work(here: World, pool: Pool) -> list[int]:
        first = await here.calls(*[0.03] * 17)
        while not pool.ready:
            first += await here.calls(0.03)
        assert set(first) == {ME}
        return await here.calls(*[0.01] * 5)

    monkeypatch.setattr(_computing, "PAYS", 0.5)
    pool = Pool(setup(), 2)
    with world(pool) as here:
        pids = on_loop(work(here, pool))
        assert ME not in pids
        counts = here.counts()
        assert counts.pop(("threads", MEANWHILE), 1)
        assert counts == {("loop", FIRST): 17, ("processes", LASTING): 5}
        beside = next(each for each in here.computing.figures() if each.where == "processes")
        assert beside == Computed("processes", 5, beside.seconds, LASTING, 2)
        assert 0.01 <= beside.mean < 0.03


def test_no_process_is_started_for_a_few_slow_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large pages in a row, or a short list: they are over before processes would have paid."""
    monkeypatch.setattr(_computing, "PAYS", 0.2)
    pool = Pool(setup(), 2)
    with world(pool) as here:
        on_loop(here.calls(*[0.006] * 20, *[0.0001] * 40))
        assert here.counts() == {("loop", FIRST): 20, ("loop", EARLY): 20, ("loop", QUICK): 20}
        assert pool._thread is None
        on_loop(here.calls(*[0.006] * 20))
        assert pool._thread is not None


def test_while_processes_come_up_calls_wait_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are made in the loop, or in a thread if they would hold it up: both cost less than to wait."""
    monkeypatch.setattr(_computing, "PAYS", 0.0)
    monkeypatch.setattr(_computing, "CALLS", 2)
    monkeypatch.setattr(Pool, "open", lambda _: None)
    for seconds, where in ((0.003, "loop"), (0.03, "threads")):
        with world(Pool(setup(), 2)) as here:
            on_loop(here.calls(seconds, seconds, seconds))
            assert here.counts() == {("loop", FIRST): 2, (where, MEANWHILE): 1}


def test_what_turns_quick_comes_back_into_the_loop(eager: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a call takes depends on what it is given, and that may change in the midst of a run."""

    async def work(here: World, pool: Pool) -> None:
        await beside(here.computing)
        monkeypatch.setattr(_computing, "BACK", 0.5)
        await here.computing.compute(act, "pid", None, 1)
        monkeypatch.setattr(_computing, "WORTH", 0.5)
        assert await here.computing.compute(act, "pid", None, 1) == ME

    pool = Pool(setup(), 1)
    with world(pool) as here:
        on_loop(work(here, pool))


def test_large_argument_goes_to_a_thread_while_nothing_is_known() -> None:
    """It would hold up the loop; once it is known how long a byte takes, that decides."""

    async def work(here: World) -> list[str]:
        found = [await here.computing.compute(_where, b"x" * LARGE)]
        for _ in range(19):
            await here.computing.compute(_where, b"x")
        return [*found, await here.computing.compute(_where, b"x" * LARGE)]

    with world() as here:
        assert on_loop(work(here)) == ["toolkit-call-0", "MainThread"]
        assert here.counts()["threads", BY_SIZE] == 1


def _where(body: bytes) -> str:
    return threading.current_thread().name


def test_without_processes_what_is_slow_goes_to_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the loop comes round; what is not so slow is computed in it, for threads would only cost more."""
    monkeypatch.setattr(_computing, "CALLS", 2)
    with world() as here:
        on_loop(here.calls(0.03, 0.03, 0.03))
        assert here.counts() == {("loop", FIRST): 2, ("threads", SLOW): 1}
    with world() as here:
        on_loop(here.calls(0.007, 0.007, 0.007))
        assert here.counts() == {("loop", FIRST): 2, ("loop", HERE): 1}


@pytest.mark.parametrize(("cpus", "workers", "wanted"), [(1, 8, 0), (2, 1, 0), (2, 8, 2), (8, 4, 4)])
def test_processes_are_as_many_as_help(cpus: int, workers: int, wanted: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One for each processor, and none where there is one, or where tasks run one by one."""
    monkeypatch.setattr(_computing, "usable_cpus", lambda: cpus)
    pool = pool_of(Setup(Job(), workers, clients.load("aiohttp", "async")))
    assert (pool.processes if pool else 0) == wanted


@pytest.mark.parametrize("function", [lambda: 1, threading.Lock().acquire])
def test_functions_that_cannot_be_sent_are_not(function: Callable[..., Any]) -> None:
    """A job that breaks the rule is slower, and does not fail."""
    assert not Pool(setup(), 1).takes(function)
    assert Pool(setup(), 1).takes(act)


def test_function_of_a_script_that_was_piped_in_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process could not import it."""
    from toolkit.models import _worker

    monkeypatch.setattr(spin, "__module__", "__main__")
    monkeypatch.setattr(_worker, "main_script", dict)
    assert not Pool(setup(), 1).takes(spin)


# What becomes of it


def test_error_of_a_process_comes_out_with_its_traceback() -> None:
    """The same error as in place, and where it was raised over there."""

    async def work(pool: Pool) -> None:
        called = await pool.call(act, "fail", "damaged", 1)
        with pytest.raises(TaskError, match="damaged") as caught:
            called.result()
        assert caught.value.kind is FailureKind.IMAGE
        assert "in _fail" in "".join(traceback.format_exception(caught.value))
        for name, said in (("awkward", "Awkward"), ("locked", "Locked"), ("stop", "StopIteration")):
            with pytest.raises(RuntimeError, match=said):
                (await pool.call(act, "raise", name, 1)).result()
        with pytest.raises(TaskError, match="cannot be sent") as unsent:
            await pool.call(act, "unpicklable", None, 1)
        assert unsent.value.kind is FailureKind.UNPICKLABLE

    with pool_of_two() as pool:
        on_loop(work(pool))


def test_usage_error_of_a_function_does_not_end_the_processes() -> None:
    """It is the task's to raise: it is for the model, in the loop, to end the run."""

    async def work(pool: Pool) -> None:
        called = await pool.call(act, "unusable", "no", 1)
        assert str(called.error) == "no"
        assert (await pool.call(act, "square", 3, 1)).result() == 9

    with pool_of_two() as pool:
        on_loop(work(pool))


def test_ring_ends_one_listening_and_no_other() -> None:
    """Else whoever watches the processes would watch without a pause from the first call on."""
    with crew_of(setup(), _batches.work, []) as crew:
        crew.ring()
        assert crew._alarm.poll(0)
        crew.listen(0.0)
        assert not crew._alarm.poll(0)


@pytest.mark.parametrize(("death", "said"), [(("crash", None), "SIGSEGV"), (("die", signal.SIGKILL), "SIGKILL")])
def test_death_of_a_process_costs_its_call_alone(death: tuple[str, Any], said: str) -> None:
    """The failure is that of the model `processes`; another process takes its place."""

    async def work(pool: Pool) -> list[Any]:
        calls = [pool.call(act, *death, 1), *(pool.call(act, "square", n, 1) for n in range(20))]
        return await asyncio.gather(*calls, return_exceptions=True)

    with pool_of_two() as pool:
        error, *others = on_loop(work(pool))
        assert isinstance(error, TaskError)
        assert (error.kind, error.retryable) == (FailureKind.WORKER_DIED, True)
        assert said in error.message
        assert [other.result() for other in others] == [n * n for n in range(20)]


def test_call_that_nobody_waits_for_is_killed(tmp_path: Path) -> None:
    """Even in C code that never comes back: its process is needed by others."""

    async def work(pool: Pool) -> Any:
        hung = asyncio.create_task(pool.call(act, "backtrack", str(tmp_path / "shown"), 1))
        await until((tmp_path / "shown").exists)
        behind = asyncio.create_task(pool.call(act, "square", 3, 1))
        await asyncio.sleep(0)
        hung.cancel()
        return (await behind).result()

    with pool_of_two(1) as pool:
        assert on_loop(work(pool)) == 9
        assert not pool._feed.unwanted
        assert not pool._feed._out


def test_call_that_nobody_waits_for_is_not_begun(tmp_path: Path) -> None:
    """What was given up before a process was free is dropped."""

    async def work(pool: Pool) -> None:
        shown = tmp_path / "shown"
        held = asyncio.create_task(pool.call(act, "hold", (str(shown), str(tmp_path / "go")), 1))
        await until(shown.exists)
        dropped = asyncio.create_task(pool.call(act, "touch", str(tmp_path / "begun"), 1))
        await asyncio.sleep(0)
        dropped.cancel()
        (tmp_path / "go").touch()
        await held
        await pool.call(act, "square", 1, 1)

    with pool_of_two(1) as pool:
        on_loop(work(pool))
    assert not (tmp_path / "begun").exists()


def test_without_room_for_processes_calls_are_made_in_threads(eager: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has none left has the run done all the same."""

    def refuse(self: Crew, name: str) -> None:
        raise RunStopped("no room")

    monkeypatch.setattr(Crew, "start", refuse)

    async def work(here: World, pool: Pool) -> list[Any]:
        found = await here.calls(0.001, 0.001)
        await until(lambda: pool.failure is not None)
        return found + await here.calls(0.001, 0.001, 0.001)

    pool = Pool(setup(), 2)
    with world(pool) as here:
        assert on_loop(work(here, pool)) == [ME] * 5
        assert isinstance(pool.failure, RunStopped)


def test_pool_that_fails_in_the_midst_answers_who_waits(eager: None) -> None:
    """Calls that were given out are made again in a thread: no task is lost with the processes."""

    async def work(here: World, pool: Pool) -> Any:
        await beside(here.computing)
        waiting = asyncio.create_task(here.computing.compute(act, "square", 5, 1))
        pool._feed._over = True
        pool._feed.fail_all()
        return await waiting

    pool = Pool(setup(), 1)
    with world(pool) as here:
        assert on_loop(work(here, pool)) == 25


# In a run


def test_tasks_whose_process_dies_are_tried_twice(eager: None) -> None:
    """As under the model `processes`: what takes its process down every time is failed, and the run goes on."""
    payloads = [("crash", None), ("die-once", None), *(("square", n) for n in range(10))]
    summary, outcomes = _run(payloads)
    failure = outcomes["0"]
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.WORKER_DIED
    assert failure.task.attempt == 2
    assert isinstance(outcomes["1"], Success)
    assert summary.succeeded == 11
    assert "processes" in {each.where for each in summary.computing}
    assert summary.loop is not None


def test_overdue_computing_is_stopped(eager: None, tmp_path: Path) -> None:
    """A task past its limit is killed in its process, even in C code, where a thread would have been lost."""
    payloads = [("backtrack", str(tmp_path / "shown")), ("square", 2)]
    _, outcomes = _run(payloads, timeout=3.0)
    failure = outcomes["0"]
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.OVERDUE
    assert isinstance(outcomes["1"], Success)


def _run(payloads: Any, **options: Any) -> tuple[Any, dict[str, Any]]:
    run = start("asyncio", FakeApp(payloads, job=Beside()), **options)
    outcomes = {outcome.task.key: outcome for outcome in run.outcomes()}
    assert run.summary is not None
    return run.summary, outcomes


def test_ctrl_c_once_lets_a_computation_end(tmp_path: Path) -> None:
    """It reaches the whole process group, and no process but the first heeds it."""
    with terminal(tmp_path, "-m", "tests.models.computing", tmp_path, "hold") as program:
        wait_for(tmp_path / "shown")
        program.press(CTRL_C)
        wait_for(tmp_path / "stopping")
        (tmp_path / "go").touch()
        said = program.read_to_end()
        assert program.process.wait() == 130
    assert said.replace("^C", "").split() == ["interrupted", "1", "0"]


def test_ctrl_c_twice_gives_up_a_computation(tmp_path: Path) -> None:
    """Even in C code that never comes back."""
    with terminal(tmp_path, "-m", "tests.models.computing", tmp_path, "backtrack") as program:
        wait_for(tmp_path / "shown")
        family = program.family()
        program.press(CTRL_C)
        wait_for(tmp_path / "stopping")
        program.press(CTRL_C)
        said = program.read_to_end()
        assert program.process.wait() == 130
    assert said.replace("^C", "").split() == ["interrupted", "0", "1"]
    _, alive = psutil.wait_procs(family, timeout=10)  # Python's own tidies up behind the program
    assert not [process for process in alive if lives(process)]


def test_kill_leaves_no_process_behind(tmp_path: Path) -> None:
    """Those that compute end with the program, even by kill -9 and in C code that never comes back."""
    with terminal(tmp_path, "-m", "tests.models.computing", tmp_path, "backtrack") as program:
        wait_for(tmp_path / "shown")
        family = program.family()
        assert len(family) > 2
        family[0].kill()
        _, alive = psutil.wait_procs(family[1:], timeout=10)
        assert not [process for process in alive if lives(process)]
