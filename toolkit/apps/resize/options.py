"""What the user may choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from toolkit.apps.resize import pipelines
from toolkit.apps.resize.formats import EXTRA_DECODERS, FORMATS
from toolkit.apps.resize.geometry import Fit, Gravity
from toolkit.apps.resize.operations.catalogue import OPERATIONS
from toolkit.apps.resize.reading import settings_of
from toolkit.apps.resize.recipe import QUALITY
from toolkit.apps.resize.settings import (
    Effort,
    EngineChoice,
    Existing,
    Flip,
    Metadata,
    Resample,
    Settings,
    Subsampling,
)
from toolkit.core.options import option
from toolkit.core.quantities import parse_bytes


@dataclass(frozen=True, slots=True)
class ResizeOptions:
    """The options of `toolkit resize`; raises UsageError for what cannot be meant."""

    size: str | None = option(
        None,
        "The size wanted: 800x600, 800x, x600, 50%, 2000000@; with ! ^ > or < as ImageMagick has them.",
        metavar="SIZE",
    )
    sizes: str | None = option(None, "Several sizes from one decoding: 320,640,1280.", metavar="SIZE,...")
    long_edge: int | None = option(None, "Pixels of the longer side, whichever way a picture lies.", metavar="N")
    short_edge: int | None = option(None, "Pixels of the shorter side.", metavar="N")
    megapixels: float | None = option(None, "At most so many million pixels.", metavar="N")
    scale: str | None = option(None, "A share of the size: 50% or 0.5; 2 is twice as large.", metavar="N%")
    fit: Fit = option(
        "contain",
        "How it goes into the box: all inside (contain, inside), filled and cut (cover), covering it uncut (outside),"
        " stretched, or on a canvas of that size (pad).",
    )
    enlarge: bool = option(
        False, "Scale small pictures up, too; else they keep their size.", flags=("--enlarge/--no-enlarge",)
    )
    gravity: Gravity = option(
        "center", "Which part stays when pictures are cut (cover), and where they lie on a canvas (pad)."
    )
    focus: str | None = option(
        None, "The point to cut around, as shares of the picture, trimmed and turned: 0.3,0.6.", metavar="X,Y"
    )
    crop: Literal["gravity", "smart"] = option(
        "gravity", "Where to cut (cover): by gravity or focus, or where most detail is."
    )
    trim: bool = option(False, "Cut off a border of one colour first.")
    trim_tolerance: int = option(10, "How far the border's colour may vary: 0 to 255.", metavar="N")
    rotate: float = option(0.0, "Turn by so many degrees, clockwise.", metavar="DEGREES")
    flip: Flip | None = option(None, "Mirror.")
    resample: Resample = option("lanczos", "The filter used for scaling.")
    linear: bool = option(False, "Scale in linear light: slower, and fine bright patterns keep their brightness.")
    op: tuple[str, ...] = option(
        (),
        f"NAME[:ARGUMENT,...], done in the order given; docs/resize.md has the arguments: {', '.join(OPERATIONS)}.",
        flags=("--op", "--filter"),
        metavar="NAME",
    )
    pipeline: Path | None = option(None, "Take options and operations from a TOML file.", metavar="FILE")
    preset: str | None = option(None, "Which table of that file.", metavar="NAME")
    format: str | None = option(
        None,
        f"The format written: {', '.join(FORMATS)}; by default each picture keeps its own.",
        metavar="FORMAT",
    )
    formats: str | None = option(None, "Several formats from one decoding: avif,webp,jpeg.", metavar="FORMAT,...")
    quality: int | None = option(
        None, f"1 to 100, for {', '.join(f'{form} ({usual})' for form, usual in QUALITY.items())}.", metavar="N"
    )
    lossless: bool = option(False, "Lossless webp, avif, heic and jxl.")
    max_bytes: int | None = option(
        None,
        "The largest file allowed: quality first, then pixels are given up; if that is not enough, it fails.",
        metavar="SIZE",
        parse=parse_bytes,
    )
    ssim: float | None = option(
        None, "The least likeness (SSIM) to the picture uncompressed: the smallest file that has it.", metavar="0..1"
    )
    keep_if_smaller: bool = option(False, "Take the file as it is where encoding it again would not make it smaller.")
    progressive: bool = option(False, "Progressive JPEG.")
    subsampling: Subsampling | None = option(None, "How finely JPEG and AVIF keep colours.")
    effort: Effort = option("usual", "How long the encoder looks for a smaller file.")
    background: str = option("white", "The colour under transparency and around padding: a name or #rrggbb[aa].")
    profile: str = option(
        "srgb",
        "Convert colours to sRGB, keep the picture's own profile, or convert to a file's.",
        metavar="srgb|keep|FILE",
    )
    metadata: Metadata = option(
        "no-gps", "What is said about the picture: all but its place, nothing, all, or its colour profile only."
    )
    name_template: str | None = option(None, "Names of results, such as {dir}/{stem}-{size}.{ext}.", metavar="TEMPLATE")
    existing: Existing = option(
        "update",
        "Files that are there: made anew if out of date (update), left (skip), or all made anew (overwrite).",
    )
    in_place: bool = option(False, "Replace the pictures themselves; only with --backup or --trash.")
    backup: Path | None = option(None, "Keep the originals in this folder.", metavar="FOLDER")
    trash: bool = option(False, "Put the originals into the trash.")
    keep_dates: bool = option(False, "Give results the times of their pictures.")
    srcset: Path | None = option(
        None,
        "Write HTML that offers the sizes and formats to browsers; links start from the output folder.",
        metavar="FILE",
        writes=True,
    )
    contact_sheet: Path | None = option(
        None, "Draw all results, small, on pages: .jpg, .png, .webp or .pdf.", metavar="FILE", writes=True
    )
    engine: EngineChoice = option(
        "pillow",
        "The library that decodes and scales: vips (extra) keeps 16 bits of colour; auto takes it where installed.",
    )
    max_pixels: int = option(200_000_000, "Refuse pictures (frames x width x height) above this.", metavar="N")
    watch: bool = option(False, "Go on: do again what changes, and what is new, until Ctrl-C.")
    salvage: bool = option(False, "Use what can be read of broken files, and say so.")
    also_read: tuple[str, ...] = option(
        (), f"A decoder that is off by default: {', '.join(EXTRA_DECODERS)}.", metavar="NAME"
    )

    def __post_init__(self) -> None:
        self.settings()

    def settings(self) -> Settings:
        """Return the choices, read and checked; raises UsageError."""
        return settings_of(self)

    @classmethod
    def filled(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return options with those of the pipeline file, if one is named, where none were given."""
        return pipelines.fill(given, cls)


OPTIONS = ResizeOptions
NETWORK = False
