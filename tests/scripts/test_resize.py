"""The benchmark of resizing from end to end: a quick run of one row, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

SCRIPT = Path(__file__).parents[2] / "scripts" / "benchmarks" / "resize.py"


def bench(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the benchmark."""
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder with a photograph."""
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.effect_noise((400, 300), 60).convert("RGB").save(folder / "noise.jpg")
    return folder


def test_quick_run(tmp_path: Path, photos: Path) -> None:
    """Ours has a figure and a quality, options and all are kept, and runs leave nothing."""
    scratch, figures = tmp_path / "scratch", tmp_path / "figures.json"
    options = ("--quick", "--rows", "icons", "--tools", "toolkit pillow", "--photos", photos)
    done = bench(*options, "--scratch", scratch, "--json", figures, "--seed", 5)
    assert done.returncode == 0, done.stderr
    assert "### icons: 40 icons of 64 to 128 pixels into 48×48, PNG" in done.stdout
    kept = json.loads(figures.read_text())
    tool = kept["rows"][0]["tools"][0]
    assert (kept["seed"], tool["options"], tool["wrong"]) == (5, "`--engine pillow`", "")
    assert tool["quality"]["psnr"] > 40
    assert [path.name for path in sorted(scratch.iterdir()) if path.is_dir()] == ["home", "pictures"]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--rows", "photo"], "error: --rows photo: choose from photos, mixed"),
        (["--tools", "nobody"], "error: --tools nobody: none of these rows has such a tool; they have"),
        (["--sharp", "."], "error: --sharp .: sharp is not there; run `npm install sharp` in that folder"),
        (["--runs", "9999999"], "GB are missing; ask for fewer --rows"),
    ],
)
def test_wrong_usage(tmp_path: Path, photos: Path, options: list[str], complaint: str) -> None:
    """One line says what is wrong, and nothing is made."""
    done = bench(*options, "--photos", photos, "--scratch", tmp_path / "scratch")
    assert done.returncode == 2
    assert complaint in done.stderr
    assert not (tmp_path / "scratch" / "pictures").exists()
