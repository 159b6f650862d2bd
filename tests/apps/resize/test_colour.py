"""Colours are converted by their profile, or kept with it; no result carries a profile that is not its own."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from tests.apps.resize.making import array, corners, failure, near, one, profile, run, saved
from toolkit.apps.resize import codecs
from toolkit.apps.resize.colour import is_srgb, srgb_profile
from toolkit.apps.resize.formats import FORMATS, TAGGED, Format, missing
from toolkit.core.errors import FailureKind
from toolkit.core.task import Success


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


@pytest.mark.parametrize("form", ["jpeg", "png", "webp", "avif", "tiff", "gif"])
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


KINDS: dict[str, tuple[str, Any, str | None]] = {
    "p3": ("RGB", (180, 120, 60), "p3"),
    "p3 clear": ("RGBA", (180, 120, 60, 200), "p3"),
    "adobe": ("RGB", (150, 120, 80), "adobe"),
    "srgb": ("RGB", (180, 120, 60), "srgb"),
    "untagged": ("RGB", (180, 120, 60), None),
    "grey": ("L", 100, "grey"),
    "grey 2.2": ("L", 100, "grey2"),
    "grey clear": ("LA", (100, 200), "grey"),
    "cmyk": ("CMYK", (120, 30, 0, 20), "cmyk"),
}


def _seen(image: Image.Image) -> tuple[int, ...]:
    """Return the colour in the middle as a screen shows it that goes by the profile."""
    icc = image.info.get("icc_profile")
    plain = image.convert({"LA": "L", "RGBA": "RGB", "P": "RGB"}.get(image.mode, image.mode))
    if not icc:
        return tuple(array(plain, "RGB")[8, 8])
    own, screen = ImageCms.ImageCmsProfile(io.BytesIO(icc)), ImageCms.createProfile("sRGB")
    assert own.profile.xcolor_space.strip() == {"L": "GRAY"}.get(plain.mode, plain.mode), "a stale profile"
    shown = ImageCms.profileToProfile(
        plain,
        own,
        screen,
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    assert shown is not None
    return tuple(array(shown)[8, 8])


@pytest.mark.parametrize("forms", [sorted(TAGGED), sorted(set(FORMATS) - TAGGED)], ids=["tagged", "untagged"])
@pytest.mark.parametrize("wish", ["srgb", "keep", "file"])
@pytest.mark.parametrize("kind", KINDS)
def test_colour_is_seen_as_it_was(tmp_path: Path, engine: str, kind: str, wish: str, forms: list[Format]) -> None:
    """Whatever happens to numbers and profiles, together they mean the colour that was there; none is left over."""
    mode, colour, icc = KINDS[kind]
    (tmp_path / "wide.icc").write_bytes(profile("adobe"))
    tag = {"icc_profile": profile(icc)} if icc else {}
    source = saved(Image.new(mode, (24, 24), colour), tmp_path / ("a.tif" if mode == "CMYK" else "a.png"), **tag)
    with Image.open(source) as image:
        wanted = _seen(image)
    told = str(tmp_path / "wide.icc") if wish == "file" else wish
    there = [form for form in forms if not missing(form)]
    (done,) = run(
        [source], tmp_path / "out", size="16x16", formats=",".join(there), profile=told, quality=95, engine=engine
    )
    assert isinstance(done, Success)
    for output in done.value.outputs:
        codecs.require(output.format)
        with Image.open(tmp_path / "out" / output.name) as image:
            flat = mode in {"RGBA", "LA"} and image.mode not in {"RGBA", "LA"}
            assert flat or near(_seen(image), wanted, 6), output.format


def test_profile_of_a_file(tmp_path: Path, engine: str) -> None:
    """Pixels of every sort are converted to it, straight, and tagged with it."""
    (tmp_path / "wide.icc").write_bytes(profile("adobe"))
    told = {"profile": str(tmp_path / "wide.icc"), "engine": engine}
    green = saved(Image.new("RGB", (16, 16), (0, 255, 0)), tmp_path / "a.png", icc_profile=profile("p3"))
    image, _ = one(green, tmp_path / "out", **told)
    assert near(image.getpixel((8, 8)), (103, 255, 0), 2)  # by way of sRGB, red would be 144
    assert image.info["icc_profile"] == profile("adobe")
    clear, _ = one(saved(Image.new("RGBA", (16, 16), (0, 255, 0, 99)), tmp_path / "b.png"), tmp_path / "out", **told)
    assert near(clear.getpixel((8, 8)), (144, 255, 60, 99), 2)
    grey, _ = one(saved(Image.new("L", (16, 16), 128), tmp_path / "c.png"), tmp_path / "out", **told)
    assert grey.mode == "RGB"
    assert near(grey.getpixel((8, 8)), (128, 128, 128), 2)
    same, _ = one(saved(corners(), tmp_path / "d.png", icc_profile=profile("adobe")), tmp_path / "out", **told)
    assert same.tobytes() == corners().tobytes()


@pytest.mark.parametrize("form", ["gif", "jxl"])
def test_profile_of_a_file_where_none_is_carried(tmp_path: Path, form: Format) -> None:
    """The colours are then sRGB's, and the result says so: without its profile, a wide one would look dull."""
    if missing(form):
        pytest.skip(f"needs the extra {form}")
    (tmp_path / "wide.icc").write_bytes(profile("adobe"))
    source = saved(Image.new("RGB", (16, 16), (180, 120, 60)), tmp_path / "a.png")
    image, value = one(source, tmp_path / "out", format=form, profile=str(tmp_path / "wide.icc"))
    assert near(image.convert("RGB").getpixel((8, 8)), (180, 120, 60), 3)
    assert value.warnings == (f"{form} carries no colour profile: converted to sRGB",)


