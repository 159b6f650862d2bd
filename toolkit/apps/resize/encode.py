"""From pixels to a file of each format."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any

from PIL import Image

from toolkit.apps.resize import animate
from toolkit.apps.resize.animate import Film
from toolkit.apps.resize.formats import Format
from toolkit.apps.resize.metadata import JPEG_LIMIT, Said
from toolkit.apps.resize.modes import flattened, narrowed
from toolkit.apps.resize.warned import note
from toolkit.core.errors import FailureKind, TaskError

QUALITY: dict[Format, int] = {"jpeg": 85, "webp": 80, "avif": 65}

_MODES: dict[Format, frozenset[str]] = {
    "jpeg": frozenset({"L", "RGB"}),
    "png": frozenset({"L", "LA", "RGB", "RGBA", "I;16"}),
    "webp": frozenset({"RGB", "RGBA"}),
    "avif": frozenset({"L", "RGB", "RGBA"}),
    "gif": frozenset({"L", "RGB", "RGBA"}),
    "tiff": frozenset({"L", "LA", "RGB", "RGBA", "I;16"}),
}
_WIDER = {"L": "RGB", "LA": "RGBA"}


@dataclass(frozen=True, slots=True)
class Wrapping:
    """What is written around the pixels. quality: None for the format's own; background: under transparency."""

    quality: int | None = None
    background: tuple[int, int, int] = (255, 255, 255)
    icc: bytes = b""
    said: Said = field(default_factory=Said)


def encode(film: Film, form: Format, file: IO[bytes], wrapping: Wrapping) -> None:
    """Write the frames to a real file; raises OSError for what the file system refuses, TaskError encode otherwise.

    A real file, because Pillow's encoders release the GIL only for one.
    """
    frames = [_as_mode(frame, form, wrapping) for frame in film.frames]
    try:
        _WRITERS[form](Film(frames, film.durations, film.plays), file, wrapping)
    except OSError as error:
        if error.errno is not None:
            raise
        raise _refused(form, error) from error
    except (ValueError, TypeError, RuntimeError, OverflowError, SystemError) as error:
        raise _refused(form, error) from error


def _write_jpeg(film: Film, file: IO[bytes], wrapping: Wrapping) -> None:
    said = {name: _fitting(name, getattr(wrapping.said, name)) for name in ("exif", "xmp", "comment")}
    film.frames[0].save(file, "JPEG", quality=_quality("jpeg", wrapping), icc_profile=wrapping.icc, **said)


def _write_png(film: Film, file: IO[bytes], wrapping: Wrapping) -> None:
    film.frames[0].save(file, "PNG", **animate.png_timing(film), **_tags(wrapping))


def _write_webp(film: Film, file: IO[bytes], wrapping: Wrapping) -> None:
    options = {"quality": _quality("webp", wrapping), "method": 4, "xmp": wrapping.said.xmp}
    film.frames[0].save(file, "WEBP", **options, **animate.webp_timing(film), **_tags(wrapping))
    if len(film.frames) > 1 and film.frames[0].mode == "RGBA":
        animate.mark_alpha(file)


def _write_avif(film: Film, file: IO[bytes], wrapping: Wrapping) -> None:
    # One thread: the models run as many pictures at once as there are processors.
    options = {"quality": _quality("avif", wrapping), "max_threads": 1, "xmp": wrapping.said.xmp}
    film.frames[0].save(file, "AVIF", **options, **animate.avif_timing(film), **_tags(wrapping))


def _write_gif(film: Film, file: IO[bytes], wrapping: Wrapping) -> None:
    palettes = animate.as_palettes(film)
    comment = {"comment": wrapping.said.comment[:255]} if wrapping.said.comment else {}
    palettes.frames[0].save(file, "GIF", **animate.gif_timing(palettes), **comment)


def _write_tiff(film: Film, file: IO[bytes], wrapping: Wrapping) -> None:
    # By way of memory, because libtiff's own writing hides why it failed: a full disk must be told apart.
    memory = io.BytesIO()
    # Pillow cannot write both compressed pixels and a directory of EXIF details: what is said is worth more.
    compression = "raw" if wrapping.said.details else "tiff_adobe_deflate"
    film.frames[0].save(memory, "TIFF", compression=compression, **_tags(wrapping))
    file.write(memory.getbuffer())


def _tags(wrapping: Wrapping) -> dict[str, Any]:
    icc = {"icc_profile": wrapping.icc} if wrapping.icc else {}
    return icc | ({"exif": wrapping.said.exif} if wrapping.said.exif else {})


def _as_mode(image: Image.Image, form: Format, wrapping: Wrapping) -> Image.Image:
    modes = _MODES[form]
    if image.mode not in modes and image.mode == "I;16":
        note("16-bit grey was narrowed to 8 bits")
        image = narrowed(image)
    if image.mode not in modes and _WIDER.get(image.mode) in modes:
        return image.convert(_WIDER[image.mode])
    return image if image.mode in modes else flattened(image, wrapping.background)


def _quality(form: Format, wrapping: Wrapping) -> int:
    return wrapping.quality or QUALITY[form]


def _fitting(name: str, data: bytes) -> bytes:
    if len(data) <= JPEG_LIMIT:
        return data
    note(f"the {name} data is too long for a JPEG and was left out")
    return b""


def _refused(form: Format, error: Exception) -> TaskError:
    return TaskError(FailureKind.ENCODE, f"cannot be written as {form}: {error}")


_WRITERS: dict[Format, Callable[[Film, IO[bytes], Wrapping], None]] = {
    "jpeg": _write_jpeg,
    "png": _write_png,
    "webp": _write_webp,
    "avif": _write_avif,
    "gif": _write_gif,
    "tiff": _write_tiff,
}
