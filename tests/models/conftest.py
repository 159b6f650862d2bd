"""What the model tests share: every model by name, a short way to run one, and a watch on what is left behind."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from multiprocessing import resource_tracker, util
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.models.fakes import FakeApp, Payload
from toolkit import models
from toolkit.core.policy import Policy
from toolkit.core.rates import CELLS
from toolkit.core.task import Outcome
from toolkit.options import RunOptions
from toolkit.reporting import Event, Reporter, Summary, Tick
from toolkit.run import Run

QUICK = Policy(backoff=0.001)
"""A policy that does not wait before a retry."""
SETTLING = 5.0
"""Seconds that the other side of a connection may take to close it, too."""


@pytest.fixture(params=models.names())
def model(request: pytest.FixtureRequest) -> str:
    """Return the name of each model in turn."""
    return str(request.param)


@pytest.fixture(params=["processes", "hybrid"])
def supervised(request: pytest.FixtureRequest) -> str:
    """Return the name of each model with worker processes of our own in turn."""
    return str(request.param)


Perform = Callable[..., tuple[Summary, dict[str, Outcome]]]


@pytest.fixture
def perform() -> Perform:
    """Return a function that runs payloads under a model, and returns the summary and the outcomes by task key."""

    def run(
        model: str, payloads: Iterable[Payload], workers: int = 2, policy: Policy = QUICK, **options: Any
    ) -> tuple[Summary, dict[str, Outcome]]:
        run = start(model, FakeApp(payloads), workers, policy, **options)
        outcomes = {outcome.task.key: outcome for outcome in run.outcomes()}
        assert run.summary is not None
        return run.summary, outcomes

    return run


def start(
    model: str,
    app: FakeApp,
    workers: int = 2,
    policy: Policy = QUICK,
    reporters: Sequence[Reporter] = (),
    **options: Any,
) -> Run:
    """Return a run that keeps nothing."""
    options_ = RunOptions(model=model, workers=workers, **options)
    return Run(app, options_, output="", policy=policy, reporters=reporters)


def when_stopping(action: Callable[[], object]) -> Reporter:
    """Return a reporter that acts once the run says that it is stopping."""

    def report(event: Event) -> None:
        if isinstance(event, Tick) and event.stopping:
            action()

    return report


@pytest.fixture(scope="session")
def _private_tmp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give this process a temporary folder of its own, and start what Python starts once and keeps for good."""
    before, tempfile.tempdir = tempfile.tempdir, str(tmp_path_factory.mktemp("tmp"))
    folder = Path(util.get_temp_dir())
    resource_tracker.ensure_running()
    context = multiprocessing.get_context("forkserver")
    kept = [context.RawArray("d", size) for size in (3, *[1 + 2 * CELLS] * 8)]
    # Memory is kept for good, too: some for runs that share buckets, and whose remains are not yet collected.
    del kept[1:]
    yield folder
    del kept
    tempfile.tempdir = before


@pytest.fixture(autouse=True)
def _nothing_left(_private_tmp: Path) -> Iterator[None]:
    """Fail a test that leaves a process, a thread, an open file or a temporary file behind."""
    before = _processes(), _open_files()
    yield
    assert _processes() == before[0], "a process was left behind"
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("toolkit")]
    for thread in threads:
        thread.join(1)  # the conductor does not wait for the last breath of the model's thread
    assert not [thread.name for thread in threads if thread.is_alive()], "a thread was left behind"
    assert not _opened_since(before[1]), "a file descriptor was left open"
    assert not list(_private_tmp.iterdir()), "a temporary file was left behind"


def _processes() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


def _opened_since(before: dict[str, str]) -> set[tuple[str, str]]:
    """Return what is open and was not, once the sample server, which lives in here, has seen that its clients left."""
    ends = time.monotonic() + SETTLING
    while (opened := _open_files().items() - before.items()) and time.monotonic() < ends:
        time.sleep(0.01)
    return opened


def _open_files() -> dict[str, str]:
    folder = "/proc/self/fd"
    if not os.path.isdir(folder):
        return {}
    files = {name: _target(f"{folder}/{name}") for name in os.listdir(folder)}
    return {name: target for name, target in files.items() if target}


def _target(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:  # the one that listed the folder
        return ""
