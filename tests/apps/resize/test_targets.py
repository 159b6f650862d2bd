"""Files that are there already are told by their names."""

from __future__ import annotations

import os
from pathlib import Path

from toolkit.apps.resize.targets import Target, missing, sizes_in_bytes

SMALL, LARGE, BROKEN = Target("x/a-320.jpg", 0, "jpeg"), Target("x/a-640.jpg", 1, "jpeg"), Target("b.png", 0, "png")


def test_missing_when_some_are_there(tmp_path: Path) -> None:
    """Only names that are free are missing: a broken link has its name, too."""
    assert missing(str(tmp_path), [SMALL, LARGE, BROKEN]) == (SMALL, LARGE, BROKEN)
    (tmp_path / "x").mkdir()
    (tmp_path / SMALL.name).write_bytes(b"123")
    os.symlink("nowhere", tmp_path / BROKEN.name)
    assert missing(str(tmp_path), [SMALL, LARGE, BROKEN]) == (LARGE,)
    assert sizes_in_bytes(str(tmp_path), [SMALL, LARGE, BROKEN]) == (3, None, None)


def test_missing_when_all_are_there(tmp_path: Path) -> None:
    """Then the picture is left alone."""
    (tmp_path / BROKEN.name).write_bytes(b"")
    assert missing(str(tmp_path), [BROKEN]) == ()
