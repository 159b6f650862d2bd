"""Files as small as told (`--max-bytes`) or as alike as told (`--ssim`): written in memory, measured, and chosen."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import IO

from PIL import Image

from toolkit.apps.resize import animate, codecs
from toolkit.apps.resize.animate import Film
from toolkit.apps.resize.geometry import Size
from toolkit.apps.resize.metadata import Said
from toolkit.apps.resize.modes import DEEP, flattened, premultiplied, straight
from toolkit.apps.resize.recipe import CEILING, FLOOR, QUALITY, Recipe
from toolkit.apps.resize.search import LEAST_SHARE, LEAST_SIDE, Levels, highest_within, largest_within
from toolkit.apps.resize.similarity import Reference
from toolkit.apps.resize.warned import note
from toolkit.apps.resize.writers import LEAST_BITS, MOST_BITS, Around, write
from toolkit.core.errors import FailureKind, TaskError

_COMPARED = 5
"""Frames of an animation that are compared, at most."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """The file that was chosen, what is in it, and at which level it was written; ssim: if it was asked for."""

    film: Film
    level: int
    data: bytes
    ssim: float | None = None


class _Trials:
    """One film written at several levels. background: the colour under transparency when frames are compared."""

    def __init__(self, film: Film, recipe: Recipe, around: Around, background: tuple[int, int, int]) -> None:
        self.film = film
        self._recipe, self._around, self._background = recipe, around, background
        self._written: dict[int, bytes] = {}
        self._references: list[tuple[float, Reference]] = []

    def data(self, level: int) -> bytes:
        """Return the file at a level, written once."""
        if level not in self._written:
            with _memory() as file:
                write(self.film, self._recipe, level, file, self._around)
                file.seek(0)
                self._written[level] = file.read()
        return self._written[level]

    @property
    def says(self) -> bool:
        """Whether the files hold more than pixels and their colours."""
        return self._around.said != Said()

    def size(self, level: int) -> int:
        """Return the file's bytes at a level."""
        return len(self.data(level))

    def ssim(self, level: int) -> float:
        """Return how alike the decoded file and the pixels are, at the worst of a few frames."""
        if not self._references:
            moments = animate.moments(self.film, _COMPARED)
            self._references = [(when, Reference(self._seen(self.film.frames[index]))) for index, when in moments]
        name = codecs.decoders(self._recipe.format)
        with Image.open(io.BytesIO(self.data(level)), formats=name) as image:
            shown = animate.shown_at(image, [when for when, _ in self._references])
            alike = zip(self._references, shown, strict=True)
            return min(reference.similarity(self._seen(frame)) for (_, reference), frame in alike)

    def _seen(self, frame: Image.Image) -> Image.Image:
        return flattened(frame if frame.mode in {"L", "LA", "RGB", "RGBA"} else frame.convert("RGB"), self._background)


def levels(recipe: Recipe) -> Levels:
    """Return the levels that a limit on bytes may lead to: qualities, bits of a GIF's palette, or the only one."""
    if recipe.is_lossy:
        highest = CEILING if recipe.quality is None else recipe.quality
        first = min(highest, QUALITY[recipe.format])
        return Levels(min(FLOOR[recipe.format], highest), highest, first)
    if recipe.format == "gif":
        return Levels(LEAST_BITS, MOST_BITS, MOST_BITS)
    return Levels(0, 0, 0)


def usual(recipe: Recipe) -> int:
    """Return the level that is written at when nothing else decides."""
    bounds = levels(recipe)
    return bounds.first if recipe.quality is None else bounds.highest


def fitted(film: Film, recipe: Recipe, around: Callable[[Size], Around], background: tuple[int, int, int]) -> Fitted:
    """Return the file that keeps to max_bytes and to ssim; if it cannot do both, to max_bytes; raises TaskError."""

    def trials(film: Film) -> _Trials:
        return _Trials(film, recipe, around(film.frames[0].size), background)

    if recipe.ssim is None or not recipe.is_lossy:
        return _within(film, recipe, trials)
    alike = _alike(film, recipe, recipe.ssim, trials)
    if recipe.max_bytes is None or len(alike.data) <= recipe.max_bytes:
        if alike.ssim is not None and alike.ssim < recipe.ssim:
            note(f"an SSIM of {recipe.ssim:g} was not reached: {alike.ssim:.4f} at quality {alike.level}")
        return alike
    small = _within(film, replace(recipe, quality=alike.level), trials)
    ssim = trials(small.film).ssim(small.level)
    if ssim < recipe.ssim:
        note(f"an SSIM of {recipe.ssim:g} was not reached within {recipe.max_bytes:,} bytes: {ssim:.4f}")
    return replace(small, ssim=ssim)


