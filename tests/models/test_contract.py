"""The contract: whatever the model, the same tasks end in the same way, and nothing is left behind."""

from __future__ import annotations

import hashlib
import itertools
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from samples.bodies import generated
from samples.serve import SampleServer
from tests.models import computing
from tests.models.conftest import Perform, start, when_stopping
from tests.models.fakes import FakeApp, Payload
from toolkit import models
from toolkit.core.errors import FailureKind, UsageError
from toolkit.core.job import Memory
from toolkit.core.policy import Policy
from toolkit.core.task import Failure, Skip, Success, Task

SQUARES: list[Payload] = [("square", n) for n in range(20)]


def test_200_tasks_all_end_with_their_own_results(model: str, perform: Perform) -> None:
    """Every task ends exactly once, with what the job returned for it."""
    summary, outcomes = perform(model, [("square", n) for n in range(200)], workers=3)
    assert summary.status == "complete"
    assert summary.exit_code == 0
    assert {key: o.value for key, o in outcomes.items() if isinstance(o, Success)} == {
        str(n): n * n for n in range(200)
    }
    assert all(0 < o.timing.started <= o.timing.ended and o.timing.worker for o in outcomes.values())


def test_task_values_are_those_of_the_plan(model: str, perform: Perform) -> None:
    """An outcome carries the task it was given, not a copy with something lost on the way."""
    _, outcomes = perform(model, [("square", 3), ("skip", "known")])
    assert outcomes["0"].task.payload == ("square", 3)
    assert outcomes["1"].task.index == 1


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_tasks_than_workers_end_the_run(model: str, perform: Perform, count: int) -> None:
    """Workers without work hold nothing up."""
    summary, _ = perform(model, SQUARES[:count], workers=4)
    assert (summary.status, summary.succeeded) == ("complete", count)


def test_an_endless_plan_is_drawn_no_further_than_needed(model: str) -> None:
    """The plan is read as tasks are done, and closing the iterator of outcomes stops the run."""
    app = FakeApp(("square", n) for n in itertools.count())
    outcomes = start(model, app, policy=Policy(look_ahead=100)).outcomes()
    assert len(list(itertools.islice(outcomes, 300))) == 300
    outcomes.close()  # type: ignore[attr-defined]
    assert app.drawn < 300 + 20_000  # what was done before the close was seen, and the look-ahead


def test_the_plan_is_not_drawn_while_a_task_holds_all_workers(model: str, tmp_path: Path) -> None:
    """Beyond the look-ahead and a batch, nothing is drawn that cannot start."""
    shown, go = tmp_path / "shown", tmp_path / "go"
    hold: Payload = ("hold", (str(shown), str(go)))
    app = FakeApp(itertools.chain([hold], itertools.repeat(("square", 1), 2000)))
    drawn: list[int] = []

    def look() -> None:
        pause.wait(0.2)  # time to draw too much in
        drawn.append(app.drawn)
        go.touch()

    pause = threading.Event()
    run = start(model, app, workers=1, policy=Policy(look_ahead=100))
    _when(shown, look)
    assert len(list(run.outcomes())) == 2001
    assert drawn[0] <= 1 + 100 + 2 * 64


def test_what_runs_keeps_to_the_memory_and_a_huge_task_runs_alone(model: str) -> None:
    """No task waits for ever, not even one that needs more than there is; none starts beside what it has no room by."""
    sizes = [10, 90, 30, 300, 30, 30, 0, 60, 100, 5] * 4
    app = Hungry([("slow", 0.002)] * len(sizes), sizes)
    outcomes = list(start(model, app, workers=4, policy=Policy(memory=100)).outcomes())
    assert sorted(int(outcome.task.key) for outcome in outcomes) == list(range(len(sizes)))
    assert all(isinstance(outcome, Success) for outcome in outcomes)
    for outcome in outcomes:
        moment = outcome.timing.started
        beside = [each.task.memory for each in outcomes if each.timing.started <= moment < each.timing.ended]
        assert sum(beside) <= 100 or len(beside) == 1


class Hungry(FakeApp):
    """An app whose tasks say how many bytes they need."""

    def __init__(self, payloads: list[Payload], sizes: list[int]) -> None:
        super().__init__(payloads)
        self._sizes = sizes

    def plan(self, memory: Memory) -> Iterator[Any]:
        """Yield a task for each payload, with its size."""
        for task, size in zip(super().plan(memory), self._sizes, strict=True):
            yield replace(task, memory=size) if isinstance(task, Task) else task


def test_a_plan_that_raises_fails_the_run(model: str, perform: Perform) -> None:
    """An input that breaks off never looks like its end."""

    def plan() -> Iterator[Payload]:
        yield from SQUARES
        raise OSError("the list is unreadable")

    summary, outcomes = perform(model, plan())
    assert summary.status == "stopped"
    assert "the list is unreadable" in summary.reason
    assert summary.exit_code == 3
    assert len(outcomes) + summary.left == len(SQUARES)


