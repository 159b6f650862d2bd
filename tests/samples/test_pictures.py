"""Each sample picture has the property it is there for."""

from __future__ import annotations

import io
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageCms, ImageOps, ImageStat

from samples.icc import D50, PRIMARIES, display_p3

PICTURES = Path(__file__).resolve().parents[2] / "samples" / "pictures"
ORIENTATION, GPS = 0x0112, 0x8825


def opened(name: str) -> Image.Image:
    """Return the picture, loaded, its file closed."""
    with Image.open(PICTURES / name) as picture:
        picture.load()
        return picture


def far(one: Image.Image, other: Image.Image) -> float:
    """Return how far two pictures are apart, as a mean of levels (0 to 255), whatever their sizes."""
    small = [picture.convert("RGB").resize((64, 64), Image.Resampling.BOX) for picture in (one, other)]
    return sum(ImageStat.Stat(ImageChops.difference(*small)).mean) / 3


@pytest.mark.parametrize("path", sorted(PICTURES.iterdir()), ids=lambda path: path.name)
def test_picture_is_small(path: Path) -> None:
    """Pictures stay light enough for a repository: 900 pixels and 150 kB."""
    assert max(opened(path.name).size) <= 900
    assert path.stat().st_size < 150_000


@pytest.mark.parametrize(
    ("name", "tag", "upright"), [("coffee-on-its-side", 6, "coffee"), ("rocket-upside-down", 3, "rocket")]
)
def test_orientation_is_applied(name: str, tag: int, upright: str) -> None:
    """Pixels are stored turned; applying the tag gives the upright picture."""
    picture, model = opened(f"{name}.jpg"), opened(f"{upright}.jpg")
    assert picture.getexif()[ORIENTATION] == tag
    assert far(ImageOps.exif_transpose(picture), model) < 5 < far(picture, model)


def test_position_is_carried() -> None:
    """One picture, and only one, says where it was taken."""
    placed = [path.name for path in PICTURES.iterdir() if opened(path.name).getexif().get_ifd(GPS)]
    assert placed == ["coffee-on-its-side.jpg"]
    assert opened(placed[0]).getexif().get_ifd(GPS)[2] == (12.0, 34.0, 56.0)


def test_edge_is_soft() -> None:
    """The RGBA picture has clear, solid and many half-clear pixels."""
    picture = opened("cat-soft-edge.png")
    assert picture.mode == "RGBA"
    histogram = picture.getchannel("A").histogram()
    assert histogram[0] > 1000
    assert histogram[255] > 1000
    assert sum(1 for count in histogram[1:255] if count) > 200


def test_palette_is_transparent() -> None:
    """The palette picture names one colour as nothing."""
    picture = opened("horse.png")
    assert (picture.mode, picture.info["transparency"]) == ("P", 0)
    assert picture.convert("RGBA").getpixel((0, 0)) == (0, 0, 0, 0)


def test_grey_has_16_bits() -> None:
    """The 16-bit picture uses levels between the 256 that 8 bits have."""
    picture = opened("rocket-16-bit.png")
    assert picture.mode == "I;16"
    data = picture.tobytes()
    levels = {int.from_bytes(data[at : at + 2], sys.byteorder) for at in range(0, len(data), 2)}
    assert len(levels) > 5000
    assert max(levels) > 60_000


def test_gif_is_animated() -> None:
    """Each GIF frame is held longer than the last, transparent around the horse, and cleared before the next."""
    with Image.open(PICTURES / "horse-moving.gif") as picture:
        durations, boxes = [], []
        for frame in range(getattr(picture, "n_frames", 1)):
            picture.seek(frame)
            durations.append(picture.info["duration"])
            alpha = picture.convert("RGBA").getchannel("A")
            boxes.append(alpha.getbbox())
            assert alpha.getextrema() == (0, 255)
    assert durations == [80, 120, 160, 200, 240, 280, 320, 360]
    lefts = [box[0] for box in boxes if box]
    assert [left - lefts[0] for left in lefts] == [20 * step for step in range(8)]


def test_webp_is_animated() -> None:
    """The WebP has six different frames with their own durations."""
    with Image.open(PICTURES / "deep-field-zoom.webp") as picture:
        frames, durations = [], []
        for frame in range(getattr(picture, "n_frames", 1)):
            picture.seek(frame)
            picture.load()
            frames.append(picture.convert("RGB"))
            durations.append(picture.info["duration"])
    assert durations == [400, 100, 100, 100, 100, 800]
    assert all(far(one, other) > 2 for one, other in pairwise(frames))


def test_cmyk_is_adobes() -> None:
    """The four-ink JPEG carries Adobe's marker, whose inverted inks a reader must undo."""
    picture = opened("coffee-cmyk.jpg")
    assert picture.mode == "CMYK"
    assert "adobe" in picture.info
    assert far(picture, opened("coffee.jpg")) < 5


def test_profile_is_wide() -> None:
    """The wide-gamut picture holds reds beyond sRGB, by the profile it carries."""
    picture = opened("retina-wide-gamut.jpg")
    assert picture.info["icc_profile"] == display_p3()
    profile = ImageCms.ImageCmsProfile(io.BytesIO(display_p3()))
    converted = ImageCms.profileToProfile(picture, profile, ImageCms.createProfile("sRGB"))
    assert converted
    assert far(converted, picture) > 2
    assert converted.getchannel("R").histogram()[255] > 5 * picture.getchannel("R").histogram()[255]


def test_profile_is_display_p3() -> None:
    """Its primaries add up to the white of the connection space; grey stays grey and pure red clips in sRGB."""
    for axis, white in enumerate(D50):
        assert sum(xyz[axis] for xyz in PRIMARIES.values()) == pytest.approx(white, abs=2e-4)
    profile = ImageCms.ImageCmsProfile(io.BytesIO(display_p3()))
    assert ImageCms.getProfileDescription(profile).strip() == "Display P3 (sample)"
    to_lab = ImageCms.buildTransform(profile, ImageCms.createProfile("LAB"), "RGB", "LAB")
    to_srgb = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), "RGB", "RGB")
    red, grey, skin = (Image.new("RGB", (1, 1), colour) for colour in ("#ff0000", "#808080", "#c86432"))
    assert pixel(to_srgb, red) == (255, 0, 0)
    assert pixel(to_srgb, grey) == (128, 128, 128)
    assert pixel(to_srgb, skin) == pytest.approx((215, 93, 31), abs=2)
    srgb_to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    assert pixel(to_lab, red)[1] > pixel(srgb_to_lab, red)[1] + 5


def pixel(transform: ImageCms.ImageCmsTransform, picture: Image.Image) -> tuple[int, ...]:
    """Return the one pixel of a picture after a colour transform."""
    return tuple((ImageCms.applyTransform(picture, transform) or picture).tobytes())
