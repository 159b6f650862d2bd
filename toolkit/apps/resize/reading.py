"""From what a user wrote to Settings: every word read, every contradiction named."""

from __future__ import annotations

import importlib.util
import math
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from toolkit.apps.resize import formats, geometry, template
from toolkit.apps.resize.colour_words import parse_colour
from toolkit.apps.resize.geometry import Area, Edge, Geometry, Place
from toolkit.apps.resize.operations.catalogue import parse_operation
from toolkit.apps.resize.settings import Settings, Shape, Writing
from toolkit.core.errors import MissingExtra, UsageError
from toolkit.core.options import check

if TYPE_CHECKING:
    from toolkit.apps.resize.options import ResizeOptions

T = TypeVar("T")

MOST_PROFILE = 16 * 1024 * 1024
"""Bytes of a colour profile that is read from a file."""
MOST_SIZES = 50
"""Sizes or formats of one picture."""
MEGA = 1_000_000


def settings_of(options: ResizeOptions) -> Settings:
    """Return the choices, read and checked; raises UsageError, MissingExtra."""
    check(options)
    settings = Settings(
        shape=_shape(options),
        operations=tuple(_read("op", parse_operation, text) for text in options.op),
        writing=_writing(options),
        engine=_engine(options.engine),
        max_pixels=_least(options, "max_pixels", 1),
        salvage=options.salvage,
        also_read=frozenset(_one_of("also-read", name, tuple(formats.EXTRA_DECODERS)) for name in options.also_read),
        name_template=options.name_template,
        existing=options.existing,
        in_place=options.in_place,
        backup=os.path.abspath(options.backup) if options.backup else "",
        keep_dates=options.keep_dates,
    )
    _check_names(options)
    _check_originals(options, len(settings.shape.sizes) * len(settings.writing.formats))
    return settings


def _shape(options: ResizeOptions) -> Shape:
    turns = options.rotate
    if not math.isfinite(turns):
        raise UsageError(f"--rotate {turns}: give degrees, such as 90 or -2.5")
    quarters, angle = divmod(turns, 90.0)
    if not 0 <= options.trim_tolerance <= 255:  # noqa: PLR2004 - the scale itself
        raise UsageError(f"--trim-tolerance {options.trim_tolerance}: it goes from 0 to 255")
    smart = options.crop == "smart"
    if smart and (options.focus or options.gravity != "center"):
        raise UsageError("--crop smart finds the place itself: leave --focus and --gravity out")
    if options.focus and options.gravity != "center":
        raise UsageError("--focus and --gravity both say where to cut: choose one")
    return Shape(
        sizes=_sizes(options),
        fit=options.fit,
        enlarge=options.enlarge,
        place=_place(options),
        smart=smart,
        trim=options.trim_tolerance if options.trim else None,
        quarter_turns=int(quarters) % 4,
        flip=options.flip,
        angle=angle,
        resample=options.resample,
        linear=options.linear,
    )


def _place(options: ResizeOptions) -> Place:
    if options.focus is not None:
        return _read("focus", geometry.parse_focus, options.focus)
    return geometry.place_of(options.gravity)


def _sizes(options: ResizeOptions) -> tuple[Geometry | None, ...]:
    ways = ("size", "sizes", "long_edge", "short_edge", "megapixels", "scale")
    given = [way for way in ways if getattr(options, way) is not None]
    if len(given) > 1:
        both = " and ".join(_flag(way) for way in given[:2])
        raise UsageError(f"{both} both say how large: choose one")
    if not given:
        return (None,)
    return _given_sizes(options, given[0])


def _given_sizes(options: ResizeOptions, way: str) -> tuple[Geometry, ...]:
    if way == "sizes":
        return _several("sizes", geometry.parse_geometry, options.sizes or "")
    if way == "size":
        return (_read("size", geometry.parse_geometry, options.size or ""),)
    if way == "scale":
        return (_read("scale", geometry.parse_scale, options.scale or ""),)
    if way == "megapixels":
        millions = options.megapixels or 0.0
        if not 0 < millions <= geometry.MAX_SIDE**2 / MEGA:
            raise UsageError(f"--megapixels {millions:g}: give a number above 0, such as 12 or 0.5")
        pixels = max(1, round(millions * MEGA))
        return (Geometry(Area(pixels), label=f"{millions:g}mp"),)
    side = getattr(options, way)
    if not 1 <= side <= geometry.MAX_SIDE:
        raise UsageError(f"{_flag(way)} {side}: give pixels from 1 to {geometry.MAX_SIDE}")
    which: Any = way.removesuffix("_edge")
    return (Geometry(Edge(side, which), label=f"{which}{side}"),)


