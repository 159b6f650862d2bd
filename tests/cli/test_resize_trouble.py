"""`toolkit resize` in bad luck: crashes, hangs, full disks, odd names; each costs one picture, and is told by name."""

from __future__ import annotations

import csv
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.apps.resize.making import photo, saved
from tests.conftest import Toolkit

TROUBLE = """
import os, shutil, signal
from PIL import ImageFile

load = ImageFile.ImageFile.load

def troubled(self):
    what = self.info.get("comment", b"").decode() if self.tile else ""  # once, before the pixels are there
    if what == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif what == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "exit":
        os._exit(3)
    elif what == "hang":
        signal.pause()
    elif what == "memory":
        raise MemoryError
    elif what == "surprise":
        raise ZeroDivisionError("of all things")
    elif what == "vanish":
        os.unlink(self.fp.name)
    elif what == "shrink":
        os.truncate(self.fp.name, 700)
    elif what.startswith("remove "):
        shutil.rmtree(what.removeprefix("remove "))
    return load(self)

ImageFile.ImageFile.load = troubled
"""
"""Put where Python starts: pictures whose comment asks for it bring trouble as their pixels are read."""

MODELS = ("sequential", "threads", "processes", "asyncio")


def folder(place: Path, good: int, *troubles: str) -> Path:
    """Make a folder of so many good pictures, and one for each trouble; return it."""
    for number in range(good):
        saved(photo(90, 60, number), place / f"good-{number}.jpg")
    for trouble in troubles:
        size = (600, 400) if trouble == "shrink" else (90, 60)  # more than is read ahead
        saved(photo(*size), place / f"{trouble.split()[0]}.jpg", comment=trouble)
    (place.parent / "start").mkdir(exist_ok=True)
    (place.parent / "start" / "sitecustomize.py").write_text(TROUBLE)
    return place


def ended(place: Path) -> dict[str, str]:
    """Return what a manifest says became of each picture: "", or the sort of failure and its message."""
    rows = [json.loads(line) for line in (place / "manifest.jsonl").read_text().splitlines()]
    return {
        os.path.basename(row["input"]).split(".")[0]: f"{row['reason']}: {row['message']}" if row["reason"] else ""
        for row in rows
    }


def good(ends: dict[str, str]) -> list[str]:
    """Return the names of those that were done."""
    return sorted(name for name, end in ends.items() if not end)


@pytest.mark.skipif(sys.platform == "win32", reason="its processes die in other ways")
def test_pictures_that_take_their_process_down(tmp_path: Path, toolkit: Toolkit) -> None:
    """A crash, a kill, an exit and a hang cost that picture only, by name, after two attempts; the rest is done."""
    pictures = folder(tmp_path / "in", 6, "crash", "killed", "exit", "hang")
    arguments = ["-m", "processes", "-j", "2", "--timeout", "2", "--manifest", tmp_path / "manifest.jsonl"]
    command = ["resize", pictures, "-o", tmp_path / "out", "--size", "30x30", *arguments]
    done = toolkit(*command, PYTHONPATH=str(tmp_path / "start"))
    ends = ended(tmp_path)
    assert done.returncode == 1
    assert good(ends) == [f"good-{number}" for number in range(6)]
    assert ends["crash"] == "worker_died: its worker process was killed by SIGSEGV (a crash in C code)"
    assert ends["killed"] == "worker_died: its worker process was killed by SIGKILL (out of memory?)"
    assert ends["exit"] == "worker_died: its worker process ended itself with exit code 3"
    assert ends["hang"] == "overdue: took longer than 2 s and was stopped"
    rows = [json.loads(line) for line in (tmp_path / "manifest.jsonl").read_text().splitlines()]
    assert [row["attempts"] for row in rows if row["input"] == str(pictures / "crash.jpg")] == [2]
    assert sorted(path.name for path in (tmp_path / "out").glob("[!.]*")) == [f"good-{n}.jpg" for n in range(6)]
    assert not list((tmp_path / "out").rglob(".toolkit-*.tmp"))


@pytest.mark.skipif(sys.platform == "win32", reason="open files cannot be removed there")
@pytest.mark.parametrize("model", MODELS)
def test_pictures_that_fail_as_they_are_read(tmp_path: Path, toolkit: Toolkit, model: str) -> None:
    """Too little memory, any exception, and files that vanish or shrink meanwhile: named, and the rest is done."""
    pictures = folder(tmp_path / "in", 3, "memory", "surprise", "vanish", "shrink")
    arguments = ["-m", model, "-j", "2", "--manifest", tmp_path / "manifest.jsonl"]
    command = ["resize", pictures, "-o", tmp_path / "out", "--size", "30x30", *arguments]
    done = toolkit(*command, PYTHONPATH=str(tmp_path / "start"))
    ends = ended(tmp_path)
    assert done.returncode == 1
    assert good(ends) == ["good-0", "good-1", "good-2", "vanish"]  # an open file stays as it is
    assert ends["memory"] == "too_large: out of memory"
    assert ends["surprise"] == "image: damaged: ZeroDivisionError: of all things"
    assert ends["shrink"].startswith("image: cannot be read: ")


