"""The picture at hand, its header read: what engines and the rest of the room need to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO

from PIL import Image

from toolkit.apps.resize.geometry import Region, Size, upright
from toolkit.apps.resize.settings import Shape


@dataclass(frozen=True, slots=True)
class Subject:
    """A picture whose header has been read, and no more.

    image: as Pillow opened it, its pixels not read. stored: pixels across and down, as they are stored; the image's own
    size changes when a decoder shrinks it. rawmode: how the file stores a pixel, in Pillow's words. turn: the
    EXIF code (1 to 8) of all that is still to be done to make it stand as wanted: its own orientation, quarter turns
    and mirroring. frames: the indices of the frames that are used.
    """

    source: str
    file: IO[bytes]
    image: Image.Image
    stored: Size
    exif: Image.Exif
    rawmode: str
    turn: int
    frames: range

    @property
    def format(self) -> str:
        """The file's format, in Pillow's words."""
        return self.image.format or ""

    @property
    def size(self) -> Size:
        """Pixels across and down, once it has been turned."""
        return upright(self.stored, self.turn)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the picture and the size it is wanted at, both as the pixels are stored."""

    region: Region
    size: Size


@dataclass(frozen=True, slots=True)
class Colours:
    """The colours that results are in: sRGB, unless they keep the picture's own or have those of a profile.

    keep_colour, keep_grey: whether RGB, or grey, pixels keep their profile. asked: whether that was asked for.
    target: the ICC profile to convert to, or nothing.
    """

    keep_colour: bool = False
    keep_grey: bool = False
    asked: bool = False
    target: bytes = b""


@dataclass(frozen=True, slots=True)
class Demands:
    """What is wanted of a picture. parts: all that will be asked for. deep: keep 16 bits where there are."""

    parts: tuple[Part, ...]
    shape: Shape
    colours: Colours
    deep: bool
