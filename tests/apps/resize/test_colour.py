"""Colours are converted by their profile, or kept with it; no result carries a profile that is not its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.apps.resize.making import near, one, profile, saved

FORMATS = ["jpeg", "png", "webp", "avif", "tiff", "gif"]


def test_p3_becomes_srgb(tmp_path: Path, engine: str) -> None:
    """Display P3's (234, 51, 35) is sRGB's pure red."""
    source = saved(Image.new("RGB", (32, 32), (234, 51, 35)), tmp_path / "a.png", icc_profile=profile("p3"))
    image, value = one(source, tmp_path / "out", size="16x16", engine=engine)
    assert near(image.getpixel((8, 8)), (255, 0, 0), 3)
    assert "icc_profile" not in image.info
    assert value.warnings == ()


def test_p3_with_alpha_keeps_alpha(tmp_path: Path, engine: str) -> None:
    """The profile changes colours, not transparency."""
    source = saved(Image.new("RGBA", (32, 32), (234, 51, 35, 77)), tmp_path / "a.png", icc_profile=profile("p3"))
    image, _ = one(source, tmp_path / "out", size="16x16", engine=engine)
    assert near(image.getpixel((8, 8)), (255, 0, 0, 77), 5)


def test_linear_grey_becomes_srgb_tones(tmp_path: Path, engine: str) -> None:
    """Half the light is level 188 of sRGB, in grey as in colour."""
    grey = saved(Image.new("L", (16, 16), 128), tmp_path / "g.png", icc_profile=profile("grey"))
    image, _ = one(grey, tmp_path / "out", engine=engine)
    assert image.mode == "L"
    assert near(image.getpixel((8, 8)), 188, 2)
    colour = saved(Image.new("RGB", (16, 16), (128, 128, 128)), tmp_path / "c.png", icc_profile=profile("linear"))
    image, _ = one(colour, tmp_path / "out", engine=engine)
    assert near(image.getpixel((8, 8)), (188, 188, 188), 2)


def test_grey_with_alpha_and_profile(tmp_path: Path, engine: str) -> None:
    """Grey with alpha is converted, too, and its alpha stays."""
    source = saved(Image.new("LA", (16, 16), (128, 90)), tmp_path / "g.png", icc_profile=profile("grey"))
    image, _ = one(source, tmp_path / "out", engine=engine)
    assert near(image.getpixel((8, 8)), (188, 90), 2)


def test_srgb_profile_changes_nothing(tmp_path: Path, engine: str) -> None:
    """A profile that is sRGB itself leaves every level as it is."""
    ramp = Image.linear_gradient("L").convert("RGB")
    source = saved(ramp, tmp_path / "a.png", icc_profile=profile("srgb"))
    image, _ = one(source, tmp_path / "out", engine=engine)
    assert image.tobytes() == ramp.tobytes()


def test_white_stays_white(tmp_path: Path, engine: str) -> None:
    """Conversion is relative to the white of the medium: the white of yellowish paper is white."""
    source = saved(Image.new("RGB", (16, 16), (255, 255, 255)), tmp_path / "a.png", icc_profile=profile("paper"))
    image, _ = one(source, tmp_path / "out", engine=engine)
    assert near(image.getpixel((8, 8)), (255, 255, 255), 2)


def test_cmyk_by_its_profile(tmp_path: Path) -> None:
    """CMYK is converted by its profile; the made one takes a fifth of the lightness for each full ink."""
    image = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    source = saved(image, tmp_path / "a.jpg", icc_profile=profile("cmyk"), quality=98)
    result, value = one(source, tmp_path / "out", size="8x8", quality=98)
    assert (result.mode, value.warnings) == ("RGB", ())
    assert "icc_profile" not in result.info
    red, green, blue = result.getpixel((4, 4))  # type: ignore[misc]
    assert near((red, green, blue), (198, 198, 198), 8)  # L* 80 is level 198


def test_cmyk_without_profile(tmp_path: Path) -> None:
    """Without a profile the simple formula must do."""
    source = saved(Image.new("CMYK", (16, 16), (255, 0, 0, 0)), tmp_path / "a.jpg", quality=98)
    result, _ = one(source, tmp_path / "out", format="png")
    assert near(result.getpixel((4, 4)), (0, 255, 255), 3)


@pytest.mark.parametrize("form", FORMATS)
def test_cmyk_never_leaves_its_profile_behind(tmp_path: Path, form: str) -> None:
    """RGB pixels never carry a CMYK profile, whatever the format or the wish to keep it."""
    source = saved(Image.new("CMYK", (16, 16), (255, 0, 0, 0)), tmp_path / "a.jpg", icc_profile=profile("cmyk"))
    for wish in ("srgb", "keep"):
        result, value = one(source, tmp_path / wish, format=form, profile=wish)
        assert "icc_profile" not in result.info
        assert bool(value.warnings) == (wish == "keep")


@pytest.mark.parametrize("form", ["jpeg", "png", "webp", "avif", "tiff"])
def test_profile_when_kept(tmp_path: Path, engine: str, form: str) -> None:
    """Kept means: the same numbers, and the same profile beside them, in every format that holds one."""
    icc = profile("p3")
    source = saved(Image.new("RGB", (32, 32), (234, 51, 35)), tmp_path / "a.png", icc_profile=icc)
    image, value = one(source, tmp_path / "out", size="16x16", format=form, profile="keep", quality=95, engine=engine)
    assert image.info.get("icc_profile") == icc
    assert near(image.convert("RGB").getpixel((8, 8)), (234, 51, 35), 8)
    assert value.warnings == ()


def test_profile_when_kept_in_a_gif(tmp_path: Path, engine: str) -> None:
    """GIF holds no profile: the colours are converted, and the result says so."""
    source = saved(Image.new("RGB", (32, 32), (234, 51, 35)), tmp_path / "a.png", icc_profile=profile("p3"))
    image, value = one(source, tmp_path / "out", format="gif", profile="keep", engine=engine)
    assert near(image.convert("RGB").getpixel((8, 8)), (255, 0, 0), 3)
    assert value.warnings == ("the colour profile cannot be kept here: converted to sRGB",)


@pytest.mark.parametrize("filters", [("grayscale",), ("sepia",), ("grayscale", "sepia", "edge")])
def test_profile_when_kept_and_filtered(tmp_path: Path, engine: str, filters: tuple[str, ...]) -> None:
    """A filter that makes grey leaves RGB pixels where an RGB profile is kept."""
    source = saved(Image.new("RGB", (32, 32), (234, 51, 35)), tmp_path / "a.png", icc_profile=profile("p3"))
    image, _ = one(source, tmp_path / "out", profile="keep", op=filters, engine=engine)
    assert image.mode == "RGB"
    assert image.info["icc_profile"] == profile("p3")


@pytest.mark.parametrize(
    "options", [{"op": ("sepia",)}, {"format": "webp"}, {"background": "red", "size": "40x20", "fit": "pad"}]
)
def test_grey_profile_when_the_result_is_coloured(tmp_path: Path, engine: str, options: dict[str, object]) -> None:
    """A grey profile is not kept where the result may have colours."""
    source = saved(Image.new("L", (32, 32), 128), tmp_path / "a.png", icc_profile=profile("grey"))
    image, value = one(source, tmp_path / "out", profile="keep", **options, engine=engine)
    assert image.mode == "RGB"
    assert "icc_profile" not in image.info
    assert len(value.warnings) == 1


@pytest.mark.parametrize(
    ("mode", "icc", "words"),
    [
        ("L", profile("p3"), "is for RGB pixels"),
        ("RGB", profile("grey"), "is for grey pixels"),
        ("RGB", profile("cmyk"), "is for CMYK pixels"),
        ("RGB", b"no profile at all", "is broken"),
        ("RGB", profile("p3")[:300], "is broken"),
        ("RGB", profile("p3")[:128] + b"\0\0\0\0", "is broken"),
    ],
)
@pytest.mark.parametrize("wish", ["srgb", "keep"])
def test_profile_when_it_does_not_fit(
    tmp_path: Path, engine: str, mode: str, icc: bytes, words: str, wish: str
) -> None:
    """A profile for other pixels, or a broken one, is told of and left out; the pixels stay."""
    colour = (200, 100, 50) if mode == "RGB" else 100
    source = saved(Image.new(mode, (16, 16), colour), tmp_path / "a.png", icc_profile=icc)
    for _ in range(2):  # also when the answer comes from the cache
        image, value = one(source, tmp_path / "out", profile=wish, engine=engine)
        assert image.getpixel((8, 8)) == colour
        assert "icc_profile" not in image.info
        assert len(value.warnings) == 1
        assert words in value.warnings[0]