def test_failures_and_skips_come_back_as_they_were_raised(model: str, perform: Perform) -> None:
    """A TaskError keeps its kind and message; a skip its reason."""
    summary, outcomes = perform(model, [*SQUARES, ("fail", "not a picture"), ("skip", "known")])
    failure, skip = outcomes["20"], outcomes["21"]
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.message) == (FailureKind.IMAGE, "not a picture")
    assert isinstance(skip, Skip)
    assert skip.reason == "known"
    assert (summary.succeeded, summary.failed, summary.skipped) == (20, {"image": 1}, {"known": 1})
    assert summary.exit_code == 1


RAISED = {
    "unknown": "ValueError: of no known sort",
    "awkward": "Awkward: one and two",
    "locked": "Locked: holds a lock",
    "exit": "SystemExit: 3",
    "interrupt": "KeyboardInterrupt: ",
    "generator": "GeneratorExit",
    "cancelled": "CancelledError: ",
    "stop": "StopIteration",
}


def test_any_exception_fails_its_task_only(model: str, perform: Perform) -> None:
    """Whatever a job raises, even SystemExit or what cannot be pickled, is a failure by name; the others go on."""
    _, outcomes = perform(model, [*SQUARES, *(("raise", what) for what in RAISED), *SQUARES])
    for key, message in enumerate(RAISED.values(), 20):
        failure = outcomes[str(key)]
        assert isinstance(failure, Failure)
        assert failure.kind is FailureKind.BUG
        assert message in failure.message
        assert "fakes.py" in failure.debug
    assert sum(isinstance(o, Success) for o in outcomes.values()) == 40


def test_an_exception_outside_a_call_fails_its_task_only(model: str, perform: Perform) -> None:
    """The same, raised by the job itself."""
    _, outcomes = perform(model, [*SQUARES, ("exit-in-loop", 3)])
    failure = outcomes["20"]
    assert isinstance(failure, Failure)
    assert failure.message == "SystemExit: 3"
    assert len(outcomes) == 21


def test_a_usage_error_in_a_task_is_the_whole_runs(model: str, perform: Perform) -> None:
    """Certificates that cannot be read fail every task alike: it is told once, and no task is a bug."""
    with pytest.raises(UsageError, match="no certificates can be read from"):
        perform(model, [*SQUARES, ("unusable", "no certificates can be read from x"), *SQUARES])


def test_running_out_of_memory_is_too_large(model: str, perform: Perform) -> None:
    """MemoryError says something of the task, not of the program."""
    _, outcomes = perform(model, [("raise", "memory")])
    assert isinstance(outcomes["0"], Failure)
    assert outcomes["0"].kind is FailureKind.TOO_LARGE


@pytest.mark.parametrize("what", ["unpicklable", "unloadable"])
def test_a_result_that_cannot_be_pickled_fails_no_more_than_its_task(model: str, perform: Perform, what: str) -> None:
    """It succeeds where nothing is pickled; else it is a failure that says so, never a hang."""
    _, outcomes = perform(model, [*SQUARES, (what, None), *SQUARES])
    odd = outcomes["20"]
    if models.load(model).traits.parallel_cpu:
        assert isinstance(odd, Failure)
        assert odd.kind is FailureKind.UNPICKLABLE
        assert ("generator" if what == "unpicklable" else "cannot be rebuilt") in odd.message
    else:
        assert isinstance(odd, Success)
    assert sum(isinstance(o, Success) for o in outcomes.values()) >= 40


def test_retries_are_counted_and_run_again(model: str, perform: Perform) -> None:
    """A retryable failure runs again, as the next attempt."""
    summary, outcomes = perform(model, [*SQUARES, ("flaky", 2), ("flaky", 9)])
    assert isinstance(outcomes["20"], Success)
    assert outcomes["20"].value == 3
    last = outcomes["21"]
    assert isinstance(last, Failure)
    assert last.task.attempt == 4
    assert summary.retried == 2 + 3


def test_an_overdue_task_is_stopped_where_the_model_can(model: str, perform: Perform) -> None:
    """Past its limit a task fails as overdue under models that say so; the others end by themselves."""
    traits = models.load(model).traits
    task: Payload = ("stuck", None) if traits.stops_overdue else ("slow", 0.8)
    summary, outcomes = perform(model, [*SQUARES, task, *SQUARES], timeout=0.5)
    if traits.stops_overdue:
        failure = outcomes["20"]
        assert isinstance(failure, Failure)
        assert failure.kind is FailureKind.OVERDUE
        assert failure.message == "took longer than 0.5 s and was stopped"
    assert (summary.status, len(outcomes)) == ("complete", 41)
    assert summary.succeeded >= 40


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
def test_a_worker_that_is_killed_costs_one_attempt(model: str, perform: Perform, number: int) -> None:
    """Models that say they survive it do, and lose nothing."""
    if not models.load(model).traits.survives_killed_worker:
        pytest.skip("its workers are this process")
    summary, outcomes = perform(model, [*SQUARES, ("die-once", number), *SQUARES])
    assert isinstance(outcomes["20"], Success)
    assert outcomes["20"].value == 2
    assert (summary.succeeded, summary.retried) == (41, 1)


