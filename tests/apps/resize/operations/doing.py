"""Operations done on one picture, and pictures with alpha to do them on."""

from __future__ import annotations

from PIL import Image

from tests.apps.resize.making import photo
from toolkit.apps.resize.operations import apply
from toolkit.apps.resize.operations.catalogue import parse_operation

MODES = ("L", "LA", "RGB", "RGBA")
CLEAR = ("LA", "RGBA")


def done(image: Image.Image, *operations: str) -> Image.Image:
    (result,) = apply([parse_operation(text) for text in operations], [image])
    return result


def sample(mode: str, width: int = 40, height: int = 30) -> Image.Image:
    """Return something like a photograph; where the mode has alpha, it fades out to the top."""
    image = photo(width, height).convert(mode)
    if mode in CLEAR:
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image
