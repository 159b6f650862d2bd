"""Pictures opened by Pillow: which decoders may run, how large they may be, a name for every way in which they fail."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import IO

from PIL import (  # the plugins are imported here so that Pillow need not look for them
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
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
from toolkit.apps.resize.formats import EXTRA_DECODERS, HEAD, missing, sniff
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

_salvaged: ContextVar[bool] = ContextVar("salvaged", default=False)


class _Salvaging:
    """Stands for Pillow's switch that lets broken files pass: true only where this thread is salvaging one.

    The switch is one for the whole process, and other threads must go on being told of broken files.
    """

    def __bool__(self) -> bool:
        return _salvaged.get()


ImageFile.LOAD_TRUNCATED_IMAGES = _Salvaging()  # type: ignore[assignment]


@contextmanager
def salvaging() -> Iterator[None]:
    """Let what can be read of broken files pass, in this thread and during the block."""
    token = _salvaged.set(True)
    try:
        yield
    finally:
        _salvaged.reset(token)


def is_salvaging() -> bool:
    """Whether broken files pass now."""
    return _salvaged.get()


@contextmanager
def opened(
    source: str, max_pixels: int, also_read: Collection[str] = frozenset()
) -> Iterator[tuple[IO[bytes], Image.Image]]:
    """Open a picture, its pixels not yet read; raises TaskError.

    max_pixels: width x height above which it is refused. also_read: decoders that run besides the usual ones, by the
    names of formats.EXTRA_DECODERS.
    """
    # Pillow's own limit is one for the whole process, so it is only ever raised, to what a user has allowed.
    if Image.MAX_IMAGE_PIXELS is not None and max_pixels > Image.MAX_IMAGE_PIXELS:
        Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        file = open(source, "rb")  # noqa: SIM115 - closed below
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise TaskError(FailureKind.INPUT, f"cannot be read: {why}") from error
    with file:
        decoders = _decoders(file.read(HEAD), also_read)
        file.seek(0)
        with reading():
            image = Image.open(file, formats=decoders)
        with image:
            check_pixels(image, 1, max_pixels)
            yield file, image


def _decoders(head: bytes, also_read: Collection[str]) -> list[str]:
    """Return the decoders that may run on a file that begins so; those of extras are loaded where they are needed."""
    kind = sniff(head)
    found = list(READ)
    if kind is None:
        return found
    if kind in _EXTRAS and missing(kind) is None:
        found.append(_EXTRAS[kind]())
    if kind in also_read and (decoder := EXTRA_DECODERS.get(kind)) is not None:
        importlib.import_module(f"PIL.{decoder.plugin}")
        found.append(decoder.name)
        warned.divert()  # the plugin is new
    return found


def _with_heif() -> str:
    import pillow_heif

    pillow_heif.register_heif_opener()
    pillow_heif.options.DECODE_THREADS = 1  # as with AVIF
    pillow_heif.options.THUMBNAILS = False
    return "HEIF"


def _with_jxl() -> str:
    import pillow_jxl  # noqa: F401 - it registers itself

    return "JXL"


_EXTRAS: dict[str, Callable[[], str]] = {"heic": _with_heif, "jxl": _with_jxl}


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
