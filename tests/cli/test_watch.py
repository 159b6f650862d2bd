"""`toolkit resize --watch` as a user meets it: it goes on until Ctrl-C, and its files tell of all runs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import Toolkit

pytest.importorskip("watchfiles")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process")

PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # which the runner of tests may have switched off
from toolkit.cli import main
main()
"""


def picture(path: Path, colour: str = "red") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 20), colour).save(path)


@contextmanager
def watching(folder: Path, *more: object) -> Iterator[subprocess.Popen[str]]:
    """Start the command on folder/in; whatever happens, it is ended."""
    command = ["resize", folder / "in", "-o", folder / "out", "--size", "10x", "--model", "sequential", "--watch"]
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *map(str, command), *map(str, more)], stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(process: subprocess.Popen[str], words: str) -> str:
    """Read what the command says, until a line with these words; return that."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if words in line:
            return line
    raise AssertionError(f"never said {words!r}: {said}")


def interrupted(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGINT)
    return process.wait(20)


def test_files_tell_of_all_runs(tmp_path: Path) -> None:
    """Events follow each other; the manifest has a row for each picture, with its files, whenever it was made."""
    picture(tmp_path / "in/a.png")
    events, manifest = tmp_path / "events.jsonl", tmp_path / "rows.jsonl"
    events.write_text("of another day\n")
    with watching(tmp_path, "-v", "--fresh", "--events", events, "--manifest", manifest) as process:
        until(process, "watching for changes; Ctrl-C ends")
        picture(tmp_path / "in/b.png")
        until(process, "done  b.png")
        until(process, "1 picture done, 1 skipped")
        assert interrupted(process) == 0
    told = [json.loads(line) for line in events.read_text().splitlines()]
    assert [event["event"] for event in told if event["event"].startswith("run")].count("run_finished") >= 2
    done = [event["key"] for event in told if event.get("outcome") == "success"]
    assert done == ["a.png", "b.png"]
    rows = {Path(row["input"]).name: row for row in map(json.loads, manifest.read_text().splitlines())}
    assert [(name, row["outcome"]) for name, row in sorted(rows.items())] == [("a.png", "skipped"), ("b.png", "done")]
    assert [row["outputs"][0]["width"] for row in rows.values()] == [10, 10]


def test_impossible_run_is_told_of_and_the_next_may_mend_it(tmp_path: Path) -> None:
    """Watching goes on after two pictures for one name."""
    picture(tmp_path / "in/a.png")
    with watching(tmp_path, "-v", "--format", "jpeg") as process:
        until(process, "watching")
        picture(tmp_path / "in/a.gif")
        until(process, "would both become a.jpg")
        (tmp_path / "in/a.gif").unlink()
        picture(tmp_path / "in/c.png")
        until(process, "done  c.png")
        assert interrupted(process) == 0


def test_interrupt_in_the_midst_of_a_run(tmp_path: Path) -> None:
    """It ends that run and the watching, with the exit code of an interrupted run."""
    for number in range(500):
        picture(tmp_path / f"in/{number}.png")
    with watching(tmp_path, "-v") as process:
        until(process, "done")
        assert interrupted(process) == 130


def test_quiet_says_nothing(tmp_path: Path) -> None:
    """Not even that it watches."""
    picture(tmp_path / "in/a.png")
    with watching(tmp_path, "-q", "--manifest", tmp_path / "m.jsonl") as process:
        picture(tmp_path / "in/b.png")
        while not (tmp_path / "out/b.png").exists():
            assert process.poll() is None
        assert interrupted(process) in {0, 130}  # it may be about to write the report
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_first_run_that_is_impossible_ends_it(tmp_path: Path, toolkit: Toolkit) -> None:
    """Wrong usage is no reason to wait for changes."""
    for name in ("a.png", "a.gif"):
        picture(tmp_path / "in" / name)
    for folder, words in (("none", "none"), ("in", "would both become a.jpg")):
        done = toolkit("resize", tmp_path / folder, "-o", tmp_path / "out", "--watch", "--format", "jpeg")
        assert (done.returncode, words in done.stderr) == (2, True)


def test_dry_run_watches_nothing(tmp_path: Path, toolkit: Toolkit) -> None:
    """It shows one plan."""
    picture(tmp_path / "in/a.png")
    done = toolkit("resize", tmp_path / "in", "-o", tmp_path / "out", "--watch", "--dry-run")
    assert (done.returncode, done.stdout) == (0, "do    a.png -> a.png\n")
