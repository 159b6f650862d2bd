"""The plugins that Pillow decodes and encodes by: which of them may run, brought in only when a picture needs them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from functools import cache

from PIL import Image

from toolkit.apps.resize import warned
from toolkit.apps.resize.formats import EXTRA_DECODERS, missing
from toolkit.core.errors import FailureKind, TaskError

_NAMES = {
    "jpeg": "JPEG",  # MPO, the pair of pictures that some phones write, comes by way of it
    "png": "PNG",
    "webp": "WEBP",
    "avif": "AVIF",
    "gif": "GIF",
    "tiff": "TIFF",
    "bmp": "BMP",
    "ppm": "PPM",
    "heic": "HEIF",
    "jxl": "JXL",
}
"""What Pillow calls the kinds that are read without being asked for."""


def decoders(kind: str | None, also: Iterable[str] = ()) -> tuple[str, ...]:
    """Return Pillow's names of the decoders that may look at a file which sniff() calls kind, all of them brought in.

    One is enough where the kind is known, so that no other can be reached through a forged file. also: those of
    EXTRA_DECODERS that were asked for. Raises TaskError unsupported for one that is not there, or was not asked for.
    """
    if kind is None:
        return ()
    if kind not in _NAMES and kind not in frozenset(also):
        raise TaskError(FailureKind.UNSUPPORTED, f"{kind} pictures are not read")
    require(kind)
    return (_NAMES[kind] if kind in _NAMES else EXTRA_DECODERS[kind].name,)


def require(kind: str) -> None:
    """Bring in the plugin for this kind of picture, if it is not there anyway; raises TaskError unsupported."""
    if (extra := missing(kind)) is not None:
        what = f"{kind.upper()} pictures need pip install 'toolkit[{extra}]'"
        raise TaskError(FailureKind.UNSUPPORTED, what)
    if kind in _BRINGING:
        _BRINGING[kind]()
    elif kind in EXTRA_DECODERS:
        importlib.import_module(f"PIL.{EXTRA_DECODERS[kind].plugin}")
        warned.divert()


def turns_upright(image: Image.Image) -> bool:
    """Tell whether an image's decoder has turned it upright already, so that EXIF's orientation is history.

    libjxl goes by the codestream's own orientation; only a JPEG that is packed in a JXL comes as that JPEG.
    """
    return image.format == "TIFF" or (image.format == "JXL" and not getattr(image, "jpeg", False))


@cache
def _bring_heif() -> None:
    import pillow_heif

    # One thread, no more pictures than are wanted: the models run as many pictures as there are processors.
    pillow_heif.register_heif_opener(decode_threads=1, depth_images=False)


@cache
def _bring_jxl() -> None:
    from pillow_jxl import JpegXLImagePlugin

    JpegXLImagePlugin.DECODE_THREADS = 0


_BRINGING: dict[str, Callable[[], None]] = {"heic": _bring_heif, "jxl": _bring_jxl}
