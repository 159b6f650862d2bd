"""What a picture will need is never much less than what it takes: runs under `--memory` rely on it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.apps.resize.making import Blank, photo, saved
from toolkit.apps.resize.job import ResizeApp
from toolkit.apps.resize.options import ResizeOptions
from toolkit.core.task import Task

_MEASURED = """
import sys
from pathlib import Path
from PIL import Image
from tests.apps.resize.making import Blank
from toolkit.apps.resize.develop import develop
from toolkit.apps.resize.job import ResizeApp
from toolkit.apps.resize.options import ResizeOptions
from toolkit.apps.resize.targets import Target

def memory(name):
    (line,) = [line for line in open("/proc/self/status") if line.startswith(name)]
    return int(line.split()[1]) * 1024

folder = Path(sys.argv[1])
Image.new("RGB", (64, 48)).save(folder / "small.png")
for name, options in eval(sys.argv[2]):
    app = ResizeApp([str(folder / name)], folder / "out", ResizeOptions(**options))
    (task,) = app.plan(Blank())
    settings = ResizeOptions(**options).settings()
    for target in task.payload.targets:  # what is loaded once is not the picture's
        develop(str(folder / "small.png"), [Target("small", 0, target.format)], folder / "out", settings)
    open("/proc/self/clear_refs", "w").write("5")
    before = memory("VmRSS")
    develop(task.payload.source, task.payload.targets, folder / "out", settings)
    print(name, task.memory, memory("VmHWM") - before)
"""
"""Prints for each picture what was estimated, and by how much the process grew at most."""

RUNS: list[tuple[str, dict[str, Any]]] = [
    ("plain.jpg", {"format": "png"}),
    ("progressive.jpg", {"size": "400x400"}),
    ("plain.jpg", {"size": "400x400", "linear": True}),
    ("clear.png", {"format": "webp"}),
    ("clear.png", {"size": "400x400"}),
    ("clear.png", {"rotate": 30}),
    ("clear.webp", {"size": "400x400", "format": "jpeg"}),
    ("plain.gif", {"size": "400x400"}),
    ("plain.tif", {"op": ("blur",), "format": "jpeg"}),
    ("plain.avif", {"size": "400x400", "format": "jpeg"}),
]


@pytest.mark.skipif(sys.platform != "linux", reason="needs the memory that a process took")
def test_estimate_against_what_is_taken(tmp_path: Path) -> None:
    """It is enough, and not ten times too much."""
    picture = photo(300, 200).resize((1800, 1200))
    clear = picture.copy()
    clear.putalpha(picture.getchannel("R"))
    saved(picture, tmp_path / "plain.jpg")
    saved(picture, tmp_path / "progressive.jpg", progressive=True)
    saved(clear, tmp_path / "clear.png", compress_level=1)
    saved(clear, tmp_path / "clear.webp", method=0)
    saved(picture.quantize(64, dither=Image.Dither.NONE), tmp_path / "plain.gif")
    saved(picture, tmp_path / "plain.tif")
    saved(picture, tmp_path / "plain.avif", speed=10)
    measured = [sys.executable, "-c", _MEASURED, str(tmp_path), repr(RUNS)]
    done = subprocess.run(measured, capture_output=True, text=True, timeout=50, check=True)
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == [name for name, _ in RUNS]
    for (name, options), (_, estimated, taken) in zip(RUNS, lines, strict=True):
        assert int(taken) < int(estimated) < 10 * int(taken) + 20_000_000, (name, options, estimated, taken)


def test_estimate_of_several_sizes(tmp_path: Path) -> None:
    """All sizes are in memory together, and one is encoded at a time."""
    source = saved(photo(300, 200), tmp_path / "a.png")
    small, large, both = (_memory(source, sizes=sizes) for sizes in ("150", "300", "150,300"))
    assert small < large < both < small + large


def test_estimate_of_jpeg_xl(tmp_path: Path) -> None:
    """Its size is in its header, too."""
    pytest.importorskip("pillow_jxl")
    source = saved(photo(300, 200), tmp_path / "a.jxl", effort=1, num_threads=0)
    assert _memory(source) == _memory(saved(photo(300, 200), tmp_path / "a.png"), format="jxl") + 300 * 200 * (14 - 10)


def _memory(source: Path, **options: Any) -> int:
    app = ResizeApp([str(source)], source.parent / "out", ResizeOptions(**options, enlarge=True))
    (task,) = app.plan(Blank())
    assert isinstance(task, Task)
    return task.memory
