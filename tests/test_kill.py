"""`kill -9` in the middle of each app, ten times at random moments; then the same command makes the output whole."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from samples.serve import SampleServer
from tests.conftest import Toolkit

KILLS = 10
PICTURES = Path(__file__).parent.parent / "samples" / "pictures"

pytestmark = pytest.mark.timeout(110)


MOMENT = re.compile(rb'"fetched_at": "[^"]*"')
"""When a page was fetched: in no two runs the same."""


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file that a user sees, by its path in the folder."""
    return {
        str(path.relative_to(folder)): MOMENT.sub(b'"fetched_at": ""', path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def done_keys(out: Path) -> set[str]:
    """Return the keys of the tasks that the store in a folder knows as done."""
    found: set[str] = set()
    for path in out.glob(".*sqlite"):
        with closing(sqlite3.connect(path)) as store:
            if not store.execute("PRAGMA user_version").fetchone()[0]:
                continue  # killed before the tables were there
            found |= {key for (key,) in store.execute("SELECT key FROM tasks WHERE state = 'done'")}
    return found


def kill_and_finish(command: list[str], out: Path, straight: Path, seed: int, toolkit: Toolkit) -> None:
    """Kill the command KILLS times in the middle, check what each kill left, then let it end."""
    draw = random.Random(seed)
    known: set[str] = set()
    for _ in range(KILLS):
        events = out.parent / "events"
        events.unlink(missing_ok=True)
        process = subprocess.Popen(
            [sys.executable, "-m", "toolkit", *command, "--events", events], stderr=subprocess.DEVNULL
        )
        wait_for_progress(process, events, draw.randrange(4))
        time.sleep(draw.uniform(0.0, 0.1))  # the moment is random; nothing depends on it
        assert process.poll() is None, "the run ended before it could be killed: give it more to do"
        children = psutil.Process(process.pid).children(recursive=True)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        _, alive = psutil.wait_procs(children, timeout=10)
        assert not alive, "a worker outlived the run"
        assert contents(out).items() <= contents(straight).items(), "a final name held something else"
        assert not (done_again(events) & known), "done twice, though the store knew"
        known = done_keys(out)
    done = toolkit(*command, "--events", out.parent / "events")
    assert done.returncode == 0, done.stderr
    assert not (done_again(out.parent / "events") & known), "done twice, though the store knew"


def wait_for_progress(process: subprocess.Popen[bytes], events: Path, tasks: int) -> None:
    """Wait until so many tasks have been done in this run; for 0, not even until it has begun."""
    while tasks and process.poll() is None and len(done_again(events)) < tasks:
        time.sleep(0.005)


def done_again(events: Path) -> set[str]:
    """Return the keys that an events file reports as successes."""
    lines = events.read_text().splitlines() if events.exists() else []
    found = set()
    for line in lines:
        if line.endswith("}"):  # the last one may be torn
            event = json.loads(line)
            if event.get("outcome") == "success":
                found.add(event["key"])
    return found


def test_download_is_whole_when_killed_ten_times(server: SampleServer, tmp_path: Path, toolkit: Toolkit) -> None:
    """Small files and large ones that are resumed: after the kills, every byte is as in an undisturbed run."""
    urls = [f"{server.url}generated/{1000 + n}.bin?delay=0.05&seed={n}" for n in range(60)]
    urls += [f"{server.url}generated/{3_000_000 + n}.bin?rate=2000000" for n in range(4)]
    (tmp_path / "urls.txt").write_text("\n".join(urls))
    straight, killed = tmp_path / "straight" / "out", tmp_path / "killed" / "out"
    killed.parent.mkdir()
    command = ["download", str(tmp_path / "urls.txt"), "--per-host", "3"]
    assert toolkit(*command, "-o", straight, "--per-host", "64").returncode == 0
    kill_and_finish([*command, "-o", str(killed)], killed, straight, 1, toolkit)
    assert contents(killed) == contents(straight)
    assert len(contents(killed)) == 64
    assert not list(killed.glob(".*.part*")), "parts were left behind"


def test_resize_is_whole_when_killed_ten_times(tmp_path: Path, toolkit: Toolkit) -> None:
    """Every picture is there, byte for byte, and no half-written one is left."""
    photos = tmp_path / "photos"
    for copy in range(12):
        shutil.copytree(PICTURES, photos / f"set-{copy}")
    straight, killed = tmp_path / "straight" / "out", tmp_path / "killed" / "out"
    killed.parent.mkdir()
    command = ["resize", str(photos), "--size", "300x300", "--filter", "sharpen"]
    assert toolkit(*command, "-o", straight).returncode == 0
    kill_and_finish([*command, "-o", str(killed)], killed, straight, 2, toolkit)
    assert contents(killed) == contents(straight)
    assert not list(killed.rglob(".toolkit-*.tmp")), "temporary files were left behind"


def test_scrape_is_whole_when_killed_ten_times(server: SampleServer, tmp_path: Path, toolkit: Toolkit) -> None:
    """Every page has exactly one row, in the order of the list."""
    toolkit("download", f"{server.url}lists/pages.txt", "-o", tmp_path / "lists", "--quiet")
    pages = (tmp_path / "lists" / "pages.txt").read_text().split()
    urls = [f"{page}?delay=0.1&copy={copy}" for copy in range(4) for page in pages]
    (tmp_path / "urls.txt").write_text("\n".join(urls))
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    straight.mkdir()
    killed.mkdir()
    command = ["scrape", str(tmp_path / "urls.txt"), "--field", "title=title", "--field", "links[]=a@href"]
    assert toolkit(*command, "-o", straight / "rows.jsonl", "--per-host", "32").returncode == 0
    command += ["--per-host", "2"]
    kill_and_finish([*command, "-o", str(killed / "rows.jsonl")], killed, straight, 3, toolkit)
    assert contents(killed) == contents(straight)
    rows = [json.loads(line) for line in (killed / "rows.jsonl").read_text().splitlines()]
    assert [row["url"] for row in rows] == urls