def _alike(film: Film, recipe: Recipe, target: float, trials_of: Callable[[Film], _Trials]) -> Fitted:
    """Return the file of the lowest quality that is alike enough, or else that of the highest quality."""
    trials = trials_of(film)
    found: dict[int, float] = {}
    missed = _straightened(target)

    def measure(level: int) -> float:
        found[level] = trials.ssim(level)
        straight = _straightened(found[level])
        return min(straight, missed) if found[level] < target else max(straight, missed + 1e-6)

    highest = recipe.quality or 100
    bounds = Levels(1, highest, min(highest, QUALITY[recipe.format]))
    level = min(highest, highest_within(measure, missed, bounds) + 1)
    return Fitted(film, level, trials.data(level), found[level])


def _straightened(ssim: float) -> float:
    """Return a measure that grows evenly: each step of quality takes away a share of what an SSIM still lacks."""
    return -math.log(max(1 - ssim, 1e-9))


def _within(film: Film, recipe: Recipe, trials_of: Callable[[Film], _Trials]) -> Fitted:
    """Return the best file within max_bytes: of the highest level that all pixels allow, else of fewer pixels."""
    limit, bounds = recipe.max_bytes or 0, levels(recipe)
    trials = trials_of(film)
    level = _highest(trials, limit, bounds)
    if level >= bounds.lowest:
        if recipe.format == "gif" and level < MOST_BITS:
            note(f"only {1 << level} colours, to stay within {limit:,} bytes")
        return Fitted(film, level, trials.data(level))
    tried = {1.0: trials}
    middle = (bounds.lowest + bounds.first) // 2

    def measure(scale: float) -> int:
        if scale not in tried:
            tried[scale] = trials_of(_shrunk(film, scale))
        return tried[scale].size(middle)

    least = min(1.0, max(LEAST_SHARE, LEAST_SIDE / max(film.frames[0].size)))
    shrunk = largest_within(measure, limit, measure(1.0), least)
    trials = tried[shrunk.scale]
    lowest = middle + 1 if shrunk.within else bounds.lowest
    highest = bounds.highest if shrunk.within else middle - 1
    level = _highest(trials, limit, Levels(lowest, highest, lowest))
    if level < bounds.lowest:
        raise _unreachable(trials, recipe, bounds.lowest)
    (width, height), (less_wide, less_high) = film.frames[0].size, trials.film.frames[0].size
    note(f"{width} x {height} pixels were reduced to {less_wide} x {less_high}, to stay within {limit:,} bytes")
    return Fitted(trials.film, level, trials.data(level))


def _highest(trials: _Trials, limit: int, bounds: Levels) -> int:
    return highest_within(lambda level: math.log(trials.size(level)), math.log(max(1, limit)), bounds)


def _unreachable(trials: _Trials, recipe: Recipe, level: int) -> TaskError:
    width, height = trials.film.frames[0].size
    quality = f" at quality {level}" if recipe.is_lossy else ""
    least = f"the least it came to is {trials.size(level):,} bytes, with {width} x {height} pixels{quality}"
    what = f"cannot be written as {recipe.format} within {recipe.max_bytes:,} bytes: {least}"
    hint = " or take --metadata strip" if trials.says else ""
    return TaskError(FailureKind.ENCODE, f"{what}; raise --max-bytes{hint}")


def _shrunk(film: Film, scale: float) -> Film:
    width, height = film.frames[0].size
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return replace(film, frames=[_resized(frame, size) for frame in film.frames])


def _resized(frame: Image.Image, size: Size) -> Image.Image:
    gap = None if frame.mode == DEEP else 3.0  # Pillow cannot average 16-bit pixels in advance
    return straight(premultiplied(frame).resize(size, Image.Resampling.LANCZOS, reducing_gap=gap))


def _memory() -> IO[bytes]:
    """Return an empty file that is in memory; a real one where there is that, so that encoders release the GIL."""
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("picture"), "w+b")
    return io.BytesIO()
