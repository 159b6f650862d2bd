"""Pictures opened by Pillow: which decoders may run, how large they may be, a name for every way in which they fail."""

from __future__ import annotations

import errno
import importlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from io import BytesIO
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

from toolkit.apps.resize import cut_webp, jxl_header, warned
from toolkit.apps.resize.formats import EXTRA_DECODERS, HEAD, missing, sniff
from toolkit.apps.resize.limits import Limit, check_pixels, limited
from toolkit.core.errors import FailureKind, TaskError

__all__ = ["READ", "check_pixels", "exif_of", "is_salvaging", "opened", "rawmode_of", "reading", "salvaging"]

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
    try:
        file = open(source, "rb")  # noqa: SIM115 - closed below
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise TaskError(FailureKind.INPUT, f"cannot be read: {why}") from error
    with file, limited(max_pixels) as limit:
        with reading():
            image = _open(file, limit, also_read)
        with image:
            limit.check(image.size)
            yield file, image


def _open(file: IO[bytes], limit: Limit, also_read: Collection[str]) -> Image.Image:
    decoders = _decoders(head := file.read(HEAD), also_read)
    file.seek(0)
    if is_salvaging() and sniff(head) == "webp":
        return Image.open(BytesIO(cut_webp.filled(file.read())), formats=decoders)
    if _JXL in decoders:  # this one decodes all pixels as it opens a file
        size = jxl_header.size_of(file)
        if size is None:
            raise TaskError(FailureKind.IMAGE, "a JPEG XL that is damaged at its start")
        limit.check(size)
    return Image.open(file, formats=decoders)


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
    from pillow_jxl import JpegXLImagePlugin  # it registers itself

    JpegXLImagePlugin.DECODE_THREADS = 0  # as with AVIF
    return _JXL


_JXL = "JXL"
_EXTRAS: dict[str, Callable[[], str]] = {"heic": _with_heif, "jxl": _with_jxl}


@contextmanager
def reading() -> Iterator[None]:
    """Turn what decoders raise, which for damaged files is nearly anything, into TaskErrors."""
    try:
        yield
    except (TaskError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise TaskError(FailureKind.IMAGE, "not a picture that can be read, or damaged at its start") from error
    except OSError as error:
        kind = FailureKind.IMAGE if error.errno in _OF_THE_CONTENT else FailureKind.INPUT
        raise TaskError(kind, f"cannot be read: {_short(error.strerror or error)}") from error
    except Exception as error:
        raise TaskError(FailureKind.IMAGE, f"damaged: {_what(error)}") from error


_OF_THE_CONTENT = frozenset({None, errno.EINVAL, errno.EOVERFLOW})
"""Errors of the system that damaged numbers cause: to look for something at a place that no file has."""


def _what(error: Exception) -> str:
    if "MAX_TEXT" in str(error):
        return "a text or profile in it unpacks to too many bytes"
    if "build `libjxl`" in str(error):  # advice for programmers, whatever the matter is
        return "the decoder of JPEG XL gives up"
    return f"{type(error).__name__}: {_short(error)}"


def _short(message: object) -> str:
    return " ".join(str(message).split())[:200]


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
