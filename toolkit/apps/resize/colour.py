"""Colour profiles: converted after shrinking, or kept; a result never carries a profile that is not its own.

Relative colorimetric with black point compensation, as browsers and libvips do. Transforms are built once in a process
for each profile, and may be used by several threads.
"""

from __future__ import annotations

import io
import struct
from functools import cache, lru_cache

from PIL import Image, ImageChops, ImageCms

from toolkit.apps.resize.modes import ALPHA, DEEP
from toolkit.apps.resize.subject import Colours
from toolkit.apps.resize.warned import note
from toolkit.core.errors import FailureKind, TaskError

_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.NOCACHE  # without its cache, threads can share one
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC

_SPACES = {"L": "GRAY", "LA": "GRAY", "I;16": "GRAY", "RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK"}
_SPACE_NAMES = {"GRAY": "grey", "RGB": "RGB", "CMYK": "CMYK"}


MOST_PROFILE = 16 * 1024 * 1024
"""Bytes of a profile that are looked at: JPEG can hold no more, and other formats have no need to."""


NOT_KEPT = "the colour profile cannot be kept here: converted to sRGB"


def finished(frame: Image.Image, profile: bytes | None, colours: Colours) -> Image.Image:
    """Return a frame (L, LA, RGB, RGBA, CMYK or 16-bit grey) in the colours that results are in.

    profile: as usable_profile returned it. The result's info holds the profile that goes with its pixels, or nothing.
    """
    kept = colours.keep_colour if frame.mode in {"RGB", "RGBA"} else colours.keep_grey and frame.mode != "CMYK"
    if kept or frame.mode == DEEP:
        frame.info = {"icc_profile": profile} if kept and profile else {}
        return frame
    if colours.asked and profile:
        note(NOT_KEPT)
    if not colours.target:
        done = to_srgb(frame, profile)
        done.info = {}
        return done
    done = _to_target(frame, profile, colours.target)
    done.info = {"icc_profile": colours.target}
    return done


def usable_profile(data: object, mode: str) -> bytes | None:
    """Return a picture's ICC profile if it describes pixels of this mode; notes a warning if it does not."""
    if not isinstance(data, bytes) or not data:
        return None
    if len(data) > MOST_PROFILE:
        note(f"the colour profile is too large ({len(data):,} bytes): the picture was taken as untagged")
        return None
    space, wanted = _space_of(data), _SPACES[mode]
    if space == wanted and _to_srgb(data, _plain(mode)) is not None:
        return data
    what = f"is for {_SPACE_NAMES.get(space, space)} pixels" if space not in {None, wanted} else "is broken"
    note(f"the colour profile {what}: {_SPACE_NAMES[wanted]} pixels were taken as untagged")
    return None


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return the image (L, LA, RGB, RGBA or CMYK) in sRGB, or grey with sRGB's tones.

    profile: as usable_profile returned it; None is taken as sRGB, and CMYK is then converted by the simple formula.
    """
    transform = _to_srgb(profile, _plain(image.mode)) if profile else None
    if profile is None or transform is None:
        return image.convert("RGB") if image.mode == "CMYK" else image
    if image.mode in {"L", "LA"}:
        alpha = tuple(range(256)) if image.mode == "LA" else ()
        return image.point(_grey_table(profile) + alpha)
    if image.mode == "CMYK":
        return transform.apply(image)
    if is_srgb(profile):
        return image
    if image.mode == "RGBA":
        transform = _to_srgb(profile, "RGBA") or transform
    return transform.apply(image)


@cache
def srgb_profile() -> bytes:
    """Return a profile of sRGB, small, and the same every time: the library would put the time of day into it."""
    made = _srgb().tobytes()
    return made[:24] + struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + made[36:]  # ICC.1:2022, 7.2: when it was made


def _to_target(image: Image.Image, profile: bytes | None, target: bytes) -> Image.Image:
    """Return an image in the colours of an RGB profile; raises TaskError if that cannot be used.

    Straight from its own: by way of sRGB, colours would be lost that both of them have.
    """
    if image.mode in {"L", "LA"} or profile is None:
        image, profile = to_srgb(image, profile), None
    if profile == target:
        return image
    mode = "RGBA" if image.mode in ALPHA else "RGB"
    ready = image if image.mode == "CMYK" else image.convert(mode)
    return _between(profile, target, ready.mode, mode).apply(ready)


@lru_cache(maxsize=16)
def _between(profile: bytes | None, target: bytes, mode: str, result: str) -> ImageCms.ImageCmsTransform:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile)) if profile else _srgb()
        wanted = ImageCms.ImageCmsProfile(io.BytesIO(target))
        return ImageCms.ImageCmsTransform(source, wanted, mode, result, _INTENT, flags=_FLAGS)
    except Exception as error:  # the library's errors are of several sorts
        what = "--profile: the file is no profile that pictures can be converted to"
        raise TaskError(FailureKind.INPUT, what) from error


def _plain(mode: str) -> str:
    """Return the mode without alpha, and of 8 bits."""
    return {"RGBA": "RGB", "LA": "L", "I;16": "L"}.get(mode, mode)


@lru_cache(maxsize=64)
def _space_of(profile: bytes) -> str | None:
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space.strip()
    except Exception:  # the library's errors for bytes that are no profile are of several sorts
        return None


@lru_cache(maxsize=64)
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return the transform to sRGB; None if there is none: a profile may be well-formed and lack its tables."""
    result = "RGBA" if mode == "RGBA" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.ImageCmsTransform(source, _srgb(), mode, result, _INTENT, flags=_FLAGS)
    except Exception:  # as above
        return None


@lru_cache(maxsize=64)
def is_srgb(profile: bytes) -> bool:
    """Tell whether an RGB profile is sRGB, whatever it calls itself; one step is rounding."""
    transform, probe = _to_srgb(profile, "RGB"), _probe()
    return transform is None or max(ImageChops.difference(probe, transform.apply(probe)).tobytes()) <= 1


@lru_cache(maxsize=64)
def _grey_table(profile: bytes) -> tuple[int, ...]:
    """Return sRGB's level for each grey level of the profile."""
    ramp = Image.frombytes("L", (256, 1), bytes(range(256)))
    transform = _to_srgb(profile, "L")
    return tuple((transform.apply(ramp).getchannel("G") if transform else ramp).tobytes())


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@cache
def _probe() -> Image.Image:
    steps = range(0, 256, 51)
    colours = [(red, green, blue) for red in steps for green in steps for blue in steps]
    return Image.frombytes("RGB", (len(colours), 1), bytes(part for colour in colours for part in colour))
