"""Event loops in several processes: what goes where, what is called where, and who is to blame when one dies."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.models import computing
from tests.models.conftest import QUICK, Perform, start
from tests.models.fakes import FakeApp, Payload
from tests.models.test_signals import wait_for
from toolkit.core.errors import FailureKind
from toolkit.core.job import Runtime
from toolkit.core.policy import Policy
from toolkit.core.task import Failure, Outcome, Success, Task
from toolkit.models import hybrid
from toolkit.models._crew import Crew
from toolkit.models._supervised import Worker

SQUARES: list[Payload] = [("square", n) for n in range(200)]


class Loop:
    """Does what the payload says on the event loop, or to it; answers with the process and the thread it was in."""

    async def __call__(self, task: Task[Any], runtime: Runtime) -> Any:
        """Do it."""
        name, argument = task.payload
        match name:
            case "wait":
                await asyncio.sleep(argument)
            case "most":
                return await _most(argument)
            case "call":
                return await runtime.call(_sleep, argument)
            case "crash" if task.attempt <= argument:
                _die()
            case "call-and-crash" if task.attempt <= argument:
                await runtime.call(_die)
            case "crash-later" if task.attempt <= argument:
                return Deadly()
            case "ambush":
                threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGKILL)).start()
                await asyncio.sleep(60)
            case "block":
                re.match(r"(a|a)*$", "a" * 99 + "b")
            case "hold":
                await _hold(*map(Path, argument))
        return os.getpid(), threading.current_thread() is threading.main_thread()


_now = 0


async def _most(seconds: float) -> tuple[int, int]:
    global _now  # noqa: PLW0603 - one count for each process
    _now += 1
    most = _now
    await asyncio.sleep(seconds)
    _now -= 1
    return os.getpid(), most


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


class Deadly:
    """A result that ends the process in which it is packed."""

    def __reduce__(self) -> str:
        _die()
        return ""


async def _hold(shown: Path, go: Path) -> None:
    shown.touch()  # noqa: ASYNC240 - quick
    while not go.exists():  # noqa: ASYNC110, ASYNC240 - it comes from another process
        await asyncio.sleep(0.005)


def _sleep(seconds: float) -> tuple[int, bool]:
    time.sleep(seconds)
    return os.getpid(), threading.current_thread() is threading.main_thread()


def outcomes_of(
    payloads: Sequence[Payload],
    workers: int = 8,
    policy: Policy = QUICK,
    lanes: Sequence[str] = ("",),
    **options: Any,
) -> list[Outcome]:
    run = start("hybrid", Laned(payloads, lanes), workers, policy, **options)
    return sorted(run.outcomes(), key=lambda outcome: outcome.task.index)


def values(outcomes: Sequence[Outcome]) -> list[Any]:
    return [outcome.value for outcome in outcomes if isinstance(outcome, Success)]


class Laned(FakeApp):
    """An app whose tasks take their lanes in turn."""

    def __init__(self, payloads: Sequence[Payload], lanes: Sequence[str]) -> None:
        super().__init__(payloads, job=Loop())
        self._lanes = lanes

    def plan(self, memory: Any) -> Any:
        """Yield a task for each payload."""
        for index, payload in enumerate(self._payloads):
            yield Task(str(index), payload, self._lanes[index % len(self._lanes)], index=index)


@pytest.fixture(autouse=True)
def _two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the same two processes on every machine."""
    monkeypatch.setattr(hybrid, "usable_cpus", lambda: 2)


# What goes where


def test_workers_are_the_tasks_at_once_of_all_processes_together() -> None:
    """Not of each; and each has its part of them."""
    seen = values(outcomes_of([("most", 0.2)] * 18, workers=6))
    most = {pid: max(number for its, number in seen if its == pid) for pid, _ in seen}
    assert sorted(most.values()) == [3, 3]


def test_one_host_is_spread_over_all_processes() -> None:
    """Or only one of them would compute."""
    pids = Counter(pid for pid, _ in values(outcomes_of([("wait", 0.5)] * 8, lanes=["host"])))
    assert sorted(pids.values()) == [4, 4]


