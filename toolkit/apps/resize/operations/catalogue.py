"""The operations by name: what they do, their arguments with limits, and how users write them. No pixels here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

from toolkit.apps.resize.geometry import Gravity
from toolkit.apps.resize.operations import arguments as of
from toolkit.apps.resize.operations.arguments import Argument, Value
from toolkit.apps.resize.operations.files import File
from toolkit.apps.resize.operations.parsing import values_of


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation to do: its name, and a value for each of its arguments, in the order of the catalogue."""

    name: str
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Description:
    """What an operation does. check: takes its values, and raises ValueError for files that it cannot use."""

    meaning: str
    arguments: tuple[Argument, ...] = ()
    check: Callable[..., None] | None = None


def _check_lut(file: File) -> None:
    from toolkit.apps.resize.operations.cube import cube_of

    cube_of(file)


def _check_watermark(image: File, *_: Value) -> None:
    from toolkit.apps.resize.operations.watermark import check

    check(image)


def _check_text(text: str, *values: Value) -> None:
    from toolkit.apps.resize.operations.text import check

    font = values[-1]
    check(text, font if isinstance(font, File) else None)


_FACTOR = of.Number(0, 5)
_SHARE = of.Number(0, 1)
_PERCENT = of.Number(0, 45)
_LEVEL = of.Whole(0, 255)
_MARGIN = Argument("margin", of.Distance(10_000, 45), "2%", "distance from the sides of the picture")
_POSITION = Argument("position", of.Word(get_args(Gravity)), "southeast", "where it lies")

