"""Pictures turned: by an EXIF code, which loses nothing, or by any angle."""

from __future__ import annotations

from PIL import Image

from toolkit.apps.resize.geometry import Region, Size, rotated_size
from toolkit.apps.resize.modes import ALPHA, premultiplied, straight

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright that has this EXIF orientation."""


def turned(frame: Image.Image, code: int) -> Image.Image:
    """Return the frame as an EXIF code (1 to 8) says; its info stays."""
    return frame.transpose(TURNS[code]) if code in TURNS else frame


def leaning(frame: Image.Image, degrees: float) -> Image.Image:
    """Return the whole frame turned clockwise by less than a right angle, on the canvas that holds it."""
    if not degrees:
        return frame
    canvas = rotated_size(frame.size, degrees)
    return tilted(frame, degrees, (0.0, 0.0, float(canvas[0]), float(canvas[1])), canvas)


def tilted(frame: Image.Image, degrees: float, region: Region, size: Size) -> Image.Image:
    """Return the frame turned clockwise, and of that a region, scaled to size; alpha is where nothing is.

    region: in pixels of the smallest upright canvas that holds the turned frame.
    """
    kept = dict(frame.info)
    clear = {"L": "LA", "RGB": "RGBA"}.get(frame.mode, frame.mode)
    ready = premultiplied(frame.convert(clear))
    around = ready.rotate(-degrees, Image.Resampling.BICUBIC, expand=True)
    # Pillow's canvas is that canvas, with whole pixels more on both sides where it rounds otherwise.
    width, height = rotated_size(frame.size, degrees)
    across, down = (around.width - width) / 2, (around.height - height) / 2
    left, top, right, bottom = region[0] + across, region[1] + down, region[2] + across, region[3] + down
    box = (max(0.0, left), max(0.0, top), min(float(around.width), right), min(float(around.height), bottom))
    done = straight(around.resize(size, Image.Resampling.LANCZOS, box=box))
    assert done.mode in ALPHA  # noqa: S101 - what stays free is seen through
    done.info = kept
    return done
