"""The Pillow engine: header, shrink-on-load, resize, colours, orientation, filters, canvas, encode; in this order."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from toolkit import storage
from toolkit.apps.resize import animate, canvas, colour, geometry, metadata, modes, operations, warned
from toolkit.apps.resize.animate import Film
from toolkit.apps.resize.encode import Wrapping, encode
from toolkit.apps.resize.formats import TAGGED, Format, format_of
from toolkit.apps.resize.geometry import Layout
from toolkit.apps.resize.opening import check_pixels, exif_of, opened, rawmode_of, reading
from toolkit.apps.resize.options import Settings
from toolkit.apps.resize.result import Resized

_REDUCING_GAP = 3.0
"""Down to three times the size by averaging boxes, then the filter: Pillow's documentation finds the result
indistinguishable from the filter alone, and our test against a float reference agrees."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_JPEGS = frozenset({"JPEG", "MPO"})


def render(source: str, target: Path, settings: Settings) -> Resized:
    """Make target, whose suffix names the format, from the picture at source.

    Raises TaskError: input (cannot be read), image (damaged), unsupported, too_large, encode, name or disk. The target
    is replaced only when its new content is complete.
    """
    form, watch = format_of(target.name), _Stopwatch()
    with warned.noting() as noted, opened(source, settings.max_pixels) as (file, image):
        facts = os.fstat(file.fileno())
        film, wrapping = _develop(image, form, settings, watch)
        with watch("encode"), storage.atomic_write(target) as output:
            encode(film, form, output, wrapping)
            size = output.seek(0, os.SEEK_END)
    width, height = film.frames[0].size
    return Resized(
        output=target.name,
        bytes=size,
        width=width,
        height=height,
        frames=len(film.frames),
        warnings=tuple(noted),
        source_size=facts.st_size,
        source_mtime_ns=facts.st_mtime_ns,
        decode=watch.seconds["decode"],
        process=watch.seconds["process"],
        encode=watch.seconds["encode"],
    )


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What is decided once for all frames of a picture.

    stored: the layout's region in the picture as it is decoded, before it is turned upright.
    """

    layout: Layout
    stored: geometry.Region
    orientation: int
    rawmode: str
    keep_deep: bool


@dataclass(slots=True)
class _Stopwatch:
    seconds: dict[str, float] = field(default_factory=lambda: {"decode": 0.0, "process": 0.0, "encode": 0.0})

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[part] += time.perf_counter() - started


def _develop(image: Image.Image, form: Format, settings: Settings, watch: _Stopwatch) -> tuple[Film, Wrapping]:
    with watch("decode"), reading():
        animate.with_alpha(image)
        indices, durations = _frame_indices(image, form, settings.max_pixels), []
        rawmode = rawmode_of(image)
        if image.format == "PNG":
            image.load()  # its EXIF may stand after the pixels
        exif = exif_of(image)
        sheet = _sheet_for(image, exif, rawmode, form, settings)
    frames: list[Image.Image] = []
    kept: bytes | None = None
    for index in indices:
        with watch("decode"), reading():
            image.seek(index)
            image.load()
            durations.append(float(image.info.get("duration", 0)))
        with watch("process"):
            frame, kept = _develop_frame(image, sheet, form, settings)
            frames.append(frame)
    with watch("process"):
        stay_rgb = kept is not None and frames[0].mode in {"RGB", "RGBA"}
        frames = operations.apply(settings.filters, frames, stay_rgb=stay_rgb)
        frames = [canvas.on_canvas(frame, sheet.layout, settings.background, flat=form == "jpeg") for frame in frames]
        said = metadata.said_of(exif, image.info, sheet.layout.canvas, settings.metadata)
    wrapping = Wrapping(settings.quality, canvas.on_white(settings.background), kept or b"", said)
    timing = durations if len(frames) > 1 else ()
    return Film(canvas.alike(frames), timing, animate.plays_of(image)), wrapping


def _frame_indices(image: Image.Image, form: Format, max_pixels: int) -> range:
    frames = getattr(image, "n_frames", 1)
    if not animate.can_move(form, image):
        if frames > 1:
            what = "frames" if animate.is_animation(image) else "pictures"
            warned.note(f"only the first of {frames} {what} was kept")
        return range(1)
    check_pixels(image, frames, max_pixels)
    # An APNG may begin with a picture for those who cannot play it, which is no frame (PNG 3rd ed., 4.8).
    return range(1 if getattr(image, "default_image", False) else 0, frames)


def _sheet_for(image: Image.Image, exif: Image.Exif, rawmode: str, form: Format, settings: Settings) -> _Sheet:
    # Pillow turns TIFFs upright itself as it loads them, and gives their size so from the start.
    orientation = 1 if image.format == "TIFF" else metadata.orientation_of(exif)
    size = geometry.upright(image.size, orientation)
    layout = geometry.layout(size, settings.box, settings.fit, enlarge=settings.enlarge)
    stored = geometry.as_stored(layout.region, size, orientation)
    if modes.is_narrowed(rawmode):
        warned.note("16 bits a channel were narrowed to 8")
    if image.format in _JPEGS:
        stored = _shrink_on_load(image, geometry.upright(layout.size, orientation), stored)
    untouched = settings.profile == "keep" or not image.info.get("icc_profile")
    keep_deep = form in {"png", "tiff"} and not settings.filters and untouched
    return _Sheet(layout, stored, orientation, rawmode, keep_deep)


def _shrink_on_load(image: Image.Image, size: geometry.Size, stored: geometry.Region) -> geometry.Region:
    """Let the JPEG decoder shrink by 2, 4 or 8, and return where the region that becomes size lies then."""
    if image.draft(None, geometry.draft_size(image.size, stored, size)) is None:
        return stored
    scale = image.decoderconfig[0]  # type: ignore[attr-defined]
    left, top, right, bottom = (edge / scale for edge in stored)
    return left, top, right, bottom


def _develop_frame(
    image: Image.Image, sheet: _Sheet, form: Format, settings: Settings
) -> tuple[Image.Image, bytes | None]:
    """Return a loaded frame resized, in its final colours and upright; and the profile it keeps, if any."""
    frame = modes.workable(image, sheet.rawmode, keep_deep=sheet.keep_deep)
    if image.format in _JPEGS and frame.mode == "CMYK" and "adobe" not in image.info:
        # Pillow turns all CMYK of JPEGs round, as Adobe's files need; without Adobe's marker it is stored as it is.
        frame = frame.point(list(range(255, -1, -1)) * 4)
    profile = colour.usable_profile(image.info.get("icc_profile"), frame.mode)
    frame = _resized(frame, sheet)
    frame.info = {}  # so that no writer finds a profile, key colour or comment there that is no longer true
    kept = profile if profile and _keeps_profile(frame.mode, form, settings) else None
    if kept is None and frame.mode != modes.DEEP:
        frame = colour.to_srgb(frame, profile)
        frame.info = {}
    turn = _TURNS.get(sheet.orientation)
    return (frame if turn is None else frame.transpose(turn)), kept


def _resized(frame: Image.Image, sheet: _Sheet) -> Image.Image:
    size = geometry.upright(sheet.layout.size, sheet.orientation)
    if frame.size == size and sheet.stored == (0, 0, *size):
        return frame.copy()
    gap = None if frame.mode == modes.DEEP else _REDUCING_GAP  # Pillow cannot average 16-bit pixels in advance
    ready = modes.premultiplied(frame)
    left, top, right, bottom = sheet.stored
    # Guards against the last bit of a division: Pillow refuses a region that sticks out at all.
    region = max(0.0, left), max(0.0, top), min(ready.width, right), min(ready.height, bottom)
    return modes.straight(ready.resize(size, Image.Resampling.LANCZOS, box=region, reducing_gap=gap))


def _keeps_profile(mode: str, form: Format, settings: Settings) -> bool:
    if settings.profile != "keep":
        return False
    grey_stays = form in {"jpeg", "png", "tiff"} and len(set(settings.background[:3])) == 1
    grey_stays = grey_stays and all(wanted.name != "sepia" for wanted in settings.filters)
    if form in TAGGED and (mode in {"RGB", "RGBA"} or (mode != "CMYK" and grey_stays)):
        return True
    warned.note("the colour profile cannot be kept here: converted to sRGB")
    return False
