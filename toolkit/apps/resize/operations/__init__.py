"""What is done to resized pictures, by name: catalogue.py says what there is, the other files do it to pixels.

Planning and --help need the names alone, so Pillow is imported when the first picture is at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from toolkit.apps.resize.operations.catalogue import Operation

if TYPE_CHECKING:
    from PIL import Image


def apply(
    operations: Sequence[Operation], frames: Sequence[Image.Image], *, stay_rgb: bool = False
) -> list[Image.Image]:
    """Return the frames (L, LA, RGB or RGBA) with the operations done in order; border alone changes their size.

    stay_rgb: grey results stay RGB, to fit a profile. Raises TaskError if a file that an operation needs has changed.
    """
    from toolkit.apps.resize.operations.chain import done

    return done(operations, frames, stay_rgb=stay_rgb)
