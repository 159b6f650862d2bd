"""What is taken of a picture for each size: layouts, and what engines are asked for so that they come about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from toolkit.apps.resize import cropping, geometry
from toolkit.apps.resize.engines import Deep, Pixels
from toolkit.apps.resize.geometry import Layout, Region, Size
from toolkit.apps.resize.settings import Shape
from toolkit.apps.resize.subject import Part, Subject
from toolkit.apps.resize.turning import tilted, turned

_FINER = 2.0
"""Pictures are turned by an angle at this many times their final size: turning blurs, and scaling then hides it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What becomes one size. area, scaled: the part of the upright picture, and the size that it is scaled to."""

    layout: Layout
    area: Region
    scaled: Size
    shape: Shape

    def part(self, subject: Subject) -> Part:
        """Return what an engine is asked for."""
        region = geometry.as_stored(self.area, subject.size, subject.turn)
        return Part(region, geometry.upright(self.scaled, subject.turn))

    def frame(self, subject: Subject, pixels: Pixels, index: int) -> Image.Image | Deep:
        """Return a frame, upright and of the layout's size."""
        part = self.part(subject)
        found = pixels.scaled(index, part.region, part.size)
        if not isinstance(found, Image.Image):
            return found.turned(subject.turn)
        upright = turned(found, subject.turn)
        if not self.shape.angle:
            return upright
        canvas = geometry.rotated_size(_span(self.area), self.shape.angle)
        around = geometry.rotated_size(self.scaled, self.shape.angle)
        across, down = around[0] / canvas[0], around[1] / canvas[1]
        left, top, right, bottom = self.layout.region
        region = (left * across, top * down, right * across, bottom * down)
        return tilted(upright, self.shape.angle, region, self.layout.size)


def needs_all(shape: Shape) -> bool:
    """Whether every pixel must be looked at before it is known what is taken."""
    return shape.trim is not None


def pieces(subject: Subject, shape: Shape, area: Region | None = None, proxy: Image.Image | None = None) -> list[Piece]:
    """Return what is taken for each size. area: the part of the upright picture that counts, or all of it.

    proxy: that part, small, to find the best cuts on; without it, smart cuts are in the middle.
    """
    whole = area or (0.0, 0.0, float(subject.size[0]), float(subject.size[1]))
    picture = _span(whole)
    turned_size = geometry.rotated_size(picture, shape.angle) if shape.angle else picture
    found = []
    for wanted in shape.sizes:
        place: Callable[[geometry.Place], Layout] = lambda at, wanted=wanted: geometry.layout(  # type: ignore[misc]  # noqa: E731
            turned_size, wanted, shape.fit, enlarge=shape.enlarge, place=at
        )
        layout = place(shape.place)
        if shape.smart and proxy is not None:
            layout = place(cropping.smart_place(proxy, turned_size, _used(layout.region)))
        found.append(_piece(layout, whole, shape))
    return found


def _piece(layout: Layout, whole: Region, shape: Shape) -> Piece:
    if not shape.angle:
        left, top, right, bottom = layout.region
        area = (left + whole[0], top + whole[1], right + whole[0], bottom + whole[1])
        return Piece(layout, area, layout.size, shape)
    across = layout.size[0] / (layout.region[2] - layout.region[0])
    down = layout.size[1] / (layout.region[3] - layout.region[1])
    finer = min(1.0, _FINER * max(across, down))
    width, height = _span(whole)
    return Piece(layout, whole, (max(1, round(width * finer)), max(1, round(height * finer))), shape)


def _span(region: Region) -> Size:
    return round(region[2] - region[0]), round(region[3] - region[1])


def _used(region: Region) -> tuple[float, float]:
    return region[2] - region[0], region[3] - region[1]
