"""What is taken of a picture for each size, and what engines are asked for so that it comes about."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from tests.apps.resize.making import BLUE, GREEN, RED, WHITE, array, corners, near, one, photo, run, saved, stored
from toolkit.apps.resize.geometry import Box, Geometry
from toolkit.apps.resize.placing import pieces
from toolkit.apps.resize.settings import Shape
from toolkit.apps.resize.subject import Subject
from toolkit.core.task import Success


def _subject(size: tuple[int, int], turn: int = 1) -> Subject:
    return Subject("", io.BytesIO(), Image.new("L", (1, 1)), size, Image.Exif(), "", turn, range(1))


def _box(width: int, height: int) -> Geometry:
    return Geometry(Box(width, height), label="")


@pytest.mark.parametrize("turn", range(1, 9))
def test_part_is_as_stored(turn: int) -> None:
    """Engines know nothing of turns: they are asked for the place and size that the pixels are stored at."""
    across = turn >= 5
    subject = _subject((400, 600) if across else (600, 400), turn)
    (piece,) = pieces(subject, Shape((_box(100, 50),), "cover"))
    part = piece.part(subject)
    assert piece.layout.size == (100, 50)
    assert part.size == ((50, 100) if across else (100, 50))
    assert part.region == ((50.0, 0.0, 350.0, 600.0) if across else (0.0, 50.0, 600.0, 350.0))


def test_pieces_of_an_area() -> None:
    """Of what trimming left, places count from its corner."""
    subject = _subject((600, 400))
    (piece,) = pieces(subject, Shape((_box(100, 100),), "cover"), (100.0, 50.0, 400.0, 250.0))
    assert piece.area == (150.0, 50.0, 350.0, 250.0)
    assert piece.layout.region == (50.0, 0.0, 250.0, 200.0)


@pytest.mark.parametrize(("wanted", "scaled"), [((60, 60), (85, 57)), ((600, 600), (600, 400))])
def test_pieces_turned_by_an_angle_are_scaled_before(wanted: tuple[int, int], scaled: tuple[int, int]) -> None:
    """To twice what is wanted, so that turning blurs less; never up."""
    subject = _subject((600, 400))
    (piece,) = pieces(subject, Shape((_box(*wanted),), angle=45.0))
    assert piece.area == (0.0, 0.0, 600.0, 400.0)
    assert piece.part(subject).size == pytest.approx(scaled, abs=17)


@pytest.mark.parametrize(
    ("fit", "size", "shown"),
    [
        ("contain", (60, 40), None),
        ("inside", (60, 40), None),
        ("cover", (60, 60), (30, 0, 90, 80)),
        ("outside", (90, 60), None),
        ("stretch", (60, 60), None),
        ("pad", (60, 60), None),
    ],
)
def test_every_fit(tmp_path: Path, engine: str, fit: Any, size: tuple[int, int], shown: Any) -> None:
    """The four quarters of a picture are where each fit puts them."""
    source = saved(corners(), tmp_path / "a.png")
    image, _ = one(source, tmp_path / "out", size="60x60", fit=fit, background="#808080", engine=engine)
    assert image.size == size
    top = 10 if fit == "pad" else 0
    for x, y, colour in ((3, top + 3, RED), (-4, top + 3, GREEN), (3, -4 - top, BLUE), (-4, -4 - top, WHITE)):
        assert near(array(image)[y, x], colour, 2), (fit, x, y)
    if fit == "pad":
        assert near(array(image)[[4, -5], 30], (128, 128, 128), 0)
    if shown:
        assert abs(int((array(image)[3, :, 0] > 128).sum()) - 30) <= 1


@pytest.mark.parametrize("fit", ["contain", "cover", "outside", "stretch", "pad"])
def test_no_fit_enlarges_unasked(tmp_path: Path, engine: str, fit: Any) -> None:
    """Pixels are never made up: a small picture stays, or is cut to the shape, or gets a wider margin."""
    source = saved(corners(30, 20), tmp_path / "a.png")
    image, _ = one(source, tmp_path / "o1", size="100x100", fit=fit, engine=engine)
    assert image.size == {"cover": (20, 20), "pad": (100, 100)}.get(fit, (30, 20))
    crisp = np.unique(array(image, "RGB").reshape(-1, 3), axis=0)
    assert len(crisp) == 4
    large, _ = one(source, tmp_path / "o2", size="100x100", fit=fit, enlarge=True, engine=engine)
    assert max(large.size) >= 100


def test_several_sizes_and_formats_from_one_decoding(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is what it would be by itself, and the file is decoded once."""
    source = stored(6, tmp_path / "a.jpg", photo(300, 200), quality=95)
    decoded = _spy(monkeypatch, engine)
    (done,) = run([source], tmp_path / "all", sizes="150,90x90,40", formats="png,webp", lossless=True, engine=engine)
    assert isinstance(done, Success)
    assert len(done.value.outputs) == 6
    assert len(decoded) == 1
    for output in done.value.outputs:
        with Image.open(tmp_path / "all" / output.name) as image:
            size = f"{image.width}x{image.height}!"
            alone, _ = one(source, tmp_path / "alone" / size, size=size, format="png", engine=engine)
            error = np.abs(array(image, "RGB") - array(alone, "RGB"))
            assert error.mean() < 1.5, output.name


def _spy(monkeypatch: pytest.MonkeyPatch, engine: str) -> list[object]:
    """Return a list that gets an entry each time this engine decodes a JPEG."""
    decoded: list[object] = []
    where: Any = JpegImagePlugin.JpegImageFile
    if engine == "vips":
        from toolkit.apps.resize.engines import _vips as where
    name = "load" if engine == "vips" else "load_prepare"
    original = getattr(where, name)

    def spy(*args: Any, **options: Any) -> Any:
        decoded.append(args[0])
        return original(*args, **options)

    monkeypatch.setattr(where, name, spy)
    return decoded