def test_many_hosts_are_kept_together() -> None:
    """Each has its connections, its robots.txt and its name's address in one process, and is not looked up twice."""
    lanes = [f"host-{n}" for n in range(30)]
    found = outcomes_of([("wait", 0.01)] * 300, workers=32, lanes=lanes, policy=Policy(workers=32, per_lane=2))
    homes: dict[str, Counter[int]] = {}
    for outcome in found:
        assert isinstance(outcome, Success)
        homes.setdefault(outcome.task.lane, Counter())[outcome.value[0]] += 1
    assert len({max(pids, key=pids.__getitem__) for pids in homes.values()}) == 2, "both have hosts"
    assert sum(max(pids.values()) for pids in homes.values()) >= 0.75 * 300


def test_tasks_and_results_share_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message costs both sides more than a small task."""
    sent: list[int] = []
    read: list[int] = []
    send, finished = Worker.send, Worker.finished

    def spy(self: Worker, batch: Any) -> None:
        sent.append(len(batch))
        send(self, batch)

    def look(self: Worker, count: int, results: Any) -> Any:
        read.append(len(results))
        return finished(self, count, results)

    monkeypatch.setattr(Worker, "send", spy)
    monkeypatch.setattr(Worker, "finished", look)
    assert len(outcomes_of([("none", 0)] * 2000, workers=64)) == 2000
    assert (sum(sent), sum(read)) == (2000, 2000)
    assert len(sent) < 500
    assert len(read) < 500


def test_a_task_begins_though_others_of_its_process_wait() -> None:
    """Nothing waits behind another in a worker: what may start is the schedule's to say."""
    timings = [outcome.timing for outcome in outcomes_of([("wait", 0.5)] * 64, workers=64)]
    assert max(timing.started for timing in timings) < min(timing.ended for timing in timings)


# What is called where


def test_quick_functions_are_called_in_the_loop_and_slow_ones_beside_it() -> None:
    """The first call is made beside it: nobody knows yet how long it takes."""
    calls = values(outcomes_of([("call", 0.0)] * 20, workers=1))
    assert [in_loop for _, in_loop in calls] == [False] + [True] * 19
    calls = values(outcomes_of([("call", 0.03)] * 5, workers=1))
    assert [in_loop for _, in_loop in calls] == [False] * 5


def test_a_slow_function_holds_up_no_other_task(tmp_path: Path) -> None:
    """The loop goes on while a thread is busy with it."""
    go = str(tmp_path / "go")
    payloads: list[Payload] = [("hold", (str(tmp_path / "shown"), go)), ("touch", go)]
    assert len(list(start("hybrid", FakeApp(payloads), workers=2).outcomes())) == 2


# Who hangs


def test_an_await_past_its_limit_is_stopped_and_its_process_goes_on() -> None:
    """The loop can stop it by itself."""
    outcomes = outcomes_of([("wait", 60), *[("wait", 0.05)] * 20], workers=2, timeout=0.4)
    assert isinstance(outcomes[0], Failure)
    assert outcomes[0].kind is FailureKind.OVERDUE
    assert len({pid for pid, _ in values(outcomes)}) == 2


@pytest.mark.parametrize("what", ["block", "backtrack"])
def test_a_task_that_blocks_its_loop_is_stopped_and_its_neighbours_are_not_blamed(tmp_path: Path, what: str) -> None:
    """In the loop's thread or in one beside it: C code that never frees the GIL is ended with its process."""
    path = str(tmp_path / "shown")
    job: Any = Loop() if what == "block" else None
    waits: list[Payload] = [("wait", 0.1) if job else ("await", (f"{path}-{n}", 0.1)) for n in range(30)]
    run = start("hybrid", FakeApp([*waits[:10], (what, path), *waits[10:]], job=job), workers=8, timeout=0.5)
    outcomes = {outcome.task.key: outcome for outcome in run.outcomes()}
    failure = outcomes["10"]
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.message) == (FailureKind.OVERDUE, "took longer than 0.5 s and was stopped")
    assert run.summary is not None
    assert (run.summary.succeeded, run.summary.retried) == (30, 0)


