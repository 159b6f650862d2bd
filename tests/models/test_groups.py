"""Groups: fetches of one task that go on at the same time, in the same way under every model."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from samples.bodies import generated
from samples.serve import SampleServer
from tests.models.conftest import start
from tests.models.fakes import FakeApp
from tests.models.gathering import Gathering, Sums
from toolkit import models
from toolkit.core.errors import FailureKind
from toolkit.core.task import Failure, Outcome, Success
from toolkit.run import Run

SIZE = 300_000


def run_of(model: str, how: str, urls: Sequence[str], shown: str = "", times: int = 1) -> Run:
    payloads: list[tuple[str, Any]] = [(how, urls, shown)] * times  # type: ignore[list-item]
    return start(model, FakeApp(payloads, job=Gathering()), workers=2)


def outcome_of(model: str, how: str, urls: Sequence[str]) -> Outcome:
    (outcome,) = run_of(model, how, urls).outcomes()
    return outcome


def body(server: SampleServer, seed: int, faults: str = "") -> str:
    return f"{server.url}generated/{SIZE}.bin?seed={seed}{faults}"


def hanging(server: SampleServer, seed: int) -> str:
    """Return a URL whose head comes, and no body."""
    return body(server, seed, "&hang=1")


def digest(seed: int) -> str:
    return hashlib.sha256(b"".join(generated(SIZE, str(seed)).read(0, SIZE))).hexdigest()


def test_members_started_by_a_sink_fetch_at_the_same_time(model: str, server: SampleServer) -> None:
    """Every body is whole, all bytes are counted, and the clients serve the next groups."""
    run = run_of(model, "all", [body(server, n) for n in range(4)], times=3)
    outcomes = list(run.outcomes())
    assert [o.value for o in outcomes if isinstance(o, Success)] == [Sums(tuple(map(digest, range(4))))] * 3
    assert run.summary is not None
    assert run.summary.received == 3 * 4 * SIZE


def test_a_members_error_breaks_the_others_off(model: str, server: SampleServer) -> None:
    """The body, in the midst of a fetch that would not end, and the task fails with the member's error."""
    outcome = outcome_of(model, "member fails", [hanging(server, 0), body(server, 1)])
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.message) == (FailureKind.IMAGE, "the member has failed")


def test_the_bodys_error_breaks_members_off(model: str, server: SampleServer) -> None:
    """Those that hang, too."""
    outcome = outcome_of(model, "body fails", [body(server, 0), hanging(server, 1), hanging(server, 2)])
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.message) == (FailureKind.IMAGE, "the body has failed")


def test_a_task_can_fetch_on_after_its_group_was_broken_off(model: str, server: SampleServer) -> None:
    """What is broken off sees an exception that no `except Exception` takes for a failure, and that stays inside."""
    outcome = outcome_of(model, "recover", [hanging(server, 0), body(server, 1)])
    assert isinstance(outcome, Success)
    name = "CancelledError" if models.load(model).traits.client == "async" else "Cancelled"
    assert outcome.value == Sums((), digest(0), f"{name}: the member has failed")


def test_a_member_that_exits_fails_its_task(model: str, server: SampleServer) -> None:
    """It ends neither a worker nor the loop."""
    outcome = outcome_of(model, "member exits", [body(server, 0), body(server, 1)])
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.message) == (FailureKind.BUG, "SystemExit: 3")


def test_a_run_given_up_gives_members_up(model: str, server: SampleServer, tmp_path: Path) -> None:
    """Body and members hang; the task is left for the next run, and nothing stays behind."""
    shown = tmp_path / "shown"
    run = run_of(model, "all", [hanging(server, n) for n in range(3)], str(shown))
    pause = threading.Event()

    def twice() -> None:
        while not shown.exists():
            pause.wait(0.005)
        run.interrupt()
        run.interrupt()

    threading.Thread(target=twice, name="interrupter").start()
    assert list(run.outcomes()) == []
    assert run.summary is not None
    assert (run.summary.status, run.summary.left) == ("interrupted", 1)
    assert not run.abandoned
