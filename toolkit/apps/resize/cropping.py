"""Where to cut: the border that is nothing but one colour, and the part of a picture where most is to be seen."""

from __future__ import annotations

from operator import mul

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from toolkit.apps.resize.geometry import CENTER, Place, Region, Size
from toolkit.apps.resize.modes import ALPHA, DEEP, narrowed

PROXY = 256
"""Pixels of the longer side of the small picture on which it is decided where to cut."""

_COLOURFUL = 0.3
"""What strong colours weigh against edges: a flower before a hedge."""

_CENTRED = 0.15
"""How much less counts what is at the picture's rim: of two that are alike, the middle is the better cut."""

_INNER = 0.5
"""How much less counts what is at the cut's own rim: a thing that fits in is not to touch its edge."""


def proxy_size(size: Size) -> Size:
    """Return the size of the small picture for one of this size."""
    share = min(1.0, PROXY / max(size))
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))


def smart_place(proxy: Image.Image, size: Size, used: tuple[float, float]) -> Place:
    """Return where a cut of `used` pixels holds most of a picture of this size; proxy: the whole of it, small.

    What is counted is energy: how much each pixel differs from its neighbours, and how colourful it is, less at the
    rims. A cut leaves room in one direction only, so it is found by one pass over the columns, or the rows.
    """
    shares = used[0] / size[0], used[1] / size[1]
    across = shares[0] < shares[1]
    share = shares[0] if across else shares[1]
    if share >= 1:
        return CENTER
    profile = _profile(_energy(proxy), across=across)
    length = max(1, round(share * len(profile)))
    room = len(profile) - length
    if room <= 0:
        return CENTER
    weights = [1 - _INNER * abs(2 * (at + 0.5) / length - 1) for at in range(length)]
    totals = [sum(map(mul, profile[start : start + length], weights)) for start in range(room + 1)]
    best = max(totals)
    # Equal places are as good as each other, and the one nearest to the middle looks best.
    good = [start for start, total in enumerate(totals) if total >= best * 0.999]
    start = min(good, key=lambda place: abs(place - room / 2))
    return Place(start / room, 0.5) if across else Place(0.5, start / room)


def content(frame: Image.Image, tolerance: int) -> Region | None:
    """Return the part of a frame without its border; None if there is nothing else, or no border.

    A border is what differs by no more than tolerance, in each channel, from the pixel at the top left; where that is
    transparent, what is transparent.
    """
    if frame.mode == DEEP:
        frame = narrowed(frame)
    if frame.mode in ALPHA and frame.getpixel((0, 0))[-1] == 0:  # type: ignore[index]
        found = frame.getchannel("A").getbbox()
    else:
        corner = Image.new(frame.mode, (1, 1), frame.getpixel((0, 0)) or 0).resize(frame.size)
        apart = ImageChops.difference(frame, corner).point(lambda level: 255 * (level > tolerance))
        bands = apart.split()
        most = bands[0]
        for band in bands[1:]:
            most = ImageChops.lighter(most, band)
        found = most.getbbox()
    if found is None or found == (0, 0, *frame.size):
        return None
    return tuple(map(float, found))  # type: ignore[return-value]  # four of them


def _energy(proxy: Image.Image) -> Image.Image:
    plain = (narrowed(proxy) if proxy.mode == DEEP else proxy).convert("RGB")
    grey = plain.convert("L").filter(ImageFilter.GaussianBlur(1))
    edges = grey.filter(ImageFilter.Kernel((3, 3), (-1, -1, -1, -1, 8, -1, -1, -1, -1), 1, 0))
    ImageDraw.Draw(edges).rectangle((0, 0, edges.width - 1, edges.height - 1), outline=0)  # there it copies the picture
    colourful = plain.convert("HSV").getchannel("S").point(lambda level: int(level * _COLOURFUL * 0.25))
    seen = ImageChops.add(edges, colourful)
    if proxy.mode in ALPHA:
        seen = ImageChops.multiply(seen, proxy.getchannel("A"))
    return seen


def _profile(energy: Image.Image, *, across: bool) -> list[float]:
    """Return the energy of each column (across) or row, less at the rim."""
    length = energy.width if across else energy.height
    # In floats, since a small thing is less than one level of a long column.
    line = energy.convert("F").resize((length, 1) if across else (1, length), Image.Resampling.BOX)
    middle = (length - 1) / 2 or 1
    levels = memoryview(line.tobytes()).cast("f")
    return [level * (1 - _CENTRED * abs(at - middle) / middle) for at, level in enumerate(levels)]
