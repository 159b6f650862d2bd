"""What the supervisor of worker processes must stand: small pipes, a fork server that dies, workers it cannot start."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.models.conftest import Perform, start
from tests.models.fakes import FakeApp, Payload
from tests.models.test_signals import lives, private, wait_for
from toolkit import models
from toolkit.core.errors import FailureKind
from toolkit.core.task import Failure, Success
from toolkit.models import _deaths, _forkserver, hybrid, processes
from toolkit.models._supervised import Worker

SQUARES: list[Payload] = [("square", n) for n in range(200)]


@pytest.fixture
def _small_pipes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every pipe as small as those of macOS."""
    usual = BaseContext.Pipe

    def small(self: BaseContext, duplex: bool = True) -> Any:
        ends = usual(self, duplex)
        if duplex:
            for end in ends:
                with socket.socket(fileno=os.dup(end.fileno())) as taken:
                    taken.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
                    taken.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        return ends

    monkeypatch.setattr(BaseContext, "Pipe", small)


@pytest.mark.usefixtures("_small_pipes")
@pytest.mark.parametrize("workers", [1, 2])
def test_small_pipes_do_not_lock_both_sides(supervised: str, perform: Perform, workers: int) -> None:
    """Batches sent ahead and results that come back fill both directions; neither side may wait for the other."""
    payloads: list[Payload] = [("echo", (os.urandom(400), 3000)) for _ in range(3000)]
    summary, _ = perform(supervised, payloads, workers=workers)
    assert summary.succeeded == 3000


@pytest.mark.usefixtures("_small_pipes")
def test_an_overdue_task_is_stopped_though_its_worker_reads_nothing(perform: Perform, tmp_path: Path) -> None:
    """What waits to be sent to a worker holds up no look at the clock, and goes to another."""
    large: Payload = ("length", b"x" * 30_000)
    payloads = [*SQUARES, large, ("backtrack", str(tmp_path / "shown")), *[large] * 40, *SQUARES]
    summary, outcomes = perform("processes", payloads, timeout=0.5, workers=1)
    overdue = outcomes["201"]
    assert isinstance(overdue, Failure)
    assert overdue.kind is FailureKind.OVERDUE
    assert (summary.succeeded, summary.retried) == (441, 0)


