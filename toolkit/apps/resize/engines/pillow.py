"""The Pillow engine: header, shrink-on-load, resize, colours, orientation, filters, canvas, encode; in this order.

Opens only the formats in READ: the decoders that are well kept. Every way in which a damaged file fails is a TaskError.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from PIL import (  # the plugins are imported here so that Pillow need not look for them
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from toolkit import storage
from toolkit.apps.resize import animate, colour, geometry, metadata, modes, operations, warned
from toolkit.apps.resize.animate import Film
from toolkit.apps.resize.encode import Wrapping, encode
from toolkit.apps.resize.formats import TAGGED, Format, format_of
from toolkit.apps.resize.geometry import Layout
from toolkit.apps.resize.job import Resized
from toolkit.apps.resize.names import shown
from toolkit.apps.resize.options import Settings
from toolkit.core.errors import FailureKind, TaskError

READ = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF", "BMP", "PPM")
"""The decoders that may run; MPO, the pair of pictures that some phones write, comes by way of JPEG."""

_PLUGINS = (AvifImagePlugin, BmpImagePlugin, GifImagePlugin, JpegImagePlugin, MpoImagePlugin)
_PLUGINS += (PngImagePlugin, PpmImagePlugin, TiffImagePlugin, WebPImagePlugin)

AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # the models run as many pictures at once as there are processors
warned.divert()

_REDUCING_GAP = 3.0
"""From three times the size on, box averages before the final filter cannot be told from the filter alone (Pillow's
documentation, and our test against a float reference)."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def render(source: str, target: Path, settings: Settings) -> Resized:
    """Make target, whose suffix names the format, from the picture at source.

    Raises TaskError: input (cannot be read), image (damaged), unsupported, too_large, encode, name or disk. The target
    is replaced only when its new content is complete.
    """
    form, watch = format_of(target.name), _Stopwatch()
    with warned.noting() as noted, _opened(source, settings.max_pixels) as (file, image):
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
    """What is decided once for all frames of a picture."""

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


