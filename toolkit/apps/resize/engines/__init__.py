"""One imaging library a file: each decodes a picture, scales parts of it and brings them to their final colours.

All else (layout, operations, metadata, encoding) is done once for all engines, so that they can differ in speed only.
"""

from __future__ import annotations

import importlib
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from toolkit.apps.resize import geometry
from toolkit.apps.resize.geometry import Region, Size
from toolkit.apps.resize.settings import EngineChoice, Settings

if TYPE_CHECKING:  # plans ask for versions only
    from PIL import Image

    from toolkit.apps.resize.subject import Demands, Subject


ALIKE = 48.0
"""PSNR (dB; of colours multiplied by alpha) that what two engines make of a photograph has at least.

`auto` takes for one as good as the other what has it; the tests hold every engine to it.
"""


class Deep(Protocol):
    """Pixels of 16 bits a channel, which Pillow cannot hold."""

    @property
    def size(self) -> Size:
        """Pixels across and down."""

    @property
    def icc(self) -> bytes:
        """The profile that their colours keep, or nothing."""

    def turned(self, code: int) -> Deep:
        """Return them as an EXIF orientation says."""

    def narrowed(self) -> Image.Image:
        """Return them with 8 bits a channel; `info` as that of the engine's other pictures."""

    def encoded(self, form: str, told: Any) -> bytes:
        """Return them as a PNG or TIFF file of 16 bits; told: what the file says about itself."""


class Pixels(Protocol):
    """The pixels of a picture, decoded when they are first asked for."""

    def scaled(self, index: int, region: Region, size: Size) -> Image.Image | Deep:
        """Return a part of a frame, scaled, in its final colours; region and size as the pixels are stored.

        Frames are asked for in order. `info` of an image holds nothing but the profile that its colours keep, if any.
        """

    @property
    def milliseconds(self) -> float:
        """How long the last frame that was scaled is shown."""

    @property
    def decoding(self) -> float:
        """Seconds spent on decoding so far."""


class Engine(Protocol):
    """What a file of this folder offers."""

    NAME: str

    def takes(self, subject: Subject, settings: Settings) -> bool:
        """Tell whether it can do this picture, alike to what the others make of it."""

    def pixels(self, subject: Subject, demands: Demands) -> Pixels:
        """Return the pixels of a picture."""


def least_decoded(demands: Demands, stored: Size) -> Size:
    """Return how large a JPEG of this size must at least be decoded, where its decoder can shrink.

    All of it where pixels are taken as they are, or light is averaged, since the decoder would average tones.
    """
    if demands.shape.linear or demands.shape.resample == "nearest":
        return stored
    sizes = [geometry.draft_size(stored, part.region, part.size) for part in demands.parts]
    return max(_LEAST, *(width for width, _ in sizes)), max(_LEAST, *(height for _, height in sizes))


def choose(subject: Subject, settings: Settings) -> Any:
    """Return the engine for a picture: that which was asked for, where it can do it; else Pillow, which can do all."""
    for name in _ORDER[settings.engine]:
        engine = _load(name)
        if engine is not None and engine.takes(subject, settings):
            return engine
    return _load("pillow")


def version(choice: EngineChoice) -> str:
    """Return the libraries that may make results, with their versions; imports none of them."""
    found = []
    for name in _ORDER[choice]:
        for package in _PACKAGES[name]:
            try:
                found.append(f"{package} {installed(package)}")
            except PackageNotFoundError:
                continue
    return ", ".join(found)


_LEAST = 64
"""Pixels across and down that a decoder may shrink to: of fewer, the last would hardly be the picture's own."""

_ORDER: dict[EngineChoice, tuple[str, ...]] = {
    "pillow": ("pillow",),
    "vips": ("vips", "pillow"),
    "auto": ("vips", "pillow"),
}
_PACKAGES = {"pillow": ("pillow",), "vips": ("pyvips", "pyvips-binary")}


def _load(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ImportError:
        return None