@pytest.mark.parametrize("what", ["hold", "backtrack"])
@pytest.mark.parametrize("again", [False, True])
def test_sigterm_to_the_whole_group_blames_no_task(tmp_path: Path, what: str, *, again: bool) -> None:
    """As systemd stops a service: what runs may settle or is left, and no worker is said to have died."""
    if what == "backtrack" and not again:
        pytest.skip("it never ends by itself")
    command = [sys.executable, "-W", "error", "-m", "tests.models.script", "processes", str(tmp_path), what]
    with subprocess.Popen(
        command,
        start_new_session=True,
        env=private(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as program:
        wait_for(tmp_path / "shown")
        os.killpg(program.pid, signal.SIGTERM)
        wait_for(tmp_path / "stopping")
        time.sleep(2 * _deaths.DOUBT)  # time for a verdict on workers, had they died
        if again:
            os.killpg(program.pid, signal.SIGTERM)
        else:
            (tmp_path / "go").touch()
        said, _ = program.communicate(timeout=20)
        left = f"interrupted {0 if again else 1} "
    assert said.startswith(left), said
    assert said.count("\n") == 1, said
    assert program.returncode == 130


@pytest.mark.parametrize("stopped", [True, False])
def test_a_worker_told_to_end_is_blamed_on_its_task_unless_the_run_is_stopped(tmp_path: Path, *, stopped: bool) -> None:
    """A worker can die of the signal a moment before the run hears of it."""
    shown = tmp_path / "shown"
    run = start("processes", FakeApp([("heed-and-hold", (str(shown), "/nowhere"))]), workers=1)

    def end() -> None:
        for attempt in range(1 if stopped else 2):
            wait_for(shown)
            number = int(shown.read_text())
            shown.unlink()
            os.kill(number, signal.SIGTERM)
            if stopped and not attempt:
                time.sleep(_deaths.DOUBT / 3)
                run.interrupt()

    killer = threading.Thread(target=end)
    killer.start()
    outcomes = list(run.outcomes())
    killer.join()
    assert run.summary is not None
    if stopped:
        assert (outcomes, run.summary.status, run.summary.left) == ([], "interrupted", 1)
    else:
        assert [o.kind for o in outcomes if isinstance(o, Failure)] == [FailureKind.WORKER_DIED]
        assert "killed by SIGTERM" in run.summary.failures[0].message


def test_a_fork_server_that_dies_costs_no_task_an_attempt(
    supervised: str, perform: Perform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With it dies the news of its workers: they are killed, and all they held is done by those of another."""
    monkeypatch.setattr(hybrid, "usable_cpus", lambda: 4)
    shown, go = tmp_path / "shown", tmp_path / "go"
    orphans: list[psutil.Process] = []

    def kill() -> None:
        wait_for(shown)
        server = _forkserver.server_number()
        assert server is not None
        orphans.extend(psutil.Process(server).children())
        shown.unlink()
        os.kill(server, signal.SIGKILL)
        wait_for(shown)
        go.touch()

    killer = threading.Thread(target=kill)
    killer.start()
    summary, outcomes = perform(supervised, [*SQUARES, ("hold", (str(shown), str(go))), *SQUARES], workers=4)
    killer.join()
    assert (summary.status, summary.succeeded, summary.retried) == ("complete", 401, 0)
    assert outcomes["200"].task.attempt == 1
    assert len(orphans) == 4
    gone, alive = psutil.wait_procs(orphans, timeout=5)
    assert len(gone) == 4, alive


def test_a_fork_server_that_was_begun_serves_the_run(supervised: str, perform: Perform) -> None:
    """It has begun to load the job; the run finds it, and ends it."""
    job = FakeApp([]).job
    models.expect(supervised, job, fetches=False)
    server = _forkserver.server_number()
    assert server is not None
    seen: list[int | None] = []
    summary, _ = perform(supervised, SQUARES, reporters=[lambda _: seen.append(_forkserver.server_number())])
    assert summary.succeeded == len(SQUARES)
    assert server in seen
    assert set(seen) <= {server, None}
    assert _forkserver.server_number() is None
    models.expect("threads", job, fetches=False)
    models.expect(supervised, lambda: None, fetches=False)  # no process can have it: the run says so
    assert _forkserver.server_number() is None


def test_a_fork_server_that_was_begun_for_nothing_ends_with_the_program(supervised: str) -> None:
    """As when the options turn out to be wrong."""
    begun = (
        "from tests.models.fakes import FakeApp; from toolkit import models; from toolkit.models import _forkserver;"
        f"models.expect({supervised!r}, FakeApp([]).job, fetches=False); print(_forkserver.server_number())"
    )
    server = int(subprocess.run([sys.executable, "-c", begun], capture_output=True, check=True).stdout)
    with suppress(psutil.NoSuchProcess):
        _, alive = psutil.wait_procs([psutil.Process(server)], timeout=10)
        assert not [process for process in alive if lives(process)]


def test_a_worker_that_ends_itself_with_255_says_so(perform: Perform) -> None:
    """It is also what multiprocessing says of a worker that it knows nothing of."""
    _, outcomes = perform("processes", [("exit", 255)])
    failure = outcomes["0"]
    assert isinstance(failure, Failure)
    assert failure.message == "its worker process ended itself with exit code 255"


def test_there_are_no_more_workers_than_can_be_watched(perform: Perform, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows waits for 63 things at once."""
    monkeypatch.setattr(processes, "MOST_WORKERS", 2)
    summary, outcomes = perform("processes", [("slow", 0.01)] * 20, workers=4)
    assert summary.succeeded == 20
    assert {outcome.timing.worker for outcome in outcomes.values()} == {"process-0", "process-1"}


@pytest.mark.parametrize("when", [2, 4])
def test_a_worker_that_cannot_be_started_stops_the_run(
    supervised: str, monkeypatch: pytest.MonkeyPatch, when: int
) -> None:
    """At the start or later, all other workers are ended (the fixtures look), and the user is told what to change."""
    starts = iter(range(1, 100))
    usual: Callable[..., None] = Worker.__init__

    def limited(self: Worker, *arguments: Any) -> None:
        if next(starts) == when:
            raise OSError("no more processes")
        usual(self, *arguments)

    monkeypatch.setattr(Worker, "__init__", limited)
    summary = start(supervised, FakeApp([*SQUARES, ("die", signal.SIGKILL), *SQUARES]), workers=3).finish()
    assert (summary.status, summary.exit_code) == ("stopped", 3)
    assert summary.reason == "a worker process cannot be started (no more processes): use fewer workers"


SCRIPT = """
import sys
from tests.models.conftest import start
from tests.models.fakes import FakeApp
outcomes = start(sys.argv[1], FakeApp([("square", 1), ("slow", 60)])).outcomes()
print(next(outcomes).value, flush=True)
"""


def test_a_program_ends_though_its_run_is_not_closed(supervised: str, tmp_path: Path) -> None:
    """Workers do not heed SIGTERM, by which multiprocessing asks them to end before it waits for them."""
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-W", "error", str(path), supervised],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
        env={**os.environ, "PYTHONPATH": os.getcwd(), "TMPDIR": str(tmp_path)},
    )
    assert done.stdout == "1\n"


def test_a_worker_that_is_slow_to_end_holds_up_no_other(perform: Perform, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that has grown is replaced at once, and ends beside the others."""
    waited: list[float] = []
    usual = Worker.end

    def end(self: Worker, patience: float) -> int | None:
        waited.append(patience)
        return usual(self, patience)

    monkeypatch.setattr(Worker, "end", end)
    monkeypatch.setattr(Worker, "grown", lambda self, memory: 1 << 40)
    summary, outcomes = perform("processes", [("slow", 0.01)] * 40, workers=1)
    assert summary.succeeded == 40
    assert all(isinstance(outcome, Success) for outcome in outcomes.values())
    assert waited.count(0.0) >= 3
    assert sum(patience > 0 for patience in waited) <= 3, "only the last ones are waited for, when the run is over"
