"""What is done to libvips' images: cut, scaled, brought to other colours, written with 16 bits a channel.

It is imported in the process that does the work, never in one that others are forked from: libvips has threads.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from PIL import Image

from toolkit.apps.resize import colour, metadata, scaling, sixteen
from toolkit.apps.resize.encode import Wrapping
from toolkit.apps.resize.geometry import Region, Size
from toolkit.apps.resize.settings import Resample, Shape
from toolkit.core.errors import FailureKind, TaskError

# One thread a picture: models do as many pictures at once as there are processors. Read once, as libvips starts.
os.environ.setdefault("VIPS_CONCURRENCY", "1")
os.environ.setdefault("VIPS_BLOCK_UNTRUSTED", "1")

import pyvips

pyvips.cache_set_max(0)  # a picture is seen once, and one that changed must not be taken from a cache

Error = pyvips.Error

KERNELS: dict[Resample, str] = {"lanczos": "lanczos3", "bicubic": "cubic", "bilinear": "linear"}
"""The filters that libvips has, by its names, and that give what Pillow's give."""

BANDS = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
"""What Pillow calls so many bands of 8 bits."""

_PREMULTIPLIED = {1: "L", 2: "La", 3: "RGB", 4: "RGBa"}

_GAP = 3.0
"""Down to three times the size by averaging boxes, as our Pillow engine does: libvips' own choice of two shows."""

_LIGHT, _BYTES = "float", "uchar"
_PROFILE = "icc-profile-data"
_COARSE = 16
"""Pixels of a result below which libvips' filter, whose weights are few bits, is off by more than a level or two."""
_LITTLE = 0.02
"""A part of a pixel by which a picture may be off, and nobody can see it."""


def load(loader: str, path: str, **options: Any) -> Any:
    """Return the image in a file, decoded as it is read; raises Error."""
    told = {"access": "sequential", "fail_on": "error", **options}
    try:
        name = os.fsencode(path).decode()
    except UnicodeDecodeError:  # pyvips takes such a name, but fails at reading libvips' errors, which repeat it
        return getattr(pyvips.Image, f"{loader}_source")(_source(path), **told)
    return getattr(pyvips.Image, loader)(name, **told)


def size_of(image: Any) -> Size:
    """Return pixels across and down."""
    return image.width, image.height


def is_wide(image: Any) -> bool:
    """Tell whether an image has 16 bits a channel."""
    return image.format in {"ushort", "short"}


def cut(image: Any, region: Region) -> tuple[Any, Region]:
    """Return the pixels that a region touches, and where among them it lies."""
    left, top, right, bottom = region
    first, above, last, below = scaling.touched(region, size_of(image))
    box = left - first, top - above, right - first, bottom - above
    if (first, above, last, below) == (0, 0, *size_of(image)):
        return image, box
    return image.crop(first, above, last - first, below - above), box


def fitted(image: Any, size: Size) -> Any:
    """Return the image with exactly this size: cut, or its last pixels repeated."""
    if image.width < size[0] or image.height < size[1]:
        image = image.embed(0, 0, max(size[0], image.width), max(size[1], image.height), extend="copy")
    return image if size_of(image) == size else image.crop(0, 0, *size)


def scaled(image: Any, box: Region, size: Size, shape: Shape) -> Any:
    """Return a region (box) of an image at another size, its alpha premultiplied meanwhile.

    In linear light only if it has colours of 16 bits in sRGB's tones.
    """
    kind = image.format
    ready = image.colourspace("scrgb") if shape.linear else image
    clear = ready.hasalpha()
    if clear:
        ready = ready.premultiply()
    # libvips' filter of 16-bit numbers is off by fifty levels; that of 8 bits by one at most, and five times as fast.
    ready = ready.rint().cast(_BYTES) if kind == _BYTES and clear else ready if kind == _BYTES else ready.cast(_LIGHT)
    small = _filtered(ready, box, size, shape)
    if clear:
        small = small.unpremultiply()
    return small.colourspace("rgb16") if shape.linear else small.rint().cast(kind)


def converted(image: Any, profile: bytes | None, target: bytes) -> Any:
    """Return colours of 16 bits as a profile has them, or as sRGB if there is no target. profile: their own."""
    same = profile == target if target else profile is None or colour.is_srgb(profile)
    if same:
        return image
    told: dict[str, Any] = {"intent": "relative", "black_point_compensation": True}
    # In two steps, which are done in floats: one step would take 16 bits from a table, and be off by ten levels of 8.
    source, own = (_tagged(image, profile), {"embedded": True}) if profile else (image, {"input_profile": "srgb"})
    free = source.icc_import(**own, **told)
    return (_tagged(free, target) if target else free).icc_export(
        depth=16, **told, **({} if target else {"output_profile": "srgb"})
    )


