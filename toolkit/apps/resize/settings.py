"""The choices as plan and engines take them: read, checked, small and picklable."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Literal

from toolkit.apps.resize.colour_words import Colour
from toolkit.apps.resize.formats import Format
from toolkit.apps.resize.geometry import CENTER, Fit, Geometry, Place
from toolkit.apps.resize.operations.catalogue import Operation

Metadata = Literal["no-gps", "strip", "keep", "icc-only"]
Resample = Literal["lanczos", "bicubic", "hamming", "bilinear", "box", "nearest"]
Flip = Literal["horizontal", "vertical", "both"]
Subsampling = Literal["4:2:0", "4:2:2", "4:4:4"]
Effort = Literal["fast", "usual", "best"]
Existing = Literal["update", "skip", "overwrite"]
EngineChoice = Literal["pillow", "vips", "auto"]


@dataclass(frozen=True, slots=True)
class Shape:
    """Which part of a picture becomes how many pixels.

    sizes: one or several; None keeps the size. smart: cut where most detail is. trim: how far the colour of a border
    that is cut off may vary (0 to 255), or None. quarter_turns (clockwise), then flip, then angle (clockwise degrees
    below 90) turn the upright picture before it is laid out.
    """

    sizes: tuple[Geometry | None, ...] = (None,)
    fit: Fit = "contain"
    enlarge: bool = False
    place: Place = CENTER
    smart: bool = False
    trim: int | None = None
    quarter_turns: int = 0
    flip: Flip | None = None
    angle: float = 0.0
    resample: Resample = "lanczos"
    linear: bool = False


@dataclass(frozen=True, slots=True)
class Writing:
    """How files are written. formats: one or several; None keeps the picture's own. icc: the profile of `file`."""

    formats: tuple[Format | None, ...] = (None,)
    quality: int | None = None
    lossless: bool = False
    max_bytes: int | None = None
    ssim: float | None = None
    keep_if_smaller: bool = False
    progressive: bool = False
    subsampling: Subsampling | None = None
    effort: Effort = "usual"
    background: Colour = (255, 255, 255, 255)
    profile: Literal["srgb", "keep", "file"] = "srgb"
    icc: bytes = b""
    metadata: Metadata = "no-gps"


@dataclass(frozen=True, slots=True)
class Settings:
    """All that decides what a result is, and how it is come by.

    max_pixels: frames x width x height, above which a picture is refused. also_read: decoders that are off otherwise.
    in_place: results replace their pictures; backup: the folder that then takes those, or "" for the trash.
    """

    shape: Shape = Shape()
    operations: tuple[Operation, ...] = ()
    writing: Writing = Writing()
    engine: EngineChoice = "pillow"
    max_pixels: int = 200_000_000
    salvage: bool = False
    also_read: frozenset[str] = frozenset()
    name_template: str | None = None
    existing: Existing = "update"
    in_place: bool = False
    backup: str = ""
    keep_dates: bool = False

    def digest(self, made_by: str) -> str:
        """Return a digest of all that changes a result; made_by names our rules, the engine and its version."""
        # What only says where, whether and by whom results are made does not make those out of date that are there.
        plain = replace(self, max_pixels=0, engine="pillow", existing="update", also_read=frozenset(), backup="")
        return hashlib.sha256(repr((plain, made_by)).encode()).hexdigest()