def test_profile_of_a_file_that_is_broken(tmp_path: Path, engine: str) -> None:
    """The picture fails by name where the profile only looks like one."""
    (tmp_path / "bad.icc").write_bytes(profile("p3")[:300])
    source = saved(corners(), tmp_path / "a.png")
    failed = failure(source, tmp_path / "out", profile=str(tmp_path / "bad.icc"), engine=engine)
    assert failed.kind is FailureKind.INPUT
    assert "no profile that pictures can be converted to" in failed.message


@pytest.mark.parametrize("form", ["jpeg", "png", "webp", "avif", "tiff"])
def test_icc_only_says_what_the_colours_are(tmp_path: Path, engine: str, form: str) -> None:
    """The profile of sRGB where colours were converted, or one that was kept; grey has none."""
    options = {"metadata": "icc-only", "format": form, "engine": engine, "quality": 95}
    source = saved(Image.new("RGB", (16, 16), (234, 51, 35)), tmp_path / "a.png", icc_profile=profile("p3"))
    image, _ = one(source, tmp_path / "o1", **options)
    assert near(image.convert("RGB").getpixel((8, 8)), (255, 0, 0), 6)
    assert near(_seen(image), (255, 0, 0), 6)
    assert b"sRGB" in image.info["icc_profile"].replace(b"\0", b"")
    kept, _ = one(source, tmp_path / "o2", profile="keep", **options)
    assert kept.info["icc_profile"] == profile("p3")
    grey, _ = one(saved(Image.new("L", (16, 16), 9), tmp_path / "g.png"), tmp_path / "o3", **options)
    assert "icc_profile" not in grey.info or grey.mode == "RGB"


def test_icc_only_is_the_same_every_time() -> None:
    """The profile has no time of day in it: results of one picture are the same bytes."""
    srgb_profile.cache_clear()
    first = srgb_profile()
    srgb_profile.cache_clear()
    assert first == srgb_profile()
    assert first[24:36] == struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    assert is_srgb(first)
