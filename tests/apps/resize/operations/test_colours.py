"""Matrices and colour tables have known answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.apps.resize.making import array, near, photo
from tests.apps.resize.operations.doing import done, sample


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("grayscale", (255, 0, 0), (76, 76, 76)),
        ("grayscale", (0, 255, 0), (150, 150, 150)),
        ("grayscale", (0, 0, 255), (29, 29, 29)),
        ("sepia", (255, 255, 255), (255, 255, 239)),
        ("sepia", (100, 100, 100), (135, 120, 94)),
        ("sepia:0", (10, 20, 30), (10, 20, 30)),
        ("sepia:0.5", (100, 100, 100), (118, 110, 97)),
        ("saturation:1", (10, 20, 30), (10, 20, 30)),
        ("saturation:0", (255, 0, 0), (76, 76, 76)),
        ("saturation:2", (100, 120, 140), (84, 124, 164)),
        ("saturation:5", (100, 100, 100), (100, 100, 100)),
        ("tint:red,0", (10, 20, 30), (10, 20, 30)),
        ("tint:red,1", (255, 255, 255), (255, 0, 0)),
        ("tint:#ff8000,1", (100, 100, 100), (100, 50, 0)),
        ("tint:#ff8000,0.5", (200, 200, 200), (200, 150, 100)),
        ("tint:#ff8000,1", (0, 255, 0), (150, 75, 0)),
        ("threshold", (127, 127, 127), (0, 0, 0)),
        ("threshold", (128, 128, 128), (255, 255, 255)),
        ("threshold:77", (255, 0, 0), (0, 0, 0)),
        ("threshold:76", (255, 0, 0), (255, 255, 255)),
        ("threshold:0", (0, 0, 0), (255, 255, 255)),
        ("threshold:256", (255, 255, 255), (0, 0, 0)),
    ],
)
def test_colour_when_mixed(text: str, before: tuple[int, ...], after: tuple[int, ...]) -> None:
    """Known answers, with and without alpha."""
    assert near(array(done(Image.new("RGB", (9, 7), before), text), "RGB"), after, 1)
    clear = done(Image.new("RGBA", (9, 7), (*before, 200)), text)
    assert near(array(clear, "RGBA"), (*after, 200), 1)


@pytest.mark.parametrize("text", ["grayscale", "threshold"])
def test_grey_when_it_comes_of_colour(text: str) -> None:
    """What is grey by its nature is stored as grey."""
    assert done(sample("RGB"), text).mode == "L"
    assert done(sample("RGBA"), text).mode == "LA"


def test_saturation_on_grey() -> None:
    """Grey has no colours to strengthen, and stays grey."""
    assert done(sample("LA"), "saturation:3").tobytes() == sample("LA").tobytes()


def _lut(folder: Path, *lines: str) -> str:
    path = folder / "table.cube"
    path.write_text("\n".join(lines))
    return f"lut:{path}"


def test_lut_of_one_dimension(tmp_path: Path) -> None:
    """Each channel has its curve, drawn straight between the rows; alpha has none."""
    text = _lut(tmp_path, "LUT_1D_SIZE 3", "0 1 0", "0.5 0.5 1", "1 0 1")
    image = Image.new("RGBA", (2, 2), (51, 51, 51, 77))
    assert done(image, text).getpixel((0, 0)) == (51, 204, 102, 77)
    assert done(image.convert("L"), text).mode == "RGB"


def test_lut_of_one_dimension_when_all_curves_are_one(tmp_path: Path) -> None:
    """Grey stays grey."""
    result = done(Image.new("L", (2, 2), 51), _lut(tmp_path, "LUT_1D_SIZE 2", "1 1 1", "0 0 0"))
    assert result.mode == "L"
    assert result.getpixel((0, 0)) == 204


def test_lut_of_three_dimensions(tmp_path: Path) -> None:
    """Colours between the points of the lattice are the trilinear mean of the eight around, as computed by numpy."""
    size = 4
    lattice = np.random.default_rng(3).uniform(0, 1, (size, size, size, 3))  # by blue, green, red
    text = _lut(tmp_path, f"LUT_3D_SIZE {size}", *(" ".join(f"{v:.9f}" for v in row) for row in lattice.reshape(-1, 3)))
    image = photo(60, 40)
    assert np.abs(array(done(image, text)) - _trilinear(lattice, array(image))).max() <= 1
    clear = sample("RGBA")
    wanted = _trilinear(lattice, array(clear)[..., :3])
    assert np.abs(array(done(clear, text))[..., :3] - wanted).max() <= 1


def test_lut_when_its_domain_is_another(tmp_path: Path) -> None:
    """The domain says which levels the first and the last point stand for, for each channel."""
    rows = [f"{red} {green} {blue}" for blue in (0, 1) for green in (0, 1) for red in (0, 1)]
    domain = ["DOMAIN_MIN 0 -1 0.2", "DOMAIN_MAX 2 1 0.6"]
    text = _lut(tmp_path, "LUT_3D_SIZE 2", *domain, *rows)
    image = Image.new("RGB", (2, 2), (102, 51, 102))
    assert near(array(done(image, text)), (51, 153, 128), 1)  # 0.4/2, (0.2+1)/2, (0.4-0.2)/0.4
    assert near(array(done(Image.new("RGB", (2, 2), (255, 0, 255)), text)), (128, 128, 255), 1)
    curve = _lut(tmp_path, "LUT_1D_SIZE 2", *domain, "0 0 0", "1 1 1")
    assert done(image, curve).getpixel((0, 0)) == (51, 153, 128)


def test_lut_when_its_numbers_leave_the_scale(tmp_path: Path) -> None:
    """What lies beyond black and white is cut off."""
    corners = [f"{red * 1e6} {green * -1e6} {blue * 2 - 0.5}" for blue in (0, 1) for green in (0, 1) for red in (0, 1)]
    image = Image.new("RGB", (2, 2), (255, 255, 128))
    assert near(array(done(image, _lut(tmp_path, "LUT_3D_SIZE 2", *corners))), (255, 0, 128), 1)
    curves = _lut(tmp_path, "LUT_1D_SIZE 2", "-1e6 0 -0.5", "1e6 -1e6 1.5")
    assert near(done(image, curves).getpixel((0, 0)), (255, 0, 128), 1)


def _trilinear(lattice: np.ndarray[Any, Any], pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Interpolate in float: the lattice by blue, green, red; pixels of 0 to 255."""
    at = pixels / 255 * (len(lattice) - 1)
    below = np.minimum(at.astype(int), len(lattice) - 2)
    rest = at - below
    total = np.zeros(pixels.shape)
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod([rest[..., part] if corner[part] else 1 - rest[..., part] for part in range(3)], axis=0)
        red, green, blue = (below[..., part] + corner[part] for part in range(3))
        total += weight[..., None] * lattice[blue, green, red]
    return total * 255
