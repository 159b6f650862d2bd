"""Operations that mix the channels of a pixel: matrices and tables of three dimensions."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from toolkit.apps.resize.colour_words import Colour
from toolkit.apps.resize.operations.cube import Cube, cube_of
from toolkit.apps.resize.operations.files import File
from toolkit.apps.resize.operations.steps import (
    LEVELS,
    LUMA,
    Step,
    by_table,
    by_tables,
    coloured,
    grey,
    to_level,
    with_alpha_of,
    without_alpha,
)

_Rows = Sequence[Sequence[float]]

_GREY = (LUMA, LUMA, LUMA)
_IDENTITY = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
_SEPIA = ((0.393, 0.769, 0.189), (0.349, 0.686, 0.168), (0.272, 0.534, 0.131))


def grayscale(_: Sequence[Image.Image]) -> Step:
    """Keep the luma alone."""
    return grey


def threshold(_: Sequence[Image.Image], level: int) -> Step:
    """Make greys from the level on white, others black."""
    cut = by_table([255 if value >= level else 0 for value in LEVELS])
    return lambda image: cut(grey(image))


def saturation(_: Sequence[Image.Image], factor: float) -> Step:
    """Move each pixel away from its grey, or towards it."""
    toned = _by_matrix(_mixed(_IDENTITY, _GREY, factor))
    return lambda image: image if image.mode in {"L", "LA"} else toned(image)


def sepia(_: Sequence[Image.Image], amount: float) -> Step:
    """Mix with the tone of an old print."""
    return _by_matrix(_mixed(_SEPIA, _IDENTITY, amount))


def tint(_: Sequence[Image.Image], colour: Colour, amount: float) -> Step:
    """Mix with the grey of each pixel in the colour."""
    tone = [[weight * part / 255 for weight in LUMA] for part in colour[:3]]
    return _by_matrix(_mixed(tone, _IDENTITY, amount))


def lut(_: Sequence[Image.Image], file: File) -> Step:
    """Look each colour up in the table of a .cube file; grey stays grey where a 1D table has one curve for all."""
    cube = cube_of(file)
    if cube.dimensions == 1:
        red, green, blue = ([to_level(255 * value) for value in cube.curve(channel)] for channel in range(3))
        return by_table(red) if red == green == blue else by_tables((red, green, blue))
    return _by_lattice(cube)


def _by_lattice(cube: Cube) -> Step:
    from PIL import ImageFilter

    look_up = ImageFilter.Color3DLUT(cube.size, cube.rows, _copy_table=False)
    return lambda image: coloured(image).filter(look_up)


def _by_matrix(rows: _Rows) -> Step:
    matrix = tuple(number for row in rows for number in (*row, 0.0))

    def tone(image: Image.Image) -> Image.Image:
        return with_alpha_of(image, without_alpha(coloured(image)).convert("RGB", matrix))

    return tone


def _mixed(most: _Rows, rest: _Rows, share: float) -> _Rows:
    return [
        [share * one + (1 - share) * other for one, other in zip(row, others, strict=True)]
        for row, others in zip(most, rest, strict=True)
    ]
