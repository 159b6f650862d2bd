"""Limits on what a run fetches, under every model: bandwidth for all workers together, speed and time for each task."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from samples.serve import SampleServer
from tests.models.fakes import FakeApp
from toolkit.core.errors import FailureKind
from toolkit.core.http import Request
from toolkit.core.policy import Policy
from toolkit.core.task import Failure, Outcome, Success
from toolkit.options import NetworkOptions, RunOptions
from toolkit.run import Run

SIZE = 20_000
DESCRIPTORS = 40
TAKEN = (8, 16)
"""Those that are not there for tasks, at least and at most: for input and output, the list, the store, the loop."""
CUT = 0.75
"""What the limit is multiplied with when there are no more: never below that of what finds room."""
FEW_FILES = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, ({DESCRIPTORS}, {DESCRIPTORS}))
sys.argv[0] = "toolkit"
from toolkit.cli import main
main()
"""


def fetched(model: str, requests: Sequence[str | Request], **network: Any) -> list[Outcome]:
    app = FakeApp([("fetch", request) for request in requests])
    app.network = True
    options = RunOptions(model=model, workers=1 if model == "sequential" else 3)
    return list(Run(app, options, network=NetworkOptions(**network), output="", policy=Policy(retries=0)).outcomes())


@pytest.mark.parametrize("which", ["limit_rate", "limit_rate_per_host"])
def test_workers_together_keep_to_the_bandwidth(model: str, server: SampleServer, which: str) -> None:
    """Small files, too: each of them comes in one block."""
    urls = [f"{server.url}generated/{SIZE}.bin?seed={n}" for n in range(8)]
    started = time.monotonic()
    outcomes = fetched(model, urls, **{which: 300_000})
    took = time.monotonic() - started
    assert sum(isinstance(outcome, Success) for outcome in outcomes) == 8
    assert took >= 7 * SIZE / 300_000 - 0.1


def test_a_trickle_is_given_up(model: str, server: SampleServer) -> None:
    """Though bytes come all the time, too few do."""
    request = Request(f"{server.url}generated/{SIZE}.bin?drip=1", low_speed=1000, low_speed_time=0.4)
    (outcome,) = fetched(model, [request])
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.TIMEOUT
    assert outcome.message == "slower than 1,000 bytes a second for 0.4 s"


def test_an_attempt_that_waits_past_its_time_is_stopped(model: str, server: SampleServer) -> None:
    """Where nothing comes at all, too, though the read timeout is much longer."""
    (outcome,) = fetched(model, [f"{server.url}generated/{SIZE}.bin?hang=1"], max_time=0.4)
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.message) == (FailureKind.OVERDUE, "took longer than 0.4 s and was stopped")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
@pytest.mark.parametrize(
    ("how", "workers"),
    [("threads", "auto"), ("threads", "64"), ("asyncio", "auto"), ("asyncio", "64"), ("hybrid", "64")],
)
def test_a_machine_with_few_open_files_does_fewer_at_once_and_all_of_them(
    how: str, workers: str, server: SampleServer, tmp_path: Path
) -> None:
    """Connections that are kept are open files, too: those that wait let go of theirs, or the rest would never open."""
    urls = [f"{server.url}generated/1000.bin?delay=0.02&seed={n}" for n in range(200)]
    listed = tmp_path / "urls.txt"
    listed.write_text("\n".join(urls))
    command = ["download", str(listed), "-o", str(tmp_path / "out"), "--model", how, "--workers", workers]
    ended = subprocess.run(
        [sys.executable, "-c", FEW_FILES, *command, "--per-host", "64", "--json", "--retries", "12"],
        check=False,
        capture_output=True,
        text=True,
    )
    report = json.loads(ended.stdout)
    assert (report["succeeded"], report["failed"]) == (200, {}), (report["failures"], ended.stderr)
    assert "Traceback" not in ended.stderr
    if how == "hybrid":  # each of its processes may open as many, and there is one for each processor
        return
    limits = report["limits"]
    assert 1 <= limits["last"] <= DESCRIPTORS - TAKEN[0]
    if workers == "64":  # else what is found by trying may be less than what this machine has to give
        assert (limits["highest"], limits["reason"]) == (64, "this machine's limit")
        assert limits["changes"] >= 1
    if (how, workers) == ("asyncio", "64"):  # a connection and a file for each task: so many always find room
        assert limits["last"] >= CUT * (DESCRIPTORS - TAKEN[1]) / 2
