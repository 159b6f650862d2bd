"""A disk that is full: the run stops, what is here is kept and known, and the next run goes on from there."""

from __future__ import annotations

import contextlib
import random
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import toolkit as toolkit_api
from samples.serve import SampleServer
from tests.apps.download.stage import Asked, Stage
from tests.conftest import Toolkit
from toolkit.core.task import Failure, Success

LARGE = random.Random(6).randbytes(4_000_000)
BODIES = {"/small": bytes(1000), "/empty": b"", "/large": LARGE}
SIZE = 3 * 1024 * 1024
"""Bytes on the disk."""
BLOCK = 100_000
PATIENCE = 20.0


def mount(*command: str) -> bool:
    """Mount a disk; tell whether that is allowed."""
    return subprocess.run(["mount", "-t", "tmpfs", *command], capture_output=True, check=False).returncode == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Return a small disk of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    if sys.platform != "linux" or not mount("-o", f"size={SIZE}", "tmpfs", str(place)):
        pytest.skip("only root may mount a disk, on Linux")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


class Filling:
    """A large file of which nobody is told the size, and an empty one that is sent once the disk is full.

    The large one begins when the small one is in the folder, and the empty one has been asked for.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._asked, self._full = threading.Event(), threading.Event()

    def __call__(self, asked: Asked) -> None:
        """Answer one request."""
        if asked.path == "/large" and asked.range is None:
            self._asked.wait(PATIENCE)
            until = time.monotonic() + PATIENCE
            while not (self._out / "small").exists() and time.monotonic() < until:
                time.sleep(0.01)
            self._fill(asked._handler)
            return
        if asked.path == "/empty":
            self._asked.set()
            self._full.wait(PATIENCE)
        asked.serve(BODIES[asked.path], '"1"')

    def _fill(self, handler: Any) -> None:
        """Send all but the end, and wait until the client has gone."""
        handler.send_response_only(200)
        handler.send_header("ETag", '"1"')
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        with contextlib.suppress(OSError):
            for start in range(0, len(LARGE), BLOCK):
                handler.wfile.write(b"%x\r\n%s\r\n" % (BLOCK, LARGE[start : start + BLOCK]))
            handler.rfile.read(1)
        self._full.set()
        handler.close_connection = True


@pytest.mark.parametrize("model", ["threads", "processes", "asyncio"])
def test_a_full_disk_stops_the_run_and_the_next_one_goes_on(disk: Path, model: str, toolkit: Toolkit) -> None:
    """Exit 3 and a part that is resumed; what is done is known to be, though it ended when the disk was full."""
    out = disk / "out"
    with Stage(Filling(out)) as stage:
        command = ["download", *(stage.url + path[1:] for path in BODIES), "-o", out, "-m", model, "-j", "3"]
        stopped = toolkit(*command)
        assert stopped.returncode == 3, stopped
        assert "No space left on device" in stopped.stderr or "disk is full" in stopped.stderr, stopped
        assert "Traceback" not in stopped.stderr
        there = {path.name for path in out.iterdir() if not path.name.startswith(".")}
        assert there in ({"small", "empty"}, {"small"}), (
            "the store may be the first to notice: what runs is given up then"
        )
        (part,) = out.glob(".*.part")
        here = part.stat().st_size
        assert here > SIZE // 2
        assert LARGE.startswith(part.read_bytes())
        assert mount("-o", "remount,size=64m", str(disk))
        stage.asked.clear()
        done = toolkit(*command)
        assert (done.returncode, f"{len(there)} already downloaded" in done.stderr) == (0, True), done
        assert [asked.range for asked in stage.asked if asked.path == "/large"] == [f"bytes={here}-"]
        assert {asked.path[1:] for asked in stage.asked} == {"small", "empty", "large"} - there
    assert all((out / path[1:]).read_bytes() == body for path, body in BODIES.items())
    assert not list(out.glob(".*.part*"))


def test_a_limit_on_open_files_lowers_the_number_at_once(server: SampleServer, tmp_path: Path) -> None:
    """Every file comes all the same, and the report says what the machine had to give."""
    (tmp_path / "list.txt").write_text(
        "\n".join(f"{server.url}generated/300000.bin?delay=0.1&seed={n}" for n in range(60))
    )
    done = subprocess.run(
        [
            *(sys.executable, "-m", "toolkit", "download", tmp_path / "list.txt", "-o", tmp_path / "out"),
            *("-m", "threads", "--client", "requests", "-j", "60", "--per-host", "60"),
        ],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40)),
    )
    assert done.returncode == 0, done.stderr
    assert "this machine had no more to give" in done.stderr
    assert len(list((tmp_path / "out").glob("*.bin"))) == 60


def test_a_name_that_the_system_refuses_fails_its_own_item(server: SampleServer, tmp_path: Path) -> None:
    """Too long for the system, too long for anybody, below a file: each fails alone, in a line; the others come."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "file").write_bytes(b"")
    paths = [("d" * 203 + "/") * 20 + "x", "d/" * 50_000 + "x", "file/x", "y" * 300 + ".bin", "well.bin"]
    rows = [f"{server.url}generated/1000.bin?seed={number},{path}" for number, path in enumerate(paths)]
    (tmp_path / "list.csv").write_text("\n".join(["url,name", *rows]))
    found = list(toolkit_api.download.stream([str(tmp_path / "list.csv")], out))
    failures = {each.task.index: each for each in found if isinstance(each, Failure)}
    assert {index: (each.kind, each.retryable) for index, each in failures.items()} == dict.fromkeys(
        range(3), ("name", False)
    )
    assert "File name too long" in failures[0].message
    assert failures[1].message.endswith("its path would be 100,001 characters long")
    assert "Not a directory" in failures[2].message
    assert sum(isinstance(each, Success) for each in found) == 2
    assert (out / "well.bin").stat().st_size == 1000
    assert (out / ".toolkit.sqlite").stat().st_size < 500_000
