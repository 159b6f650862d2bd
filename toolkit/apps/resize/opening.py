"""Pictures opened by Pillow: which decoders may run, how large they may be, a name for every way in which they fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from PIL import (  # the plugins are imported here so that Pillow need not look for them
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
    _imaging,
)

from toolkit.apps.resize import warned
from toolkit.core.errors import FailureKind, TaskError

PLUGINS = (
    *(AvifImagePlugin, BmpImagePlugin, GifImagePlugin, JpegImagePlugin, MpoImagePlugin),
    *(PngImagePlugin, PpmImagePlugin, TiffImagePlugin, WebPImagePlugin),
)

READ = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF", "BMP", "PPM")
"""The decoders that may run; MPO, the pair of pictures that some phones write, comes by way of JPEG."""

AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # the models run as many pictures at once as there are processors
warned.divert()
warned.hush_libtiff(_imaging.__file__)


@contextmanager
def opened(source: str, max_pixels: int) -> Iterator[tuple[IO[bytes], Image.Image]]:
    """Open a picture, its pixels not yet read; raises TaskError."""
    # Pillow's own limit is one for the whole process, so it is only ever raised, to what a user has allowed.
    if Image.MAX_IMAGE_PIXELS is not None and max_pixels > Image.MAX_IMAGE_PIXELS:
        Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        file = open(source, "rb")  # noqa: SIM115 - closed below
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise TaskError(FailureKind.INPUT, f"cannot be read: {why}") from error
    with file:
        with reading():
            image = Image.open(file, formats=READ)
        with image:
            check_pixels(image, 1, max_pixels)
            yield file, image


@contextmanager
def reading() -> Iterator[None]:
    """Turn what decoders raise, which for damaged files is nearly anything, into TaskErrors."""
    try:
        yield
    except (TaskError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise TaskError(FailureKind.TOO_LARGE, f"too many pixels: {error}") from error
    except UnidentifiedImageError as error:
        raise TaskError(FailureKind.IMAGE, "not a picture that can be read, or damaged at its start") from error
    except OSError as error:
        kind = FailureKind.IMAGE if error.errno is None else FailureKind.INPUT
        raise TaskError(kind, f"cannot be read: {error.strerror or error}") from error
    except Exception as error:
        raise TaskError(FailureKind.IMAGE, f"damaged: {type(error).__name__}: {error}") from error


def check_pixels(image: Image.Image, frames: int, limit: int) -> None:
    """Raise TaskError too_large if the frames have more pixels together than limit."""
    if frames * image.width * image.height > limit:
        times = f"{frames} frames of " if frames > 1 else ""
        what = f"{times}{image.width} x {image.height} pixels are more than {limit:,}"
        raise TaskError(FailureKind.TOO_LARGE, f"{what}: raise --max-pixels if you trust the file")


def exif_of(image: Image.Image) -> Image.Exif:
    """Return a picture's EXIF data; where it is damaged, none, with a warning: the picture may still be good."""
    try:
        return image.getexif()
    except Exception as error:
        warned.note(f"the EXIF data is damaged and was left out ({type(error).__name__})")
        return Image.Exif()


def rawmode_of(image: Image.Image) -> str:
    """Return how the file stores a pixel, in Pillow's words; to be asked before the pixels are read."""
    tile = getattr(image, "tile", None)
    if not tile:
        return ""
    args = tile[0][3]
    return args if isinstance(args, str) else args[0] if args and isinstance(args[0], str) else ""
