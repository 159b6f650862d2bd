"""Operations that look each level up in a table, the same for all channels."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from toolkit.apps.resize.operations.steps import LEVELS, Step, by_table, to_level


def brightness(_: Sequence[Image.Image], factor: float) -> Step:
    """Multiply."""
    return by_table([to_level(value * factor) for value in LEVELS])


def contrast(_: Sequence[Image.Image], factor: float) -> Step:
    """Multiply the distance from middle grey."""
    return by_table([to_level((value - 127.5) * factor + 127.5) for value in LEVELS])


def gamma(_: Sequence[Image.Image], gamma: float) -> Step:
    """Raise to the power of 1/gamma."""
    return by_table([to_level(255 * (value / 255) ** (1 / gamma)) for value in LEVELS])


def invert(_: Sequence[Image.Image]) -> Step:
    """Count from the other end."""
    return by_table(LEVELS[::-1])


def posterize(_: Sequence[Image.Image], bits: int) -> Step:
    """Keep the upper bits, and spread what is left so that white stays white."""
    most = (1 << bits) - 1
    return by_table([to_level((value >> (8 - bits)) * 255 / most) for value in LEVELS])


def solarize(_: Sequence[Image.Image], threshold: int) -> Step:
    """Invert the levels from the threshold on."""
    return by_table([255 - value if value >= threshold else value for value in LEVELS])
