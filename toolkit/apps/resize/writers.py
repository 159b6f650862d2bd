"""Each format's way of being told what to write; one function a format, one picture or film a call."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

from PIL import Image, ImageFile

from toolkit.apps.resize import animate, codecs, metadata
from toolkit.apps.resize.animate import Film
from toolkit.apps.resize.formats import Format
from toolkit.apps.resize.metadata import Said
from toolkit.apps.resize.recipe import FULL_COLOUR, Recipe

_PNG_LEVEL = {"fast": 1, "usual": 4, "best": 9}
_WEBP_METHOD = {"fast": 2, "usual": 4, "best": 6}
_WEBP_TRYING = {"fast": 20, "usual": 40, "best": 80}
"""What libwebp calls quality where nothing is lost: 80 takes twice the time of 40, for 0.2 % fewer bytes."""
_AVIF_SPEED = {"fast": 9, "usual": 8, "best": 5}
_HEIC_PRESET = {"fast": "ultrafast", "usual": "ultrafast", "best": "slow"}
_JXL_EFFORT = {"fast": 1, "usual": 3, "best": 7}
_HEIC_CHROMA = {None: 420, "4:2:0": 420, "4:2:2": 422, "4:4:4": 444}

LEAST_BITS, MOST_BITS = 5, 8
"""Of a GIF's palette: its level, so that fewer colours can make fewer bytes."""


@dataclass(frozen=True, slots=True)
class Around:
    """What is written around the pixels: the profile they are in, and what is said of them."""

    icc: bytes
    said: Said


def write(film: Film, recipe: Recipe, level: int, file: IO[bytes], around: Around) -> None:
    """Write frames of a mode that the format has. level: the quality; for a GIF, the bits of its palettes."""
    _WRITERS[recipe.format](film, recipe, level, file, around)


def _write_jpeg(film: Film, recipe: Recipe, level: int, file: IO[bytes], around: Around) -> None:
    image = film.frames[0]
    subsampling = recipe.subsampling or ("4:4:4" if level >= FULL_COLOUR else "4:2:0")
    small = recipe.effort == "best"
    options = {"quality": level, "subsampling": subsampling, "icc_profile": around.icc}
    if small or recipe.progressive:
        options |= {"optimize": True, "progressive": True}
        _make_room(image)
    image.save(file, "JPEG", **options, **metadata.for_jpeg(around.said))


def _write_png(film: Film, recipe: Recipe, _level: int, file: IO[bytes], around: Around) -> None:
    options = {"compress_level": _PNG_LEVEL[recipe.effort], "pnginfo": metadata.for_png(around.said)}
    film.frames[0].save(file, "PNG", **options, **animate.png_timing(film), **_tags(around))


def _write_webp(film: Film, recipe: Recipe, level: int, file: IO[bytes], around: Around) -> None:
    options = {"method": _WEBP_METHOD[recipe.effort], "xmp": around.said.xmp}
    options |= {"lossless": True, "quality": _WEBP_TRYING[recipe.effort]} if recipe.lossless else {"quality": level}
    film.frames[0].save(file, "WEBP", **options, **animate.webp_timing(film), **_tags(around))
    if len(film.frames) > 1 and film.frames[0].mode == "RGBA":
        animate.mark_alpha(file)


def _write_avif(film: Film, recipe: Recipe, level: int, file: IO[bytes], around: Around) -> None:
    # One thread: the models run as many pictures at once as there are processors.
    options = {"quality": level, "speed": _AVIF_SPEED[recipe.effort], "max_threads": 1, "xmp": around.said.xmp}
    if film.frames[0].mode != "L":
        options["subsampling"] = recipe.subsampling or "4:2:0"
    film.frames[0].save(file, "AVIF", **options, **animate.avif_timing(film), **_tags(around))


def _write_gif(film: Film, _recipe: Recipe, level: int, file: IO[bytes], around: Around) -> None:
    palettes = animate.as_palettes(film, 1 << level)
    palettes.frames[0].save(file, "GIF", comment=around.said.comment, **animate.gif_timing(palettes))


def _write_tiff(film: Film, _recipe: Recipe, _level: int, file: IO[bytes], around: Around) -> None:
    # By way of memory, because libtiff's own writing hides why it failed: a full disk must be told apart.
    memory = io.BytesIO()
    # Pillow cannot write both compressed pixels and a directory of EXIF details: what is said is worth more.
    compression = "raw" if around.said.details else "tiff_adobe_deflate"
    exif = metadata.for_tiff(around.said)
    tags = {"exif": exif} if exif else {}
    film.frames[0].save(memory, "TIFF", compression=compression, icc_profile=around.icc or None, **tags)
    file.write(memory.getbuffer())


def _write_heic(film: Film, recipe: Recipe, level: int, file: IO[bytes], around: Around) -> None:
    codecs.require("heic")
    # x265 would start a thread for each processor; the models have already started as many pictures.
    tuning = {"preset": _HEIC_PRESET[recipe.effort], "x265:pools": "none"}
    options: dict[str, Any] = {"quality": level, "chroma": _HEIC_CHROMA[recipe.subsampling], "enc_params": tuning}
    if recipe.lossless:  # the identity matrix: RGB as it is, and not as YCbCr, which rounds (ITU-T H.273, 8.3)
        options |= {"quality": -1, "chroma": 444, "matrix_coefficients": 0}
    said = {"exif": around.said.exif or None, "xmp": around.said.xmp or None}
    film.frames[0].save(file, "HEIF", **options, **said, icc_profile=around.icc or None)


def _write_jxl(film: Film, recipe: Recipe, level: int, file: IO[bytes], around: Around) -> None:
    codecs.require("jxl")
    lossless = recipe.lossless or level == 100  # noqa: PLR2004 - what libjxl means by 100, and its plugin cannot say
    options = {"effort": _JXL_EFFORT[recipe.effort], "num_threads": 0, "lossless_jpeg": False}
    options |= {"lossless": True} if lossless else {"quality": level}
    said = {"exif": around.said.exif, "xmp": around.said.xmp or None}
    film.frames[0].save(file, "JXL", **options, **said)


def _tags(around: Around) -> dict[str, Any]:
    # None, or writers would take what the image remembers of the file that it was read from.
    icc = {"icc_profile": around.icc or None}
    return icc | ({"exif": around.said.exif} if around.said.exif else {})


def _make_room(image: Image.Image) -> None:
    """Have Pillow take a buffer in which even noise fits, which a progressive JPEG must in one piece.

    Its own guess is a byte for each pixel, and sharp, fine grain needs more. It takes the larger of its guess and this
    number, which is one for the whole process, so it is only ever raised.
    """
    ImageFile.MAXBLOCK = max(ImageFile.MAXBLOCK, 4 * image.width * image.height)


_WRITERS: dict[Format, Callable[[Film, Recipe, int, IO[bytes], Around], None]] = {
    "jpeg": _write_jpeg,
    "png": _write_png,
    "webp": _write_webp,
    "avif": _write_avif,
    "gif": _write_gif,
    "tiff": _write_tiff,
    "heic": _write_heic,
    "jxl": _write_jxl,
}
