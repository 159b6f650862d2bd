"""From pixels to a file of each format: as told, or as small or as alike as told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

from PIL import Image

from toolkit.apps.resize import fitting, metadata, writers
from toolkit.apps.resize.animate import Film
from toolkit.apps.resize.formats import ANIMATED, Format
from toolkit.apps.resize.geometry import Size
from toolkit.apps.resize.metadata import Said
from toolkit.apps.resize.modes import DEEP, flattened, narrowed
from toolkit.apps.resize.recipe import Recipe
from toolkit.apps.resize.warned import note
from toolkit.apps.resize.writers import Around
from toolkit.core.errors import FailureKind, TaskError

__all__ = ["Recipe", "Wrapping", "Written", "encode"]

_MODES: dict[Format, frozenset[str]] = {
    "jpeg": frozenset({"L", "RGB"}),
    "png": frozenset({"L", "LA", "RGB", "RGBA", DEEP}),
    "webp": frozenset({"RGB", "RGBA"}),
    "avif": frozenset({"L", "RGB", "RGBA"}),
    "gif": frozenset({"L", "RGB", "RGBA"}),
    "tiff": frozenset({"L", "LA", "RGB", "RGBA", DEEP}),
    "heic": frozenset({"L", "RGB", "RGBA"}),
    "jxl": frozenset({"L", "LA", "RGB", "RGBA", DEEP}),
}
_WIDER = {"L": "RGB", "LA": "RGBA"}


@dataclass(frozen=True, slots=True)
class Wrapping:
    """What is around the pixels: the colour under transparency, the profile they are in, and what is said of them."""

    background: tuple[int, int, int] = (255, 255, 255)
    icc: bytes = b""
    said: Said = field(default_factory=Said)


@dataclass(frozen=True, slots=True)
class Written:
    """What was written. quality: None where there is none. ssim: of the worst frame looked at, if it was asked for."""

    bytes: int
    width: int
    height: int
    frames: int
    quality: int | None
    ssim: float | None


def encode(film: Film, recipe: Recipe, file: IO[bytes], wrapping: Wrapping) -> Written:
    """Write the frames to a real, empty file; raises OSError for what the file system refuses, TaskError encode else.

    A real file, because Pillow's encoders release the GIL only for one.
    """
    if len(film.frames) > 1 and recipe.format not in ANIMATED:
        note(f"only the first of {len(film.frames)} frames was kept")
        film = Film(film.frames[:1])
    if recipe.format == "webp" and recipe.is_lossy and recipe.subsampling not in {None, "4:2:0"}:
        note(f"webp always has a quarter of the colour (4:2:0), not {recipe.subsampling}")
    film = Film([_as_mode(frame, recipe.format, wrapping) for frame in film.frames], film.durations, film.plays)

    def around(size: Size) -> Around:
        return Around(wrapping.icc, metadata.sized(wrapping.said, size))

    with _refusals(recipe.format):
        if recipe.max_bytes is None and (recipe.ssim is None or not recipe.is_lossy):
            level, ssim = fitting.usual(recipe), None
            writers.write(film, recipe, level, file, around(film.frames[0].size))
        else:
            fitted = fitting.fitted(film, recipe, around, wrapping.background)
            film, level, ssim = fitted.film, fitted.level, fitted.ssim
            file.write(fitted.data)
    width, height = film.frames[0].size
    quality = level if recipe.is_lossy else None
    return Written(file.seek(0, os.SEEK_END), width, height, len(film.frames), quality, ssim)


def _as_mode(image: Image.Image, form: Format, wrapping: Wrapping) -> Image.Image:
    modes = _MODES[form]
    if image.mode not in modes and image.mode == DEEP:
        note("16-bit grey was narrowed to 8 bits")
        image = narrowed(image)
    if image.mode not in modes and _WIDER.get(image.mode) in modes:
        return image.convert(_WIDER[image.mode])
    return image if image.mode in modes else flattened(image, wrapping.background)


@contextmanager
def _refusals(form: Format) -> Iterator[None]:
    """Turn what encoders raise into TaskErrors, and leave what the file system says as it is."""
    try:
        yield
    except OSError as error:
        if error.errno is not None:
            raise
        raise _refused(form, error) from error
    except (ValueError, TypeError, KeyError, RuntimeError, OverflowError, SystemError) as error:
        raise _refused(form, error) from error


def _refused(form: Format, error: Exception) -> TaskError:
    return TaskError(FailureKind.ENCODE, f"cannot be written as {form}: {error}")