def test_fetched_bytes_are_the_same_and_are_counted(model: str, perform: Perform, server: SampleServer) -> None:
    """Each model with its usual client: the same bytes, all of them counted while they come."""
    urls = [f"{server.url}generated/{100_000 + n}.bin?seed={n}" for n in range(6)]
    summary, outcomes = perform(model, [("fetch", url) for url in [*urls, f"{server.url}no-such-page"]])
    assert {o.value for o in outcomes.values() if isinstance(o, Success) and int(o.task.key) < 6} == {
        hashlib.sha256(b"".join(generated(100_000 + n, str(n)).read(0, 100_000 + n))).hexdigest() for n in range(6)
    }
    assert summary.received >= sum(100_000 + n for n in range(6))


def test_what_is_computed_ends_as_it_does_in_place(model: str) -> None:
    """Wherever a function is computed, its value and its error are the same, and every call is counted once."""
    payloads: list[Payload] = [*SQUARES, ("fail", "damaged"), ("skip", "known"), ("raise", "unknown"), ("slow", 0.06)]
    run = start(model, FakeApp(payloads, job=computing.Job()))
    outcomes = {outcome.task.key: outcome for outcome in run.outcomes()}
    values = [o.value for o in (outcomes[str(n)] for n in range(20)) if isinstance(o, Success)]
    assert values == [n * n for n in range(20)]
    image, skip, bug = (outcomes[str(n)] for n in (20, 21, 22))
    assert isinstance(image, Failure)
    assert (image.kind, image.message) == (FailureKind.IMAGE, "damaged")
    assert isinstance(skip, Skip)
    assert isinstance(bug, Failure)
    assert (bug.kind, bug.message) == (FailureKind.BUG, "ValueError: of no known sort")
    assert run.summary is not None
    has_loop = models.load(model).traits.client == "async"
    assert (run.summary.loop is not None) == has_loop
    assert sum(each.calls for each in run.summary.computing) == (24 if has_loop else 0)


def test_interrupted_once_what_runs_settles_and_nothing_new_starts(model: str, tmp_path: Path) -> None:
    """The run says that it was interrupted, and what is left can be done by another run."""
    shown, go = tmp_path / "shown", tmp_path / "go"
    started = [tmp_path / f"started-{n}" for n in range(8)]
    payloads: list[Payload] = [("hold", (str(shown), str(go))), *(("touch", str(path)) for path in started)]
    run = start(model, FakeApp(payloads), workers=1, reporters=[when_stopping(go.touch)])
    _when(shown, run.interrupt)
    outcomes = list(run.outcomes())
    assert run.summary is not None
    assert (run.summary.status, run.summary.exit_code) == ("interrupted", 130)
    assert [o.task.key for o in outcomes] == ["0"]
    assert isinstance(outcomes[0], Success)
    assert not [path for path in started if path.exists()]


def test_interrupted_twice_what_runs_is_given_up(model: str, tmp_path: Path) -> None:
    """The run is over at once; what ran is neither a success nor a failure where the model can stop it."""
    shown, go = tmp_path / "shown", tmp_path / "go"
    payloads: list[Payload] = [*SQUARES, ("hold", (str(shown), str(go)))]
    run = start(model, FakeApp(itertools.chain(payloads, itertools.repeat(("square", 1)))))
    can_stop = models.load(model).traits.stops_overdue

    def twice() -> None:
        run.interrupt()
        run.interrupt()
        if not can_stop:
            go.touch()

    _when(shown, twice)
    keys = {outcome.task.key for outcome in run.outcomes()}
    assert run.summary is not None
    assert run.summary.status == "interrupted"
    assert not run.summary.failed
    assert not run.abandoned
    assert not can_stop or (run.summary.left > 0 and "20" not in keys)


def _when(shown: Path, action: Callable[[], None]) -> None:
    """Act once a task shows that it runs."""

    def watch() -> None:
        while not shown.exists():
            pause.wait(0.005)
        action()

    pause = threading.Event()
    threading.Thread(target=watch, name="interrupter").start()


def test_unknown_models_are_named() -> None:
    """A typing error is answered with what there is."""
    with pytest.raises(UsageError, match="processes"):
        models.load("proceses")