@pytest.mark.skipif(sys.platform == "win32", reason="open files cannot be removed there")
def test_output_folder_that_is_removed_meanwhile(tmp_path: Path, toolkit: Toolkit) -> None:
    """The run does not crash, and says what happened; what is missing is made by the next."""
    pictures = folder(tmp_path / "in", 4, f"remove {tmp_path / 'out' / 'sub'}")
    os.makedirs(pictures / "sub")
    os.rename(pictures / "good-0.jpg", pictures / "sub" / "good-0.jpg")
    command = ["resize", pictures, "-o", tmp_path / "out", "--size", "30x30", "-m", "sequential"]
    (tmp_path / "out" / "sub").mkdir(parents=True)
    first = toolkit(*command, PYTHONPATH=str(tmp_path / "start"))
    second = toolkit(*command)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    names = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("[!.]*.jpg")}
    assert names == {"sub/good-0.jpg", "good-1.jpg", "good-2.jpg", "good-3.jpg", "remove.jpg"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no limit on the size of files")
def test_result_that_finds_no_room(tmp_path: Path) -> None:
    """Where a file cannot be written whole, the one before it stays, and nothing is left beside."""
    saved(photo(700, 700), tmp_path / "in" / "large.png")
    saved(photo(90, 60), tmp_path / "in" / "small.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "large.png").write_bytes(b"as it was")
    limited = "import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))"
    code = f"{limited}; runpy.run_module('toolkit', run_name='__main__')"
    command = ["resize", tmp_path / "in", "-o", tmp_path / "out", "--existing", "overwrite"]
    command += ["--manifest", tmp_path / "manifest.jsonl"]
    command += ["--existing", "overwrite"]
    done = subprocess.run([sys.executable, "-c", code, *map(str, command)], check=False, timeout=50)
    assert done.returncode == 1
    assert good(ended(tmp_path)) == ["small"]
    assert "File too large" in ended(tmp_path)["large"]
    assert (tmp_path / "out" / "large.png").read_bytes() == b"as it was"
    assert sorted(path.name for path in (tmp_path / "out").glob("[!.]*")) == ["large.png", "small.png"]
    assert not list((tmp_path / "out").rglob(".toolkit-*.tmp"))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_hostile(tmp_path: Path, toolkit: Toolkit) -> None:
    """Sequences for the terminal, markup, formulas and bytes that are no text do no harm in any report."""
    names = [
        "esc\x1b[31m\x1b]0;title\x07.png",
        "c1\x9b31m.png",
        "del\x7f.png",
        "=1+1|cmd.png",
        "<b>bold<img src=x>.png",
    ]
    names += [os.fsdecode(b"caf\xe9.png"), "bidi\u202e.png", "-rf.png", "x" * 251 + ".png"]
    for name in names:
        saved(photo(30, 20), tmp_path / "in" / "plain.png").rename(tmp_path / "in" / name)
    (tmp_path / "in" / "bad\x1b[5m.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    reports = [
        "--report",
        tmp_path / "report.html",
        "--manifest",
        tmp_path / "rows.csv",
        "--events",
        tmp_path / "events",
    ]
    command = ["resize", tmp_path / "in", "-o", tmp_path / "out", "-m", "sequential", "-v", *reports]
    done = toolkit(*command, "--srcset", tmp_path / "srcset.html")
    assert done.returncode == 1, done.stderr
    page = (tmp_path / "report.html").read_text() + (tmp_path / "srcset.html").read_text()
    for text in (done.stdout, done.stderr, page, (tmp_path / "events").read_text()):
        assert not set(text) & set("\x1b\x07\x7f\x9b\u202e")
    assert "<b>bold" not in page
    with (tmp_path / "rows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["outcome"] for row in rows].count("done") == len(names)
    assert len(list((tmp_path / "out").glob("[!.]*"))) == len(names)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other kinds of files")
def test_files_that_are_none(tmp_path: Path, toolkit: Toolkit) -> None:
    """Pipes, sockets and links that lead nowhere or in circles neither stop a run nor pass unnoticed."""
    pictures = folder(tmp_path / "in", 1)
    os.mkfifo(pictures / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(pictures / "socket.jpg"))
        (pictures / "circle").symlink_to("circle")
        (pictures / "nowhere.jpg").symlink_to("nothing.jpg")
        (pictures / "again").symlink_to(".")
        (pictures / "device.jpg").symlink_to(os.devnull)
        command = ["resize", pictures, "-o", tmp_path / "out", "--manifest", tmp_path / "manifest.jsonl"]
        done = toolkit(*command, "--size", "30x30", "-m", "sequential")
    ends = ended(tmp_path)
    assert done.returncode == 1
    assert good(ends) == ["good-0"]
    assert {name: ends[name].split(":")[0] for name in ("pipe", "socket", "device", "again")} == {
        **dict.fromkeys(("pipe", "socket", "device"), "not a picture"),
        "again": "link to a folder",
    }
    assert "Too many levels" in ends["circle"]
    assert "No such file" in ends["nowhere"]


@pytest.mark.parametrize("link", ["symlink", "hard link"])
def test_result_that_is_its_own_picture(tmp_path: Path, toolkit: Toolkit, link: str) -> None:
    """An output folder that leads to the input by another name is refused before anything is written."""
    pictures = folder(tmp_path / "in", 1)
    before = (pictures / "good-0.jpg").read_bytes()
    if link == "symlink":
        (tmp_path / "out").symlink_to(pictures)
    else:
        (tmp_path / "out").mkdir()
        os.link(pictures / "good-0.jpg", tmp_path / "out" / "good-0.jpg")
    done = toolkit("resize", pictures, "-o", tmp_path / "out", "--size", "30x30")
    assert done.returncode == 2
    assert (pictures / "good-0.jpg").read_bytes() == before
    assert len(done.stderr.splitlines()) == 1
