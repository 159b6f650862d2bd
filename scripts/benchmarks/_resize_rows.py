"""The rows of the resize benchmark: which pictures, into what, and what must be reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from _pictures import Shelf

from toolkit.core.errors import UsageError

Form = Literal["jpeg", "webp", "png"]
SUFFIX: dict[Form, str] = {"jpeg": "jpg", "webp": "webp", "png": "png"}


@dataclass(frozen=True, slots=True)
class Goal:
    """toolkit's engine must be so many times as fast as the fastest of some families of peers."""

    engine: Literal["pillow", "vips"]
    peers: tuple[str, ...]
    times: float


GOALS = (
    Goal("pillow", ("vipsthumbnail",), 1.2),
    Goal("vips", ("sharp",), 1.0),
    Goal("vips", ("xargs vipsthumbnail",), 1.3),
)
SEPARATE = ("vipsthumbnail", "xargs vipsthumbnail", "mogrify", "gm")
"""Families that make one result a run; sharp makes several of one picture."""


@dataclass(frozen=True, slots=True)
class Row:
    """One table: the pictures of a shelf (the first `most`) into boxes of these sides, in these formats.

    filtered: grey, blurred and sharpened as well; then nothing is compared with a reference, as each tool means
    something else by it. models: whether toolkit runs by threads and by processes, which must agree.
    """

    name: str
    title: str
    shelf: Shelf
    sides: tuple[int, ...] = (800,)
    forms: tuple[Form, ...] = ("jpeg",)
    quality: int = 85
    most: int | None = None
    filtered: bool = False
    models: bool = False
    goals: tuple[Goal, ...] = GOALS

    @property
    def several(self) -> bool:
        """Tell whether a picture has more than one result."""
        return len(self.sides) * len(self.forms) > 1


ROWS = {
    row.name: row
    for row in (
        Row("photos", "photographs (JPEG) into 800×800, JPEG at 85", "photos", models=True),
        Row("mixed", "photographs (JPEG and PNG) into 800×800, JPEG at 85", "mixed"),
        Row(
            "sizes",
            "photographs (JPEG) into 320, 640 and 1280 pixels, JPEG and WebP at 80",
            "photos",
            sides=(320, 640, 1280),
            forms=("jpeg", "webp"),
            quality=80,
            most=40,
            goals=(*GOALS, Goal("pillow", SEPARATE, 2.0), Goal("vips", SEPARATE, 2.0)),
        ),
        Row("alpha", "PNG with a soft edge into 800×800, PNG", "alpha", forms=("png",)),
        Row("filters", "photographs into 800×800, grey, blurred, sharpened, JPEG at 85", "photos", filtered=True),
        Row("icons", "icons of 64 to 128 pixels into 48×48, PNG", "icons", sides=(48,), forms=("png",)),
    )
}


def choose(names: str) -> list[Row]:
    """Return the rows of a list of names with commas; raises UsageError for an unknown one."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in ROWS:
            raise UsageError(f"--rows {name}: choose from {', '.join(ROWS)}")
    return [ROWS[name] for name in wanted]