def _writing(options: ResizeOptions) -> Writing:
    wanted = _formats(options)
    if options.quality is not None and not 1 <= options.quality <= 100:  # noqa: PLR2004 - the scale itself
        raise UsageError(f"--quality {options.quality}: it goes from 1 to 100")
    if options.ssim is not None and not 0 < options.ssim < 1:
        raise UsageError(f"--ssim {options.ssim:g}: give a number between 0 and 1, such as 0.98")
    if options.max_bytes is not None and options.max_bytes < 1:
        raise UsageError("--max-bytes: it must be at least 1")
    if options.lossless:
        cannot = [form for form in wanted if form is not None and form not in formats.LOSSLESS]
        if cannot:
            raise UsageError(f"--lossless: {cannot[0]} cannot be; take one of {', '.join(sorted(formats.LOSSLESS))}")
        if options.quality is not None or options.ssim is not None:
            raise UsageError("--lossless goes without --quality and --ssim")
    if options.quality is not None and options.ssim is not None:
        raise UsageError("--ssim looks for the quality itself: leave --quality out")
    profile, icc = _profile(options.profile)
    return Writing(
        formats=wanted,
        quality=options.quality,
        lossless=options.lossless,
        max_bytes=options.max_bytes,
        ssim=options.ssim,
        keep_if_smaller=options.keep_if_smaller,
        progressive=options.progressive,
        subsampling=options.subsampling,
        effort=options.effort,
        background=_read("background", parse_colour, options.background),
        profile=profile,
        icc=icc,
        metadata=options.metadata,
    )


def _formats(options: ResizeOptions) -> tuple[formats.Format | None, ...]:
    if options.formats is None:
        one = None if options.format is None else _read("format", _format, options.format)
        wanted: tuple[formats.Format | None, ...] = (one,)
    elif options.format is not None:
        raise UsageError("--format and --formats both say what is written: choose one")
    else:
        wanted = _several("formats", _format, options.formats)
    for form in wanted:
        if form is not None and (extra := formats.missing(form)):
            raise MissingExtra(f"{form} pictures", extra)
    return wanted


def _format(text: str) -> formats.Format:
    name = {"jpg": "jpeg", "tif": "tiff"}.get(text.lower(), text.lower())
    found = next((form for form in formats.FORMATS if form == name), None)
    if found is None:
        raise ValueError(f"{text!r} is none of {', '.join(formats.FORMATS)}")
    return found


def _profile(text: str) -> tuple[Any, bytes]:
    if text in {"srgb", "keep"}:
        return text, b""
    try:
        with open(text, "rb") as file:
            data = file.read(MOST_PROFILE + 1)
    except OSError as error:
        raise UsageError(f"--profile {text}: {error.strerror}; give srgb, keep or a file") from error
    # ICC.1:2022, 7.2: bytes 36 to 39 are the signature, 16 to 19 the colour space.
    if data[36:40] != b"acsp" or len(data) > MOST_PROFILE:
        raise UsageError(f"--profile {text}: this is no ICC profile")
    if data[16:20] != b"RGB ":
        raise UsageError(f"--profile {text}: it is not for RGB pixels")
    return "file", data


def _engine(name: Any) -> Any:
    if name == "vips" and importlib.util.find_spec("pyvips") is None:
        raise MissingExtra("the vips engine", "vips")
    return name


def _check_names(options: ResizeOptions) -> None:
    if options.name_template is not None:
        if options.in_place:
            raise UsageError("--in-place keeps the names: leave --name-template out")
        _read("name-template", template.parse_template, options.name_template)


def _check_originals(options: ResizeOptions, files: int) -> None:
    """Raise UsageError unless it is clear where originals go; files: results of one picture, at most."""
    if options.backup is not None and options.trash:
        raise UsageError("--backup and --trash both keep the originals: choose one")
    if options.in_place and options.backup is None and not options.trash:
        raise UsageError("--in-place replaces pictures: say where the originals go, by --backup FOLDER or --trash")
    if not options.in_place and (options.backup is not None or options.trash):
        raise UsageError("--backup and --trash go with --in-place: without it, originals are not touched")
    if options.in_place and options.existing == "skip":
        raise UsageError("--in-place replaces what is there, and --existing skip leaves it: choose one")
    if options.in_place and files > 1:
        raise UsageError("--in-place makes one file of each picture: give one size and one format")
    if options.trash and importlib.util.find_spec("send2trash") is None:
        raise MissingExtra("--trash", "trash")


def _several(name: str, parse: Callable[[str], T], text: str) -> tuple[T, ...]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or len(parts) > MOST_SIZES:
        raise UsageError(f"--{name} {text!r}: give from 1 to {MOST_SIZES}, separated by commas")
    if len(set(parts)) < len(parts):
        raise UsageError(f"--{name} {text!r}: one is there twice")
    return tuple(_read(name, parse, part) for part in parts)


def _read(name: str, parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except ValueError as error:
        raise UsageError(f"--{name}: {error}") from error


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise UsageError(f"--{name} {value}: choose one of {', '.join(choices)}")
    return value


def _least(options: ResizeOptions, name: str, least: int) -> int:
    value: int = getattr(options, name)
    if value < least:
        raise UsageError(f"{_flag(name)} {value}: it must be at least {least}")
    return value


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