@contextmanager
def _opened(source: str, max_pixels: int) -> Iterator[tuple[IO[bytes], Image.Image]]:
    # Pillow's own limit is one for the whole process, so it is only ever raised to what a user has allowed.
    if Image.MAX_IMAGE_PIXELS is not None and max_pixels > Image.MAX_IMAGE_PIXELS:
        Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        file = open(source, "rb")  # noqa: SIM115 - closed below
    except (OSError, ValueError) as error:
        raise TaskError(FailureKind.INPUT, f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
    with file:
        with _reading():
            image = Image.open(file, formats=READ)
        with image:
            if image.width * image.height > max_pixels:
                raise _too_large(image, 1, max_pixels)
            yield file, image


@contextmanager
def _reading() -> Iterator[None]:
    """Name every way in which reading pixels fails; decoders raise nearly anything for damaged files."""
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


def _develop(image: Image.Image, form: Format, settings: Settings, watch: _Stopwatch) -> tuple[Film, Wrapping]:
    with watch("decode"), _reading():
        exif = _exif_of(image)
        sheet = _sheet_for(image, exif, form, settings)
        indices, durations = _frame_indices(image, form, settings.max_pixels), []
    frames: list[Image.Image] = []
    kept: bytes | None = None
    for index in indices:
        with watch("decode"), _reading():
            image.seek(index)
            image.load()
            durations.append(float(image.info.get("duration", 0)))
        with watch("process"):
            frame, kept = _develop_frame(image, sheet, form, settings)
            frames.append(frame)
    with watch("process"):
        frames = operations.apply(settings.filters, frames, stay_rgb=kept is not None and frames[0].mode[:3] == "RGB")
        frames = _alike([_on_canvas(frame, sheet.layout, form, settings) for frame in frames])
        said = metadata.said_of(exif, image.info, sheet.layout.canvas, settings.metadata)
    wrapping = Wrapping(settings.quality, _opaque(settings), kept or b"", said)
    moving = durations if len(frames) > 1 else ()
    return Film(frames, moving, animate.plays_of(image)), wrapping


def _develop_frame(
    image: Image.Image, sheet: _Sheet, form: Format, settings: Settings
) -> tuple[Image.Image, bytes | None]:
    """Return a loaded frame resized, in its final colours and upright; and the profile it keeps, if any."""
    frame = modes.workable(image, sheet.rawmode, keep_deep=sheet.keep_deep)
    if image.format in {"JPEG", "MPO"} and frame.mode == "CMYK" and "adobe" not in image.info:
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
    size = sheet.layout.size
    if sheet.orientation in geometry.SWAPPED:
        size = size[1], size[0]
    if frame.size == size and sheet.stored == (0, 0, *size):
        return frame.copy()
    # Pillow cannot average 16-bit pixels in advance.
    gap = None if frame.mode == modes.DEEP else _REDUCING_GAP
    ready = modes.premultiplied(frame)
    return modes.straight(
        ready.resize(size, Image.Resampling.LANCZOS, box=_within(sheet.stored, ready), reducing_gap=gap)
    )


def _within(region: geometry.Region, image: Image.Image) -> geometry.Region:
    """Guard against the last bit of a division: Pillow refuses a region that sticks out at all."""
    return max(0.0, region[0]), max(0.0, region[1]), min(image.width, region[2]), min(image.height, region[3])


def _sheet_for(image: Image.Image, exif: Image.Exif, form: Format, settings: Settings) -> _Sheet:
    # Pillow turns TIFFs upright itself as it loads them, and gives their size so from the start.
    orientation = 1 if image.format == "TIFF" else metadata.orientation_of(exif)
    size = geometry.upright(image.size, orientation)
    layout = geometry.layout(size, settings.box, settings.fit, enlarge=settings.enlarge)
    stored = geometry.as_stored(layout.region, size, orientation)
    rawmode = _rawmode_of(image)
    if modes.is_narrowed(rawmode):
        warned.note("16 bits a channel were narrowed to 8")
    if image.format in {"JPEG", "MPO"}:
        stored = _shrink_on_load(image, layout, stored, orientation)
    untouched = settings.profile == "keep" or not image.info.get("icc_profile")
    keep_deep = form in {"png", "tiff"} and not settings.filters and untouched
    return _Sheet(layout, stored, orientation, rawmode, keep_deep)


def _shrink_on_load(image: Image.Image, layout: Layout, stored: geometry.Region, orientation: int) -> geometry.Region:
    """Let the JPEG decoder shrink by 2, 4 or 8, and return where the region lies then."""
    size = geometry.upright(layout.size, orientation)
    drafted = image.draft(None, geometry.draft_size(image.size, stored, size))
    if drafted is None:
        return stored
    scale = image.decoderconfig[0]  # type: ignore[attr-defined]
    left, top, right, bottom = (edge / scale for edge in stored)
    return left, top, right, bottom


def _frame_indices(image: Image.Image, form: Format, max_pixels: int) -> range:
    frames = getattr(image, "n_frames", 1)
    if not animate.can_move(form, image):
        if frames > 1:
            what = "frames" if animate.is_animation(image) else "pictures"
            warned.note(f"only the first of {frames} {what} was kept")
        return range(1)
    if frames * image.width * image.height > max_pixels:
        raise _too_large(image, frames, max_pixels)
    # An APNG may begin with a picture for those who cannot play it, which is no frame (APNG, `fcTL`).
    return range(1 if getattr(image, "default_image", False) else 0, frames)


def _exif_of(image: Image.Image) -> Image.Exif:
    try:
        return image.getexif()
    except Exception as error:  # as for pixels, damaged EXIF fails in many ways; the picture may still be good
        if isinstance(error, OSError | EOFError) and image.format == "PNG":
            raise  # there the pixels are loaded to look for it
        warned.note(f"the EXIF data is damaged and was left out ({type(error).__name__})")
        return Image.Exif()


def _rawmode_of(image: Image.Image) -> str:
    tile = getattr(image, "tile", None)
    if not tile:
        return ""
    args = tile[0][3]
    return args if isinstance(args, str) else args[0] if args and isinstance(args[0], str) else ""


def _keeps_profile(mode: str, form: Format, settings: Settings) -> bool:
    if settings.profile != "keep":
        return False
    red, green, blue, _ = settings.background
    grey_stays = form in {"jpeg", "png", "tiff"} and red == green == blue
    grey_stays = grey_stays and all(wanted.name != "sepia" for wanted in settings.filters)
    if form in TAGGED and (mode in {"RGB", "RGBA"} or (mode != "CMYK" and grey_stays)):
        return True
    warned.note("the colour profile cannot be kept here: converted to sRGB")
    return False


def _on_canvas(frame: Image.Image, layout: Layout, form: Format, settings: Settings) -> Image.Image:
    """Put a frame on a canvas of the background's colour, if the layout has one that is larger."""
    if frame.size == layout.canvas:
        return frame
    red, green, blue, alpha = settings.background
    if form == "jpeg":
        frame = modes.flattened(frame, _opaque(settings))
        red, green, blue, alpha = *_opaque(settings), 255
    if frame.mode == modes.DEEP and (alpha < 255 or not red == green == blue):  # noqa: PLR2004
        frame = modes.narrowed(frame)
        warned.note("16-bit grey was narrowed to 8 bits")
    grey = frame.mode in {"L", "LA", modes.DEEP} and red == green == blue
    clear = frame.mode in modes.ALPHA or alpha < 255  # noqa: PLR2004
    mode = frame.mode if frame.mode == modes.DEEP else ("LA" if clear else "L") if grey else "RGBA" if clear else "RGB"
    fill: int | tuple[int, ...] = {
        modes.DEEP: red * 257,
        "L": red,
        "LA": (red, alpha),
        "RGB": (red, green, blue),
        "RGBA": (red, green, blue, alpha),
    }[mode]
    canvas = Image.new(mode, layout.canvas, fill)
    canvas.paste(frame.convert(mode), layout.at)
    return canvas


def _alike(frames: list[Image.Image]) -> list[Image.Image]:
    """Return the frames in one mode that holds them all."""
    found = {frame.mode for frame in frames}
    if len(found) == 1:
        return frames
    clear = any(mode in modes.ALPHA for mode in found)
    return [frame.convert("RGBA" if clear else "RGB") for frame in frames]


def _opaque(settings: Settings) -> tuple[int, int, int]:
    """Return the background as it looks on white."""
    red, green, blue, alpha = settings.background
    red, green, blue = ((part * alpha + 255 * (255 - alpha) + 127) // 255 for part in (red, green, blue))
    return red, green, blue


def _too_large(image: Image.Image, frames: int, limit: int) -> TaskError:
    times = f"{frames} frames of " if frames > 1 else ""
    what = f"{times}{image.width} x {image.height} pixels are more than {limit:,}"
    return TaskError(FailureKind.TOO_LARGE, f"{what}: raise --max-pixels if you trust the file")
