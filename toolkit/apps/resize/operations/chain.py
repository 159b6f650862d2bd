"""Operations done one after another, each on all frames before the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PIL import Image

from toolkit.apps.resize.operations import colours, frame, neighbours, stretching, tones, watermark
from toolkit.apps.resize.operations import text as words
from toolkit.apps.resize.operations.catalogue import Operation
from toolkit.apps.resize.operations.steps import Step, coloured

MAKERS: dict[str, Callable[..., Step]] = {
    "blur": neighbours.blur,
    "sharpen": neighbours.sharpen,
    "unsharp": neighbours.unsharp,
    "median": neighbours.median,
    "grayscale": colours.grayscale,
    "sepia": colours.sepia,
    "brightness": tones.brightness,
    "contrast": tones.contrast,
    "saturation": colours.saturation,
    "gamma": tones.gamma,
    "autocontrast": stretching.autocontrast,
    "autolevels": stretching.autolevels,
    "equalize": stretching.equalize,
    "invert": tones.invert,
    "posterize": tones.posterize,
    "solarize": tones.solarize,
    "threshold": colours.threshold,
    "edge": neighbours.edge,
    "emboss": neighbours.emboss,
    "vignette": frame.vignette,
    "tint": colours.tint,
    "lut": colours.lut,
    "border": frame.border,
    "round": frame.round_,
    "watermark": watermark.watermark,
    "text": words.text,
}
"""What makes the step of an operation: called with the frames and the operation's values, in the catalogue's order."""


def done(operations: Sequence[Operation], frames: Sequence[Image.Image], *, stay_rgb: bool) -> list[Image.Image]:
    """Return the frames with the operations done; see apply()."""
    results = list(frames)
    for operation in operations:
        step = MAKERS[operation.name](results, *operation.values)
        results = [step(result) for result in results]
        if stay_rgb:
            results = [coloured(result) for result in results]
    return results