OPERATIONS: dict[str, Description] = {
    "blur": Description(
        "soften (Gaussian); alpha is softened, too",
        (Argument("radius", of.Number(0.1, 100), "2", "standard deviation in pixels of the result"),),
    ),
    "sharpen": Description(
        "bring out fine detail",
        (Argument("strength", _FACTOR, "1", "1 is ordinary, 0 changes nothing"),),
    ),
    "unsharp": Description(
        "sharpen by an unsharp mask",
        (
            Argument("radius", of.Number(0.1, 100), "2", "of the blur that is taken away, in pixels of the result"),
            Argument("percent", of.Whole(0, 1000), "100", "strength"),
            Argument("threshold", _LEVEL, "2", "differences up to this many levels stay"),
        ),
    ),
    "median": Description(
        "remove specks: each pixel becomes the median of its neighbourhood",
        (Argument("size", of.Whole(3, 15, step=2), "3", "side of the neighbourhood in pixels"),),
    ),
    "grayscale": Description("take the colours away (BT.601 weights)"),
    "sepia": Description("tone like an old print", (Argument("amount", _SHARE, "1", "share of the tone"),)),
    "brightness": Description(
        "multiply all levels",
        (Argument("factor", _FACTOR, "1.2", "1 changes nothing, 0 is black"),),
    ),
    "contrast": Description(
        "spread the levels around middle grey",
        (Argument("factor", _FACTOR, "1.2", "1 changes nothing, 0 is grey"),),
    ),
    "saturation": Description(
        "strengthen or weaken the colours",
        (Argument("factor", _FACTOR, "1.3", "1 changes nothing, 0 is grey"),),
    ),
    "gamma": Description(
        "lighten or darken the middle tones; black and white stay",
        (Argument("gamma", of.Number(0.1, 10), "1.2", "above 1 lightens, 1 changes nothing"),),
    ),
    "autocontrast": Description(
        "stretch the tones to the full range, all channels alike: no hue shifts",
        (Argument("clip", _PERCENT, "0.5", "percent of the pixels that may clip at each end"),),
    ),
    "autolevels": Description(
        "stretch each channel to the full range: takes a colour cast away",
        (Argument("clip", _PERCENT, "0.5", "percent of the pixels that may clip at each end"),),
    ),
    "equalize": Description("give all tones an equal share of the picture, all channels alike"),
    "invert": Description("turn into a negative"),
    "posterize": Description(
        "keep few levels, evenly spread from black to white",
        (Argument("bits", of.Whole(1, 8), "3", "2 to the power of bits levels a channel"),),
    ),
    "solarize": Description(
        "invert the lights",
        (Argument("threshold", of.Whole(0, 256), "128", "levels from this on are inverted"),),
    ),
    "threshold": Description(
        "black and white, nothing between",
        (Argument("level", of.Whole(0, 256), "128", "greys from this on become white"),),
    ),
    "edge": Description("show only where neighbours differ (a Laplacian)"),
    "emboss": Description("show relief on grey, lit from the north-west"),
    "vignette": Description(
        "darken towards the corners, with the square of the distance from the centre",
        (Argument("strength", _SHARE, "0.5", "share of the light that the corners lose"),),
    ),
    "tint": Description(
        "tone in a colour: each pixel is mixed with its grey in that colour",
        (
            Argument("colour", of.Shade(), None, "the colour that white becomes at 1"),
            Argument("amount", _SHARE, "0.5", "share of the tone"),
        ),
    ),
    "lut": Description(
        "look the colours up in a table (.cube, 1D or 3D)",
        (Argument("file", of.Source(), None, "the table"),),
        _check_lut,
    ),
    "border": Description(
        "add a border around the picture, which grows by it",
        (
            Argument("width", of.Distance(5_000, 100, least=1), "16", "of the border on each side"),
            Argument("colour", of.Shade(), "white", "of the border"),
        ),
    ),
    "round": Description(
        "round the corners off; formats without alpha show their background there",
        (Argument("radius", of.Distance(30_000, 50), "10%", "of the corners, 50% is as round as can be"),),
    ),
    "watermark": Description(
        "lay an image over the picture",
        (
            Argument("image", of.Source(), None, "the file, best a PNG with alpha"),
            _POSITION,
            Argument("opacity", _SHARE, "0.5", "1 hides what is below"),
            Argument("scale", of.Number(0.01, 1), "0.2", "its width as a share of the picture's"),
            _MARGIN,
        ),
        _check_watermark,
    ),
    "text": Description(
        "write a text over the picture",
        (
            Argument("text", of.Text(), None, "the words"),
            _POSITION,
            Argument("opacity", _SHARE, "0.7", "1 hides what is below"),
            Argument("size", of.Distance(2_000, 100, least=4), "5%", "size of the letters"),
            Argument("colour", of.Shade(), "white", "of the letters"),
            _MARGIN,
            Argument(
                "font", of.Source(), "", "a TrueType or OpenType file; the built-in font knows plain English only"
            ),
        ),
        _check_text,
    ),
}


def parse_operation(text: str) -> Operation:
    """Read `NAME` or `NAME:ARGUMENT,...`; an argument is a value or name=value, in double quotes if it holds a comma.

    Values without a name come first, in the order of the catalogue. Files are read, and must be usable. Raises
    ValueError with a message that says which argument is wrong, and what it may be.
    """
    name, colon, rest = text.strip().partition(":")
    if name not in OPERATIONS:
        raise ValueError(f"there is no operation {name!r}; there are: {', '.join(OPERATIONS)}")
    described = OPERATIONS[name]
    try:
        values = values_of(name, described.arguments, rest if colon else None)
        if described.check:
            described.check(*values)
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}") from error
    return Operation(name, values)


def may_colour(operation: Operation) -> bool:
    """Whether the operation may make a grey picture coloured."""
    if operation.name in {"sepia", "tint", "lut", "watermark"}:
        return True
    return any(isinstance(value, tuple) and len(set(value[:3])) > 1 for value in operation.values)


def table() -> str:
    """Return the operations as a table in Markdown."""
    lines = ["| operation | what it does | its arguments (the usual value) |", "|---|---|---|"]
    for name, described in OPERATIONS.items():
        told = "; ".join(
            f"`{argument.name}` {argument.meaning}: {argument.kind.limits}"
            + {None: " (must be given)", "": ""}.get(argument.usual, f" ({argument.usual})")
            for argument in described.arguments
        )
        lines.append(f"| `{name}` | {described.meaning} | {told} |")
    return "\n".join(lines)
