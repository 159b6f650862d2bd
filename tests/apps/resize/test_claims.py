"""Files that no run of ours has made stay, in every run, until one is told what to do with them; ours are made anew."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import toolkit
from tests.apps.resize.making import corners, saved
from toolkit.core.task import Task
from toolkit.reporting import Summary

FOREIGN = b"somebody's own"
KILLED = """
import os, signal, sys
import toolkit
from toolkit.store import Store

Store.record = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
toolkit.resize(sys.argv[1], sys.argv[2], sizes="10x,20x", model="sequential")
"""
"""A run that is killed once it has written a picture's results, and before it has noted them."""


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder with a picture."""
    return saved(corners(), tmp_path / "in/a.png").parent


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Return an output folder with a file that has the name of a result."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a-20.png").write_bytes(FOREIGN)
    return tmp_path / "out"


def done(photos: Path, out: Path, **options: Any) -> Summary:
    """Do the folder."""
    return toolkit.resize(photos, out, **{"sizes": "10x,20x", "model": "sequential", **options})


def test_refused_in_every_run(photos: Path, out: Path) -> None:
    """Whether it is the first or not, or tries again what failed, or has forgotten what is done."""
    for more in ({}, {}, {"retry_failed": True}, {"retry_failed": True}, {"fresh": True}, {"sizes": "20x,30x"}):
        summary = done(photos, out, **more)
        assert (summary.succeeded, summary.failed) == (0, {"name": 1})
        assert "--existing overwrite" in summary.failures[0].message
    assert (out / "a-20.png").read_bytes() == FOREIGN
    assert not (out / "a-10.png").exists()


def test_refused_in_a_folder_that_is_known(photos: Path, out: Path) -> None:
    """Of a picture that is new, and only that one."""
    assert done(photos, out, sizes="10x").succeeded == 1
    saved(corners(), photos / "b.png")
    (out / "b.png").write_bytes(FOREIGN)
    summary = done(photos, out, sizes="10x")
    assert (summary.skipped, summary.failed) == ({"up to date": 1}, {"name": 1})
    assert (out / "b.png").read_bytes() == FOREIGN


def test_replaced_when_a_run_is_told_to(photos: Path, out: Path) -> None:
    """And ours from then on; so is what is tried again."""
    done(photos, out)
    assert done(photos, out, existing="overwrite", retry_failed=True).succeeded == 1
    assert (out / "a-20.png").read_bytes() != FOREIGN
    assert done(photos, out).skipped == {"up to date": 1}
    assert done(photos, out, quality=50).succeeded == 1


def test_left_when_a_run_is_told_to(photos: Path, out: Path) -> None:
    """It is no more ours by that than it was, the other results are."""
    assert done(photos, out, existing="skip").succeeded == 1
    assert done(photos, out).failed == {"name": 1}
    assert (out / "a-20.png").read_bytes() == FOREIGN
    (out / "a-20.png").unlink()
    assert done(photos, out).succeeded == 1


def test_preview_makes_nothing_ours(photos: Path, out: Path) -> None:
    """It claims no names, though they are free when it looks."""
    assert done(photos, out, sizes="30x").succeeded == 1
    (out / "a-20.png").unlink()
    (planned,) = toolkit.resize.plan(photos, out, sizes="10x,20x")
    assert isinstance(planned, Task)
    (out / "a-20.png").write_bytes(FOREIGN)
    assert done(photos, out).failed == {"name": 1}


def test_ours_when_another_picture_has_its_name(photos: Path, tmp_path: Path) -> None:
    """The result of a picture that has another format now is replaced."""
    out = tmp_path / "out"
    assert done(photos, out, format="webp").succeeded == 1
    (photos / "a.png").unlink()
    saved(corners(), photos / "a.jpg")
    assert done(photos, out, format="webp").succeeded == 1


def test_ours_when_a_run_was_killed_before_it_noted_them(photos: Path, tmp_path: Path) -> None:
    """The next run makes them as if nothing had been; the only trace is that their names were claimed."""
    out = tmp_path / "out"
    killed = subprocess.run([sys.executable, "-c", KILLED, photos, out], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert (out / "a-20.png").exists()
    assert done(photos, out).succeeded == 1
    assert done(photos, out).skipped == {"up to date": 1}