def test_a_process_with_a_function_that_never_returns_is_replaced(perform: Perform, tmp_path: Path) -> None:
    """Its task is overdue, and it would take the time of all that come after."""
    touches: list[Payload] = [("touch", str(tmp_path / f"{n}")) for n in range(4)]
    summary, outcomes = perform("hybrid", [*touches[:2], ("stuck", None), *touches[2:]], workers=1, timeout=0.4)
    assert isinstance(outcomes["2"], Failure)
    assert outcomes["2"].kind is FailureKind.OVERDUE
    first, second, third, fourth = values([outcomes[key] for key in "0134"])
    assert first == second != third == fourth
    assert (summary.succeeded, summary.retried) == (4, 0)


# Who dies


@pytest.mark.parametrize("how", ["crash", "call-and-crash", "crash-later"])
def test_a_task_that_kills_its_process_is_named_and_costs_the_others_nothing(
    monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """It says which one it is busy with; what else was under way is done again, as the same attempt."""
    deaths: list[str] = []
    bury = Crew.bury

    def spy(self: Crew, worker: Worker) -> int | None:
        deaths.append(worker.name)
        return bury(self, worker)

    monkeypatch.setattr(Crew, "bury", spy)
    waits: list[Payload] = [("wait", 0.05)] * 20
    outcomes = outcomes_of([*waits, (how, 1), (how, 9), *waits], workers=16)
    assert [outcome.task.attempt for outcome in outcomes] == [1] * 20 + [2, 2] + [1] * 20
    assert len(values(outcomes)) == 41
    failure = outcomes[21]
    assert isinstance(failure, Failure)
    message = "its worker process was killed by SIGKILL (out of memory?)"
    assert (failure.kind, failure.message) == (FailureKind.WORKER_DIED, message)
    assert 0 < failure.timing.started <= failure.timing.ended
    assert len(deaths) == 3


def test_a_task_that_kills_its_process_while_it_waits_is_found_and_the_others_succeed() -> None:
    """Nobody knows who it was, the first two times; who was there both times runs alone, and so it is found."""
    waits: list[Payload] = [("wait", 0.1)] * 30
    run = start("hybrid", Laned([*waits, ("ambush", 0), *waits], [""]), 8)
    outcomes = {outcome.task.key: outcome for outcome in run.outcomes()}
    failure = outcomes["30"]
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.task.attempt) == (FailureKind.WORKER_DIED, 2)
    assert run.summary is not None
    assert (run.summary.succeeded, run.summary.retried) == (60, 1)


def test_a_process_killed_from_outside_costs_no_task_that_waits_an_attempt(tmp_path: Path) -> None:
    """All that were under way in it are done again, also without any retry."""
    go = tmp_path / "go"
    holds: list[Payload] = [("hold", (str(tmp_path / f"shown-{n}"), str(go))) for n in range(8)]
    run = start("hybrid", FakeApp([("none", 0), *holds], job=Loop()), workers=8, policy=Policy(retries=0))
    outcomes = run.outcomes()
    first = next(outcomes)
    assert isinstance(first, Success)

    def kill() -> None:
        for n in range(8):
            wait_for(tmp_path / f"shown-{n}")
        os.kill(first.value[0], signal.SIGKILL)
        go.touch()

    killer = threading.Thread(target=kill)
    killer.start()
    assert all(isinstance(outcome, Success) for outcome in outcomes)
    killer.join()
    assert run.summary is not None
    assert (run.summary.succeeded, run.summary.retried, run.summary.failed) == (9, 0, {})


def test_what_a_loop_noted_outlives_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that a process made before it died are in the report, as are those of its successor."""
    monkeypatch.setattr(hybrid, "usable_cpus", lambda: 1)
    payloads = [*SQUARES[:20], ("die-once", None)]
    run = start("hybrid", FakeApp(payloads, job=computing.Job()), workers=1)
    summary = run.finish()
    assert summary.succeeded == 21
    assert sum(each.calls for each in summary.computing) == 21
