"""Runs that are killed, servers that die, and runs that meet: no byte is lost that need not be, and none is mixed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

import toolkit as api
from tests.apps.download.stage import Asked, Stage
from tests.conftest import Toolkit

SIZE = 8_000_000
"""So that no segment is worth another split when it is resumed."""
BODY = random.Random(13).randbytes(SIZE)
AT_ONCE = 200_000
DROP = 10_000
"""Bytes that each connection brings at once; and after that, now and then."""
PATIENCE = 20.0


class Dripping:
    """A server that holds back: some of each body at once, then drops, until it is let go."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.asked = threading.Event()

    def __call__(self, asked: Asked) -> None:
        """Answer one request."""
        end = SIZE if asked.last is None else asked.last + 1
        first, status = (asked.first, 206) if asked.range else (0, 200)
        handler = asked._handler
        handler.send_response_only(status)
        fields = {"Content-Length": str(end - first), "ETag": '"1"', "Accept-Ranges": "bytes"}
        fields |= {"Content-Range": f"bytes {first}-{end - 1}/{SIZE}"} if asked.range else {}
        for name, value in fields.items():
            handler.send_header(name, value)
        handler.end_headers()
        at = min(end, first + AT_ONCE)
        handler.wfile.write(BODY[first:at])
        handler.wfile.flush()
        self.asked.set()
        while at < end and not self.over.wait(0.05):
            handler.wfile.write(BODY[at : min(end, at + DROP)])
            handler.wfile.flush()
            at = min(end, at + DROP)
        handler.wfile.write(BODY[at:end])


def whole(asked: Asked) -> None:
    """Serve what is asked for."""
    asked.serve(BODY, '"1"')


def start(*command: object) -> subprocess.Popen[bytes]:
    """Start a run."""
    line = [sys.executable, "-m", "toolkit", *map(str, command)]
    return subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def note_of(out: Path) -> dict[str, Any]:
    """Return the note of the only part in a folder, or nothing while there is none."""
    for path in out.glob(".*.part.json"):
        with suppress(OSError, ValueError):
            found: dict[str, Any] = json.loads(path.read_text())
            return found
    return {}


def wait_until(holds: Any, run: subprocess.Popen[bytes]) -> None:
    """Wait for a state on the disk."""
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until, "it did not come about"
        assert run.poll() is None, "the run ended"
        time.sleep(0.01)


