"""The pictures that resizers are raced on: made once from real photographs, and kept for the next time."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image, ImageDraw, ImageFilter

from toolkit.core.errors import UsageError

WALLPAPERS = Path("/usr/share/wallpapers")
"""Where Debian's plasma-workspace-wallpapers has some thirty pictures, each in several sizes."""
SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
MADE_JPEG = 92
"""The quality of photographs that are no JPEGs as they are found."""
ALPHA_SIDE = 1920
ICON_SIDES = range(64, 129, 8)
ICON_KINDS = 250
"""Icons that differ; the others are copies."""

Shelf = Literal["photos", "mixed", "alpha", "icons"]


@dataclass(frozen=True, slots=True)
class Lot:
    """How many pictures a shelf has, and in a quick run. many: whether runs' files are kept to the end."""

    count: int
    quick: int
    many: bool = False


SHELVES: dict[Shelf, Lot] = {
    "photos": Lot(100, 4),
    "mixed": Lot(60, 4),
    "alpha": Lot(60, 4),
    "icons": Lot(5000, 40, many=True),
}


def found(folder: Path | None) -> list[Path]:
    """Return the photographs below a folder, or of Debian's wallpapers the largest file of each.

    Raises UsageError, with what to do, where there are none.
    """
    if folder is not None:
        if photos := sorted(_pictures(folder)):
            return photos
        raise UsageError(f"--photos {folder}: there are no JPEG or PNG files below it")
    groups = (sorted(_pictures(each)) for each in sorted(WALLPAPERS.glob("*")) if each.is_dir())
    if photos := [max(group, key=lambda path: path.stat().st_size) for group in groups if group]:
        return photos
    raise UsageError("there are no photographs: apt install plasma-workspace-wallpapers, or name a folder by --photos")


def kinds_of(shelf: Shelf, photos: list[Path]) -> int:
    """Return how many pictures of a shelf differ from each other; those after them are copies."""
    return ICON_KINDS if shelf == "icons" else len(photos)


def build(place: Path, shelf: Shelf, photos: list[Path], count: int) -> list[Path]:
    """Return so many pictures, in a folder of their own that is made if need be.

    Each name begins with a number of its own, so that results can be matched with what they were made from.
    """
    of = hashlib.sha256("\n".join(f"{path} {path.stat().st_size}" for path in photos).encode()).hexdigest()[:8]
    folder = place / f"{shelf}-{count}-{of}"
    folder.mkdir(parents=True, exist_ok=True)
    kinds = min(count, kinds_of(shelf, photos))
    paths: list[Path] = []
    for number in range(count):
        if number < kinds:
            source = photos[number % len(photos)]
            suffix = {"photos": ".jpg", "mixed": source.suffix}.get(shelf, ".png")
            path = folder / f"{number:04}-{_short(source)}{suffix}"
        else:
            source = paths[number % kinds]
            path = folder / f"{number:04}-{source.name[5:]}"
        if not path.exists():
            _make(shelf if number < kinds else "mixed", number, source, path)
        paths.append(path)
    return paths


def _pictures(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.suffix.lower() in SUFFIXES and path.is_file() and path.name != "screenshot.png":
            yield path


def _short(source: Path) -> str:
    """Return a name for a photograph: of a wallpaper its own, which is that of a folder."""
    name = source.relative_to(WALLPAPERS).parts[0] if source.is_relative_to(WALLPAPERS) else source.stem
    return "".join(letter for letter in name if letter.isalnum())[:40]


def _make(shelf: Shelf, number: int, source: Path, path: Path) -> None:
    beside = path.with_name(f".{path.name}")
    if shelf == "mixed" or (shelf == "photos" and source.suffix.lower() != ".png"):
        shutil.copyfile(source, beside)
    else:
        with Image.open(source) as image:
            rgb = image.convert("RGB")
        if shelf == "photos":
            rgb.save(beside, "JPEG", quality=MADE_JPEG)
        else:
            (_faded(rgb) if shelf == "alpha" else _icon(rgb, number)).save(beside, "PNG")
    beside.replace(path)


def _faded(rgb: Image.Image) -> Image.Image:
    """Return a photograph with a soft edge, wholly transparent outside, where its colours stay."""
    rgb.thumbnail((ALPHA_SIDE, ALPHA_SIDE))
    alpha = Image.new("L", rgb.size, 0)
    margin = min(rgb.size) // 10
    box = (margin, margin, rgb.width - margin, rgb.height - margin)
    ImageDraw.Draw(alpha).rounded_rectangle(box, radius=3 * margin, fill=255)
    rgb.putalpha(alpha.filter(ImageFilter.GaussianBlur(margin / 3)))
    return rgb


def _icon(rgb: Image.Image, number: int) -> Image.Image:
    """Return a piece of a photograph as an icon with round corners; another piece and size for each number."""
    side = ICON_SIDES[number % len(ICON_SIDES)]
    left, top = (number * 97) % max(1, rgb.width - 4 * side), (number * 61) % max(1, rgb.height - 4 * side)
    icon = rgb.crop((left, top, left + 4 * side, top + 4 * side)).resize((side, side), Image.Resampling.LANCZOS)
    corners = Image.new("L", (4 * side, 4 * side), 0)
    ImageDraw.Draw(corners).rounded_rectangle((0, 0, 4 * side - 1, 4 * side - 1), radius=side, fill=255)
    icon.putalpha(corners.resize((side, side), Image.Resampling.BOX))
    return icon
