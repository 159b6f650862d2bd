"""Operations whose tables follow from the picture: counted over all frames, so that nothing flickers.

Pixels that cannot be seen do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from PIL import Image

from toolkit.apps.resize.modes import ALPHA
from toolkit.apps.resize.operations.steps import LEVELS, Step, by_table, by_tables, coloured, same, to_level


def autocontrast(frames: Sequence[Image.Image], clip: float) -> Step:
    """Stretch the greys to the full range, by one table for all channels, so that no hue shifts."""
    return by_table(_stretch(_greys(frames), clip))


def autolevels(frames: Sequence[Image.Image], clip: float) -> Step:
    """Stretch each channel by its own table."""
    if all(frame.mode in {"L", "LA"} for frame in frames):
        return autocontrast(frames, clip)
    counts = _sum([_tally(coloured(frame), frame)[:768] for frame in frames])
    return by_tables([_stretch(counts[start : start + 256], clip) for start in (0, 256, 512)])


def equalize(frames: Sequence[Image.Image]) -> Step:
    """Give each grey the level that is the share of pixels below it, by one table for all channels."""
    counts = _greys(frames)
    darkest = next((count for count in counts if count), 0)
    spread = sum(counts) - darkest
    if not spread:
        return same
    return by_table([to_level((below - darkest) * 255 / spread) for below in accumulate(counts)])


def _stretch(counts: Sequence[int], percent: float) -> Sequence[int]:
    spare = sum(counts) * percent / 100
    low, high = _first_above(counts, spare), 255 - _first_above(counts[::-1], spare)
    if high <= low:
        return LEVELS
    return [to_level((value - low) * 255 / (high - low)) for value in LEVELS]


def _first_above(counts: Sequence[int], spare: float) -> int:
    return next((value for value, total in enumerate(accumulate(counts)) if total > spare), len(counts) - 1)


def _greys(frames: Sequence[Image.Image]) -> list[int]:
    return _sum([_tally(frame.convert("L"), frame) for frame in frames])


def _tally(counted: Image.Image, frame: Image.Image) -> list[int]:
    """Count the pixels of each level that can be seen in the frame."""
    if frame.mode not in ALPHA:
        return counted.histogram()
    return counted.histogram(frame.getchannel("A").point([0] + [255] * 255))


def _sum(counts: Sequence[Sequence[int]]) -> list[int]:
    return [sum(column) for column in zip(*counts, strict=True)]
