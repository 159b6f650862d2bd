"""Make docs/pictures/: each cell is what `toolkit resize` makes of a sample picture with the options under it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from toolkit.apps.resize import sheet
from toolkit.apps.resize.operations.catalogue import OPERATIONS

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "samples" / "pictures"
FOLDER = ROOT / "docs" / "pictures"

ARGUMENTS = {
    "sharpen": ":3",
    "unsharp": ":3,200",
    "median": ":9",
    "brightness": ":1.5",
    "contrast": ":1.6",
    "saturation": ":2",
    "gamma": ":1.8",
    "posterize": ":2",
    "vignette": ":0.9",
    "tint": ":#0a84ff",
    "lut": ":cool.cube",
    "border": ":8,#8b5a2b",
    "watermark": ":horse.png,scale=0.5",
    "text": ":toolkit,size=20%",
}
"""What operations are shown with, where their usual values can hardly be seen on a small picture, or there are none."""

COOL = "LUT_1D_SIZE 2\n0.05 0.1 0.25\n0.85 0.95 1\n"


@dataclass(frozen=True, slots=True)
class Plate:
    """One picture of the docs: a sample, the options that all cells share, and those of each cell, its label too."""

    sample: str
    shared: str
    cells: tuple[str, ...]
    columns: int = 5


PLATES = {
    "fits": Plate(
        "coffee.jpg",
        "--size 160x160 --background #f0c419",
        tuple(f"--fit {fit}" for fit in ("contain", "cover", "stretch", "pad", "outside")),
    ),
    "cuts": Plate(
        "rocket.jpg",
        "--size 90x160 --fit cover",
        ("--gravity west", "--gravity center", "--gravity east", "--focus 0.4,0.5", "--crop smart"),
    ),
    "operations": Plate(
        "coffee.jpg",
        "--size 180x180 --op",
        tuple(f"{name}{ARGUMENTS.get(name, '')}" for name in OPERATIONS),
        columns=6,
    ),
}


def main() -> None:
    """Make them all."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        shutil.copytree(SAMPLES, place / "photos")
        shutil.copy(SAMPLES / "horse.png", place)
        (place / "cool.cube").write_text(COOL)
        for title, plate in PLATES.items():
            shown = [(label, made(place, plate, label)) for label in plate.cells]
            sheet.write(FOLDER / f"{title}.webp", shown, columns=plate.columns)
        run(place, "photos", "-o", "small", "--size", "400x400", "--contact-sheet", str(FOLDER / "sheet.webp"))
        if chromium := shutil.which("chromium"):
            screenshot(place, chromium)


def made(place: Path, plate: Plate, label: str) -> Path:
    """Return what becomes of the plate's sample with these options."""
    out = Path(tempfile.mkdtemp(dir=place))
    run(place, f"photos/{plate.sample}", "-o", str(out), *plate.shared.split(), *label.split())
    return out / plate.sample


def run(place: Path, *arguments: str) -> None:
    """Run `toolkit resize` in a folder."""
    command = [sys.executable, "-m", "toolkit", "resize", *arguments, "--quiet", "--model", "threads"]
    subprocess.run(command, cwd=place, check=True)


def screenshot(place: Path, chromium: str) -> None:
    """Take a picture of the report's page."""
    run(place, "photos", "-o", "web", "--size", "360x", "--filter", "sepia", "--report", "report.html")
    page = (place / "report.html").as_uri()
    options = ("--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1000,900", "--screenshot=report.png")
    subprocess.run([chromium, *options, page], cwd=place, check=True, capture_output=True)
    run(place, "report.png", "-o", str(place / "shot"), "--format", "webp")
    shutil.copy(place / "shot" / "report.webp", FOLDER)


if __name__ == "__main__":
    main()