def narrowed(image: Any) -> Any:
    """Return 16 bits as 8, rounded: as modes.narrowed."""
    return (image * (255 / 65_535)).rint().cast(_BYTES)


def reason(error: pyvips.Error) -> str:
    """Return what libvips says, without the paths and names of its own."""
    lines = [line.strip() for line in str(error.detail or error.message).splitlines() if line.strip()]
    return lines[-1][:200] if lines else "damaged"


@dataclass(frozen=True, slots=True)
class Deep:
    """Colours of 16 bits; see engines.Deep."""

    image: Any
    icc: bytes

    @property
    def size(self) -> Size:
        """Pixels across and down."""
        return size_of(self.image)

    def turned(self, code: int) -> Deep:
        """Return them as an EXIF orientation says."""
        if code == 1:
            return self
        marked = self.image.copy_memory().copy()
        marked.set_type(pyvips.GValue.gint_type, "orientation", code)
        return Deep(marked.autorot(), self.icc)

    def narrowed(self) -> Image.Image:
        """Return them with 8 bits a channel."""
        small = narrowed(self.image)
        image = Image.frombytes(BANDS[small.bands], self.size, small.write_to_memory())
        image.info = {"icc_profile": self.icc} if self.icc else {}
        return image

    def encoded(self, form: str, told: Wrapping) -> bytes:
        """Return them as a PNG or TIFF file of 16 bits."""
        said = metadata.sized(told.said, self.size)
        try:
            if form == "png":
                data = self.image.pngsave_buffer(bitdepth=16, compression=6, keep="none")
                return sixteen.png(data, told.icc, said)
            data = self.image.tiffsave_buffer(compression="deflate", predictor="horizontal", keep="none")
            return sixteen.tiff(data, told.icc, said)
        except pyvips.Error as error:
            raise TaskError(FailureKind.ENCODE, f"cannot be written as {form}: {reason(error)}") from error


def _source(path: str) -> Any:
    try:
        with open(path, "rb") as file:
            return pyvips.Source.new_from_descriptor(file.fileno())  # which keeps a descriptor of its own
    except OSError as error:
        raise Error("cannot be read", error.strerror) from error


def _filtered(ready: Any, box: Region, size: Size, shape: Shape) -> Any:
    """Return a region of an image (of 8 bits, or of floats) at another size, all bands alike.

    libvips scales whole pixels, and down, and is coarse where next to nothing is left; else Pillow's filter does it,
    and where a cut depends on what is seen: all engines must cut at the same place.
    """
    smaller = size[0] <= ready.width and size[1] <= ready.height and min(size) >= _COARSE
    if not smaller or shape.smart or shape.resample not in KERNELS or not _is_all(box, size_of(ready)):
        return _by_pillow(ready, box, size, shape.resample)
    across, down = size[0] / (box[2] - box[0]), size[1] / (box[3] - box[1])
    return fitted(ready.resize(across, vscale=down, kernel=KERNELS[shape.resample], gap=_GAP), size)


def _by_pillow(ready: Any, box: Region, size: Size, resample: Resample) -> Any:
    whole = size_of(ready)
    if ready.format == _BYTES:
        frame = Image.frombytes(_PREMULTIPLIED[ready.bands], whole, ready.write_to_memory())
        found = _from_pillow(scaling.filtered(frame, box, size, resample), ready.bands, _BYTES)
        return found.copy(interpretation=ready.interpretation)
    bands = ready.copy_memory().bandsplit()  # what is decoded as it comes, comes only once
    frames = (Image.frombytes("F", whole, band.write_to_memory()) for band in bands)
    done = [_from_pillow(scaling.filtered(frame, box, size, resample), 1, _LIGHT) for frame in frames]
    return done[0].bandjoin(done[1:]).copy(interpretation=ready.interpretation)


def _from_pillow(frame: Image.Image, bands: int, kind: str) -> Any:
    return pyvips.Image.new_from_memory(frame.tobytes(), *frame.size, bands, kind)


def _is_all(box: Region, size: Size) -> bool:
    """Whether a region is all of an image, but for what nobody can see."""
    return all(abs(edge - whole) <= _LITTLE for edge, whole in zip(box, (0, 0, *size), strict=True))


def _tagged(image: Any, profile: bytes) -> Any:
    tagged = image.copy()
    tagged.set_type(pyvips.GValue.blob_type, _PROFILE, profile)
    return tagged
