"""Small likenesses of pictures for people to look at, in reports and on contact sheets: quick, upright, in sRGB."""

from __future__ import annotations

import io
import os

from PIL import ExifTags, Image, ImageChops, ImageOps

from toolkit.apps.resize import colour, modes, warned
from toolkit.apps.resize.opening import exif_of, opened, rawmode_of, reading
from toolkit.core.errors import FailureKind, TaskError

MOST_PIXELS = 200_000_000
"""A file with more is not opened; the same as --max-pixels is by itself."""
MOST_DECODED = 64_000_000
"""Pixels that are decoded for one likeness, after a JPEG was shrunk on load: it is not worth more memory."""
PAPER = (255, 255, 255)
"""What shows through a transparent picture."""
QUALITY = 80


def thumbnail(path: str | os.PathLike[str], side: int) -> bytes:
    """Return a JPEG of a picture's first frame within side x side pixels; raises TaskError."""
    data = io.BytesIO()
    likeness(path, side).save(data, "JPEG", quality=QUALITY, optimize=True)
    return data.getvalue()


def likeness(path: str | os.PathLike[str], side: int) -> Image.Image:
    """Return a picture's first frame in RGB within side x side pixels, never enlarged; raises TaskError."""
    with warned.noting(), opened(os.fspath(path), MOST_PIXELS) as (_, image), reading():
        rawmode = rawmode_of(image)
        image.draft(None, (side, side))  # does nothing to what is no JPEG
        if image.width * image.height > MOST_DECODED:
            raise TaskError(FailureKind.TOO_LARGE, f"{image.width} x {image.height} pixels are too many to show")
        image.load()
        turn = exif_of(image).get(ExifTags.Base.Orientation, 1)  # now: a PNG's may stand after its pixels
        frame = modes.workable(image, rawmode, keep_deep=False)
        if frame.mode == "CMYK" and image.format in {"JPEG", "MPO"} and "adobe" not in image.info:
            frame = ImageChops.invert(frame)  # Pillow turns all CMYK of JPEGs round, which is right for Adobe's only
        profile = colour.usable_profile(image.info.get("icc_profile"), frame.mode)
        frame = colour.to_srgb(_within(frame, side), profile)
        return _upright(modes.flattened(frame, PAPER).convert("RGB"), turn)


def _within(frame: Image.Image, side: int) -> Image.Image:
    """Return the frame shrunk to fit, with nothing of the file but its pixels."""
    small = modes.premultiplied(frame) if frame.mode in modes.ALPHA else frame.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    small = modes.straight(small)
    small.info = {}
    return small


def _upright(small: Image.Image, turn: object) -> Image.Image:
    small.getexif()[ExifTags.Base.Orientation] = turn  # what is no such turn is passed over
    return ImageOps.exif_transpose(small)