@pytest.fixture
def runs() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Return a list of runs, which are ended with the test."""
    begun: list[subprocess.Popen[bytes]] = []
    yield begun
    for run in begun:
        if run.poll() is None:
            run.kill()
        run.wait()


@pytest.mark.parametrize("model", ["threads", "processes", "asyncio"])
def test_segments_that_were_killed_go_on_where_they_were(
    tmp_path: Path, model: str, toolkit: Toolkit, runs: list[subprocess.Popen[bytes]]
) -> None:
    """Killed in the midst of four segments: the next run asks for exactly what the note says is missing."""
    dripping = Dripping()
    with Stage(dripping) as stage:
        command = ["download", stage.url + "f", "-o", tmp_path, "-m", model, "--segments", "4", "-j", "8"]
        run = start(*command)
        runs.append(run)

        def all_are_noted() -> bool:
            spans = note_of(tmp_path).get("spans", [])
            return len(spans) == 4 and all(done - first >= AT_ONCE for first, done, _ in spans)

        wait_until(all_are_noted, run)
        children = psutil.Process(run.pid).children(recursive=True)
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        assert not psutil.wait_procs(children, timeout=10)[1], "a worker outlived the run"
        assert not (tmp_path / "f").exists()
        (part,) = tmp_path.glob(".*.part")
        assert part.stat().st_size == SIZE, "its size says nothing: there are holes"
        spans = note_of(tmp_path)["spans"]
        here = part.read_bytes()
        assert all(here[first:done] == BODY[first:done] for first, done, _ in spans)
        dripping.over.set()
        stage.asked.clear()
        stage.scene = whole
        done = toolkit(*command)
        assert done.returncode == 0, done.stderr
        missing = [f"bytes={done}-{end - 1}" for _, done, end in spans]
        assert sorted(str(asked.range) for asked in stage.asked) == sorted(missing)
        assert {asked.if_range for asked in stage.asked} == {'"1"'}
    assert (tmp_path / "f").read_bytes() == BODY
    assert not list(tmp_path.glob(".*.part*"))


@pytest.mark.parametrize("model", ["threads", "processes", "asyncio"])
def test_a_server_that_comes_back_is_asked_for_the_rest_by_the_same_run(tmp_path: Path, model: str) -> None:
    """It dies in the middle, is not there for the next attempt, and goes on at the same port."""
    with Stage(lambda asked: None) as stage:

        def die(asked: Asked) -> None:
            asked.reply(200, BODY, cut=2_000_000, ETag='"1"')
            stage.scene = refuse

        def refuse(asked: Asked) -> None:
            asked.hang_up()
            stage.scene = whole

        stage.scene = die
        done = api.download([stage.url + "f"], tmp_path, model=model, retries=3)
        assert (done.succeeded, done.failed) == (1, {})
        assert [asked.range for asked in stage.asked][-2:] == ["bytes=2000000-"] * 2
    assert (tmp_path / "f").read_bytes() == BODY


def test_a_second_run_of_a_folder_is_told_to_wait(
    tmp_path: Path, toolkit: Toolkit, runs: list[subprocess.Popen[bytes]]
) -> None:
    """One store, one run: the second one says so, and the first one is not disturbed."""
    dripping = Dripping()
    with Stage(dripping) as stage:
        command = ["download", stage.url + "f", "-o", tmp_path, "--segments", "1"]
        first = start(*command)
        runs.append(first)
        assert dripping.asked.wait(PATIENCE)
        second = toolkit(*command)
        assert (second.returncode, "another run is using" in second.stderr) == (2, True)
        dripping.over.set()
        assert first.wait(PATIENCE) == 0
        assert len(stage.asked) == 1
    assert (tmp_path / "f").read_bytes() == BODY


def test_two_runs_with_stores_of_their_own_never_share_a_part(
    tmp_path: Path, toolkit: Toolkit, runs: list[subprocess.Popen[bytes]]
) -> None:
    """The part is locked: the second run's attempt fails, to be tried again later; the first's bytes are its own."""
    dripping, out = Dripping(), tmp_path / "out"
    with Stage(dripping) as stage:
        command = ["download", stage.url + "f", "-o", out, "--segments", "1"]
        first = start(*command, "--state", tmp_path / "a")
        runs.append(first)
        wait_until(lambda: list(out.glob(".*.part")), first)
        second = toolkit(*command, "--state", tmp_path / "b", "--retries", "0")
        assert second.returncode == 1
        assert "is being written by another run" in second.stderr
        dripping.over.set()
        assert first.wait(PATIENCE) == 0
    assert (out / "f").read_bytes() == BODY
    assert not list(out.glob(".*.part*"))


def test_two_runs_of_small_files_leave_each_whole(tmp_path: Path, runs: list[subprocess.Popen[bytes]]) -> None:
    """Whoever writes a file, it is never a mixture, and nothing is left beside it."""
    bodies = {f"/{number}": random.Random(number).randbytes(20_000) for number in range(150)}
    out = tmp_path / "out"
    with Stage(lambda asked: asked.serve(bodies[asked.path], '"1"')) as stage:
        (tmp_path / "list.txt").write_text("\n".join(stage.url + path[1:] for path in bodies))
        for state in ("a", "b"):
            command = ("download", tmp_path / "list.txt", "-o", out, "--existing", "overwrite", "--retries", "6")
            runs.append(start(*command, "--state", tmp_path / state))
        assert [run.wait(2 * PATIENCE) for run in runs] == [0, 0]
    assert all((out / path[1:]).read_bytes() == body for path, body in bodies.items())
    assert not [path.name for path in out.iterdir() if path.name.startswith(".")]
