"""Colour profiles: converted to sRGB after shrinking, or kept; a result never carries a profile that is not its own.

Relative colorimetric with black point compensation, as browsers and libvips do. Transforms are built once in a process
for each profile, and may be used by several threads.
"""

from __future__ import annotations

import io
from functools import cache, lru_cache

from PIL import Image, ImageChops, ImageCms

from toolkit.apps.resize.warned import note

_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.NOCACHE  # without its cache, threads can share one
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC

_SPACES = {"L": "GRAY", "LA": "GRAY", "I;16": "GRAY", "RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK"}
_SPACE_NAMES = {"GRAY": "grey", "RGB": "RGB", "CMYK": "CMYK"}


def usable_profile(data: object, mode: str) -> bytes | None:
    """Return a picture's ICC profile if it describes pixels of this mode; notes a warning if it does not."""
    if not isinstance(data, bytes) or not data:
        return None
    space = _space_of(data)
    wanted = _SPACES[mode]
    if space == wanted:
        return data
    what = "is broken" if space is None else f"is for {_SPACE_NAMES.get(space, space)} pixels"
    note(f"the colour profile {what}: {_SPACE_NAMES[wanted]} pixels were taken as untagged")
    return None


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return the image (L, LA, RGB, RGBA or CMYK) in sRGB, or grey with sRGB's tones; untagged is taken as sRGB."""
    if profile is None:
        return image.convert("RGB") if image.mode == "CMYK" else image
    if image.mode in {"L", "LA"}:
        table = _grey_table(profile)
        keep_alpha = tuple(range(256)) if image.mode == "LA" else ()
        return image.point(table + keep_alpha) if table else image
    transform = _transform(profile, image.mode)
    if transform is None:
        return image.convert("RGB") if image.mode == "CMYK" else image
    return transform.apply(image)


@lru_cache(maxsize=64)
def _space_of(profile: bytes) -> str | None:
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space.strip()
    except Exception:  # the library's errors for bytes that are no profile are of several sorts
        return None


@lru_cache(maxsize=64)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return the transform to sRGB, or None where it would change nothing (or cannot be built)."""
    to = "RGBA" if mode == "RGBA" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.ImageCmsTransform(source, _srgb(), mode, to, _INTENT, flags=_FLAGS)
    except Exception:  # as above: a profile may be well-formed and lack its tables
        note("the colour profile is broken: the pixels were taken as untagged")
        return None
    if mode == "CMYK":
        return transform
    probe = _probe().convert(mode)
    changed = ImageChops.difference(probe, transform.apply(probe)).convert("RGB").tobytes()
    return transform if max(changed) > 1 else None  # one step is rounding: the profile is sRGB itself, by any name


@lru_cache(maxsize=64)
def _grey_table(profile: bytes) -> tuple[int, ...]:
    """Return sRGB's level for each grey level of the profile, or () if it cannot be told."""
    ramp = Image.new("L", (256, 1))
    ramp.putdata(range(256))
    transform = _transform_grey(profile)
    return tuple(transform.apply(ramp).getchannel("G").getdata()) if transform else ()


def _transform_grey(profile: bytes) -> ImageCms.ImageCmsTransform | None:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.ImageCmsTransform(source, _srgb(), "L", "RGB", _INTENT, flags=_FLAGS)
    except Exception:
        note("the colour profile is broken: the pixels were taken as untagged")
        return None


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@cache
def _probe() -> Image.Image:
    steps = range(0, 256, 51)
    colours = [(red, green, blue) for red in steps for green in steps for blue in steps]
    probe = Image.new("RGB", (len(colours), 1))
    probe.putdata(colours)
    return probe
