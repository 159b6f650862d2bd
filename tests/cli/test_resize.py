"""`toolkit resize` as a user meets it."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.conftest import Toolkit

PICTURES = Path(__file__).parent.parent.parent / "samples" / "pictures"


def test_two_inputs_for_one_name_are_refused_before_anything_is_made(tmp_path: Path, toolkit: Toolkit) -> None:
    """Not even the output folder or its store is there afterwards."""
    (tmp_path / "in").mkdir()
    shutil.copy(PICTURES / "cat.jpg", tmp_path / "in" / "a.jpg")
    shutil.copy(PICTURES / "horse.png", tmp_path / "in" / "a.png")
    done = toolkit("resize", tmp_path / "in", "-o", tmp_path / "out", "--format", "webp")
    assert (done.returncode, "would both become a.webp" in done.stderr) == (2, True)
    assert not (tmp_path / "out").exists()


def test_missing_picture_is_refused_before_anything_is_made(tmp_path: Path, toolkit: Toolkit) -> None:
    """A mistyped name leaves nothing behind."""
    done = toolkit("resize", tmp_path / "none.jpg", "-o", tmp_path / "out", "--size", "10x10")
    assert done.returncode == 2
    assert not (tmp_path / "out").exists()
