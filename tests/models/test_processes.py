"""Worker processes: what only they can do, and what only they can suffer."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.models.conftest import Perform, start, when_stopping
from tests.models.fakes import FakeApp, Payload, Picky
from toolkit.core.errors import FailureKind, UsageError
from toolkit.core.task import Failure, Outcome, Success, Task
from toolkit.models import Setup
from toolkit.models._supervised import Worker
from toolkit.run import Run

SQUARES: list[Payload] = [("square", n) for n in range(200)]


def failed(outcome: Outcome) -> Failure:
    assert isinstance(outcome, Failure)
    return outcome


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (("crash", None), "its worker process was killed by SIGSEGV (a crash in C code)"),
        (("die", signal.SIGKILL), "its worker process was killed by SIGKILL (out of memory?)"),
        (("die", signal.SIGRTMIN + 2), "its worker process was killed by signal 36"),
        (("exit", 3), "its worker process ended itself with exit code 3"),
    ],
)
def test_a_task_that_kills_its_workers_is_named_and_the_others_finish(
    perform: Perform, payload: Payload, message: str
) -> None:
    """It is tried twice, not more; no task that shared a batch with it is blamed or lost."""
    summary, outcomes = perform("processes", [*SQUARES, payload, *SQUARES])
    failure = failed(outcomes["200"])
    assert (failure.kind, failure.message, failure.task.attempt) == (FailureKind.WORKER_DIED, message, 2)
    assert 0 < failure.timing.started <= failure.timing.ended
    assert (summary.succeeded, summary.errors, summary.retried) == (400, 1, 1)
    assert {o.task.attempt for key, o in outcomes.items() if key != "200"} == {1}


def test_a_worker_killed_from_outside_costs_its_task_one_attempt(perform: Perform, tmp_path: Path) -> None:
    """As the kernel does when memory runs out."""
    shown = tmp_path / "shown"

    def kill() -> None:
        while not shown.exists():
            pause.wait(0.005)
        os.kill(int(shown.read_text()), signal.SIGKILL)

    pause = threading.Event()
    killer = threading.Thread(target=kill)
    killer.start()
    summary, outcomes = perform("processes", [*SQUARES, ("hold-once", (str(shown), "/nowhere")), *SQUARES])
    killer.join()
    assert outcomes["200"].task.attempt == 2
    assert (summary.succeeded, summary.retried) == (401, 1)


def test_a_killed_worker_does_not_hold_up_the_run_when_it_was_idle(tmp_path: Path) -> None:
    """Nobody is to blame; another takes its place."""
    shown, go = tmp_path / "shown", tmp_path / "go"
    pids: list[int] = []

    def plan() -> Any:
        yield "touch", str(tmp_path / "first")
        yield "hold", (str(shown), str(go))
        while not (tmp_path / "killed").exists():
            if shown.exists() and pids and int(shown.read_text()) != pids[0]:
                os.kill(pids[0], signal.SIGKILL)
                (tmp_path / "killed").touch()
            yield "square", 1
        go.touch()

    run = start("processes", FakeApp(plan()))
    for outcome in run.outcomes():
        if outcome.task.key == "0" and isinstance(outcome, Success):
            pids.append(outcome.value)
            if shown.exists() and int(shown.read_text()) == outcome.value:
                go.touch()
                (tmp_path / "killed").touch()
    assert run.summary is not None
    assert (run.summary.status, run.summary.errors) == ("complete", 0)


def test_workers_that_die_at_the_start_stop_the_run(supervised: str) -> None:
    """Three in a row, and not for ever; the report says why."""
    summary = start(supervised, FakeApp(SQUARES, job=Picky("exit"))).finish()
    assert (summary.status, summary.exit_code, summary.succeeded) == ("stopped", 3, 0)
    assert "3 worker processes in a row died" in summary.reason
    assert "exit code 7" in summary.reason


def test_a_job_that_does_not_load_in_a_worker_says_why(supervised: str) -> None:
    """What went wrong there is said here."""
    with pytest.raises(UsageError, match=r"cannot be loaded in a worker process: ImportError: no such library here"):
        start(supervised, FakeApp(SQUARES, job=Picky("raise"))).finish()


def test_a_job_that_cannot_be_pickled_is_refused_at_once(supervised: str) -> None:
    """Before any process is started."""
    with pytest.raises(UsageError, match="try --model threads"):
        start(supervised, FakeApp(SQUARES, job=lambda task, runtime: None)).finish()


def test_a_task_that_cannot_be_pickled_fails_alone(supervised: str, perform: Perform) -> None:
    """The others go their way."""
    summary, outcomes = perform(supervised, [*SQUARES, ("square", lambda: None), *SQUARES])
    assert failed(outcomes["200"]).kind is FailureKind.UNPICKLABLE
    assert summary.succeeded == 400


def test_large_tasks_and_results_cross_without_a_deadlock(supervised: str, perform: Perform) -> None:
    """Both sides may have more to say than a pipe holds."""
    payloads: list[Payload] = [("length", b"x" * 500_000), ("large", 3_000_000)] * 60
    summary, _ = perform(supervised, payloads, workers=1)
    assert summary.succeeded == 120


def test_a_result_that_is_too_large_is_refused(perform: Perform) -> None:
    """One must not fill the parent."""
    _, outcomes = perform("processes", [("large", 65 * 1024 * 1024)])
    assert failed(outcomes["0"]).kind is FailureKind.TOO_LARGE
    assert "write it to a file" in failed(outcomes["0"]).message


def test_an_overdue_task_in_c_code_is_stopped(perform: Perform, tmp_path: Path) -> None:
    """A runaway regular expression holds the GIL; only a kill ends it. Its neighbours are not blamed."""
    summary, outcomes = perform("processes", [*SQUARES, ("backtrack", str(tmp_path / "shown")), *SQUARES], timeout=0.5)
    assert failed(outcomes["200"]).kind is FailureKind.OVERDUE
    assert (summary.succeeded, summary.retried) == (400, 0)


def test_a_worker_that_has_grown_is_replaced(
    supervised: str, perform: Perform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A leak costs a new process now and then, not the machine."""
    usual = Run._setup

    def setup(self: Run) -> Setup:
        return replace(usual(self), recycle_growth=10_000_000)

    monkeypatch.setattr(Run, "_setup", setup)
    _, outcomes = perform(supervised, [("grow", 1_000_000)] * 300, workers=1)
    pids = {outcome.value for outcome in outcomes.values() if isinstance(outcome, Success)}
    assert len(pids) >= 2
    assert len(outcomes) == 300


