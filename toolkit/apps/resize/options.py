"""What the user may choose, and what the choices mean once they are read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeVar, get_args

from toolkit.apps.resize.filters import FILTERS, Filter, parse_filter
from toolkit.apps.resize.formats import Format
from toolkit.apps.resize.geometry import Box, Fit, parse_size
from toolkit.core.errors import UsageError
from toolkit.core.options import option

Profile = Literal["srgb", "keep"]
Metadata = Literal["no-gps", "strip", "keep"]
Colour = tuple[int, int, int, int]
"""Red, green, blue, alpha; each 0 to 255."""

T = TypeVar("T")

_COLOURS = {
    "white": "#ffffff",
    "black": "#000000",
    "grey": "#808080",
    "gray": "#808080",
    "red": "#ff0000",
    "green": "#008000",
    "blue": "#0000ff",
    "yellow": "#ffff00",
    "transparent": "#ffffff00",
}


@dataclass(frozen=True, slots=True)
class ResizeOptions:
    """The options of `toolkit resize`; raises UsageError for what cannot be meant."""

    size: str | None = option(None, "The box that pictures go into: 800x600, 800x or x600.", metavar="WxH")
    fit: Fit = option("contain", "How they go in: all inside, filled and cut, stretched, or on a canvas of that size.")
    enlarge: bool = option(default=False, help="Scale small pictures up, too.")
    format: Format | None = option(None, "The format written; by default each picture keeps its own.")
    quality: int | None = option(None, "1 to 100, for jpeg (85), webp (80) and avif (65).", metavar="N")
    background: str = option("white", "The colour under transparency and around padding: a name or #rrggbb[aa].")
    filter: tuple[str, ...] = option(
        (), f"NAME[:AMOUNT], done in the order given: {', '.join(FILTERS)}.", metavar="NAME"
    )
    profile: Profile = option("srgb", "Convert colours to sRGB, or keep the picture's own profile.")
    metadata: Metadata = option("no-gps", "What is said about the picture: all but its place, nothing, or all.")
    max_pixels: int = option(200_000_000, "Refuse pictures (frames x width x height) above this.", metavar="N")

    def __post_init__(self) -> None:
        self.settings()

    def settings(self) -> Settings:
        """Return the choices, read and checked."""
        for name, kind in (("fit", Fit), ("profile", Profile), ("metadata", Metadata), ("format", Format)):
            value = getattr(self, name)
            if value not in get_args(kind) and not (name == "format" and value is None):
                raise UsageError(f"--{name} {value}: choose one of {', '.join(get_args(kind))}")
        if self.quality is not None and not 1 <= self.quality <= 100:  # noqa: PLR2004 - the scale itself
            raise UsageError(f"--quality {self.quality}: it goes from 1 to 100")
        if self.max_pixels < 1:
            raise UsageError(f"--max-pixels {self.max_pixels}: it must be at least 1")
        return Settings(
            box=_read("size", parse_size, self.size) if self.size is not None else None,
            fit=self.fit,
            enlarge=self.enlarge,
            format=self.format,
            quality=self.quality,
            background=_read("background", parse_colour, self.background),
            filters=tuple(_read("filter", parse_filter, text) for text in self.filter),
            profile=self.profile,
            metadata=self.metadata,
            max_pixels=self.max_pixels,
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """ResizeOptions as an engine takes them; small and picklable."""

    box: Box | None = None
    fit: Fit = "contain"
    enlarge: bool = False
    format: Format | None = None
    quality: int | None = None
    background: Colour = (255, 255, 255, 255)
    filters: tuple[Filter, ...] = ()
    profile: Profile = "srgb"
    metadata: Metadata = "no-gps"
    max_pixels: int = 200_000_000

    def digest(self, engine: str) -> str:
        """Return a digest of all that changes the bytes of a result; engine names the library and its version."""
        # A higher limit on pixels changes no result, so it makes nothing out of date.
        facts = (replace(self, max_pixels=0), engine)
        return hashlib.sha256(repr(facts).encode()).hexdigest()


def parse_colour(text: str) -> Colour:
    """Read a colour: a common name, `#rgb`, `#rrggbb` or `#rrggbbaa`; raises ValueError with a message."""
    value = _COLOURS.get(text.strip().lower(), text.strip().lower())
    if re.fullmatch(r"#[0-9a-f]{3}", value):
        value = "#" + "".join(2 * digit for digit in value[1:])
    if not re.fullmatch(r"#[0-9a-f]{6}([0-9a-f]{2})?", value):
        raise ValueError(f"{text!r} is not a colour: write #rrggbb, #rrggbbaa or one of {', '.join(_COLOURS)}")
    red, green, blue, *alpha = bytes.fromhex(value[1:])
    return red, green, blue, alpha[0] if alpha else 255


def _read(name: str, parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except ValueError as error:
        raise UsageError(f"--{name}: {error}") from error


OPTIONS = ResizeOptions
NETWORK = False