def test_tasks_of_a_lane_go_one_by_one(perform: Perform, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task whose start the schedule has timed does not wait in a batch, nor behind one."""
    sizes: list[tuple[int, int]] = []
    send = Worker.send

    def spy(self: Worker, batch: Sequence[tuple[Task[Any], bytes]]) -> None:
        sizes.append((len(batch), len(self.tasks)))
        send(self, batch)

    monkeypatch.setattr(Worker, "send", spy)
    assert len(list(start("processes", FakeApp(SQUARES, lane="host")).outcomes())) == 200
    assert set(sizes) == {(1, 0)}
    perform("processes", SQUARES)
    assert len(sizes) < 200 + 50, "other tasks do share a batch"


def test_an_interrupt_also_stops_what_waits_in_a_worker(tmp_path: Path) -> None:
    """What shared a batch with a long task, or was sent ahead, comes back and does not start."""
    shown, go = tmp_path / "shown", tmp_path / "go"
    started = [tmp_path / f"started-{n}" for n in range(400)]
    payloads: list[Payload] = [*SQUARES, ("hold", (str(shown), str(go))), *(("touch", str(path)) for path in started)]

    def settle() -> None:
        if not go.exists():
            time.sleep(0.2)  # longer than a batch may last, from the interrupt on
            go.touch()

    run = start("processes", FakeApp(payloads), workers=1, reporters=[when_stopping(settle)])

    def interrupt() -> None:
        while not shown.exists():
            pause.wait(0.005)
        run.interrupt()

    pause = threading.Event()
    threading.Thread(target=interrupt).start()
    assert len(list(run.outcomes())) == 201
    assert not [path for path in started if path.exists()]


def test_a_worker_has_one_native_thread(perform: Perform, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless the user has said otherwise."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    _, outcomes = perform("processes", [("environ", "OMP_NUM_THREADS"), ("environ", "MKL_NUM_THREADS")])
    assert [outcomes[key].value for key in "01"] == ["1", "3"]  # type: ignore[union-attr]


SCRIPT = """
from tests.models.conftest import start
from tests.models.fakes import FakeApp
print("script\\n", end="", flush=True)
class main:
    async def __call__(self, task, runtime):
        return task.payload[1]
def run(job=None):
    print(start("processes", FakeApp([("square", n) for n in range(10)], job=job)).finish().succeeded)
"""


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ("run()", "script\n10\n"),
        ("if __name__ == '__main__':\n    run(main())", "script\n" * 3 + "10\n"),
        ("run(main())", 'put what it runs below `if __name__ == "__main__":`'),
    ],
    ids=["unguarded", "guarded with its own job", "unguarded with its own job"],
)
def test_a_script_is_run_again_only_if_its_job_lives_in_it(tmp_path: Path, ending: str, said: str) -> None:
    """A script without a guard works; one that cannot work is told why, and does not hang."""
    path = tmp_path / "script.py"
    path.write_text(SCRIPT + ending)
    done = _python(str(path))
    assert said in done.stdout + done.stderr
    assert "resource_tracker" not in done.stderr
    if said.startswith("script"):
        assert (done.stdout, done.stderr, done.returncode) == (said, "", 0)


def test_a_job_that_was_piped_in_is_refused() -> None:
    """There is no file that a worker could load it from."""
    assert "put it into a file" in _python("-", stdin=SCRIPT + "run(main())").stderr


def _python(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )


def test_temporary_folder_with_a_long_path_is_no_hindrance(
    perform: Perform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket's path is short; where there can be none, workers are started without a fork server."""
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    monkeypatch.setitem(multiprocessing.process.current_process()._config, "tempdir", str(deep))  # type: ignore[attr-defined]
    summary, _ = perform("processes", SQUARES)
    assert summary.succeeded == 200
    assert list(deep.iterdir()) == []
