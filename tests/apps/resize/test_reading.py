"""Every option is read as it is meant, or refused at once in one line that says what to write."""

from __future__ import annotations

import importlib.util
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from tests.apps.resize.making import profile
from toolkit.apps.resize import formats
from toolkit.apps.resize.geometry import Area, Edge, Geometry, Place, parse_geometry
from toolkit.apps.resize.options import ResizeOptions
from toolkit.apps.resize.settings import Settings
from toolkit.core.errors import MissingExtra, UsageError


def read(**options: Any) -> Settings:
    return ResizeOptions(**options).settings()


def test_nothing_asked_for() -> None:
    """Pictures keep size and format, sRGB and no place: the defaults of Settings are those of the options."""
    assert read() == Settings()


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"size": "800x600"}, [parse_geometry("800x600")]),
        ({"sizes": "320, 640,50%"}, [parse_geometry(text) for text in ("320", "640", "50%")]),
        ({"sizes": "320,"}, [parse_geometry("320")]),
        ({"long_edge": 100}, [Geometry(Edge(100, "long"), label="long100")]),
        ({"short_edge": 1}, [Geometry(Edge(1, "short"), label="short1")]),
        ({"megapixels": 0.5}, [Geometry(Area(500_000), label="0.5mp")]),
        ({"megapixels": 12}, [Geometry(Area(12_000_000), label="12mp")]),
        ({"scale": "50%"}, [parse_geometry("50%")]),
        ({"scale": "0.5"}, [parse_geometry("50%")]),
    ],
)
def test_sizes_are_read(options: dict[str, Any], wanted: list[Geometry]) -> None:
    """Each way to say a size, and the label that results are named by."""
    assert list(read(**options).shape.sizes) == wanted


@pytest.mark.parametrize(
    ("turned", "quarters", "angle"),
    [(0, 0, 0), (90, 1, 0), (-90, 3, 0), (450, 1, 0), (180, 2, 0), (-2.5, 3, 87.5), (2.5, 0, 2.5), (360.0, 0, 0)],
)
def test_turns_are_quarters_and_a_rest(turned: float, quarters: int, angle: float) -> None:
    """Clockwise; quarters lose nothing, so as much as can be is done by them."""
    shape = read(rotate=turned).shape
    assert (shape.quarter_turns, shape.angle) == (quarters, angle)


def test_shape_is_read() -> None:
    """How parts are chosen and scaled."""
    shape = read(
        fit="cover", enlarge=True, focus="0.25,0.75", trim=True, trim_tolerance=3, flip="both", linear=True
    ).shape
    assert (shape.fit, shape.enlarge, shape.place, shape.trim) == ("cover", True, Place(0.25, 0.75, is_focus=True), 3)
    assert (shape.flip, shape.linear, shape.resample, shape.smart) == ("both", True, "lanczos", False)
    assert read(trim_tolerance=3).shape.trim is None
    assert read(gravity="southeast").shape.place == Place(1.0, 1.0)
    assert read(crop="smart").shape.smart


def test_writing_is_read() -> None:
    """How files are encoded, and what is said in them."""
    writing = read(formats="avif, jpg,tif", max_bytes=5, quality=70, effort="best", background="#102030").writing
    assert writing.formats == ("avif", "jpeg", "tiff")
    assert (writing.max_bytes, writing.quality, writing.effort, writing.background) == (
        5,
        70,
        "best",
        (16, 32, 48, 255),
    )
    writing = read(format="webp", lossless=True, metadata="strip", keep_if_smaller=True, subsampling="4:4:4").writing
    assert (writing.formats, writing.lossless, writing.metadata) == (("webp",), True, "strip")
    assert (writing.keep_if_smaller, writing.subsampling) == (True, "4:4:4")
    assert read(ssim=0.98, progressive=True).writing.ssim == 0.98


def test_profile_is_read_from_a_file(tmp_path: Path) -> None:
    """Its bytes are part of the settings: another profile makes other results."""
    (tmp_path / "p3.icc").write_bytes(profile("p3"))
    writing = read(profile=str(tmp_path / "p3.icc")).writing
    assert (writing.profile, writing.icc) == ("file", profile("p3"))
    assert read(profile="keep").writing.profile == "keep"


def test_operations_keep_their_order() -> None:
    """As they were given."""
    assert [each.name for each in read(op=("blur:2", "invert", "blur:3")).operations] == ["blur", "invert", "blur"]


def test_rest_is_read(tmp_path: Path) -> None:
    """Where results and originals go, and what is dared."""
    settings = read(in_place=True, backup=tmp_path, keep_dates=True, salvage=True, max_pixels=9, also_read=("eps",))
    assert (settings.in_place, settings.backup, settings.keep_dates) == (True, str(tmp_path), True)
    assert (settings.salvage, settings.max_pixels, settings.also_read) == (True, 9, frozenset({"eps"}))
    assert read(existing="skip", name_template="{stem}.{ext}").name_template == "{stem}.{ext}"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"size": "big"}, "--size: 'big' is not a size"),
    ({"size": ""}, "--size: '' is not a size"),
    ({"sizes": ","}, "--sizes ',': give from 1 to 50"),
    ({"sizes": ",".join(map(str, range(1, 99)))}, "give from 1 to 50"),
    ({"sizes": "10,10"}, "--sizes '10,10': one is there twice"),
    ({"sizes": "10,x"}, "--sizes: 'x' is not a size"),
    ({"size": "10", "sizes": "20"}, "--size and --sizes both say how large: choose one"),
    ({"long_edge": 9, "scale": "50%"}, "--long-edge and --scale both say how large"),
    ({"long_edge": 0}, "--long-edge 0: give pixels from 1 to"),
    ({"short_edge": 10**9}, "--short-edge 1000000000: give pixels from 1 to"),
    ({"megapixels": 0.0}, "--megapixels 0: give a number above 0"),
    ({"megapixels": float("nan")}, "--megapixels nan"),
    ({"scale": "half"}, "--scale: "),
    ({"rotate": float("inf")}, "--rotate inf: give degrees"),
    ({"trim_tolerance": 256}, "--trim-tolerance 256: it goes from 0 to 255"),
    ({"focus": "1"}, "--focus: "),
    ({"focus": "2,0"}, "--focus: "),
    ({"crop": "smart", "focus": "0,0"}, "--crop smart finds the place itself"),
    ({"crop": "smart", "gravity": "north"}, "--crop smart finds the place itself"),
    ({"focus": "0,0", "gravity": "north"}, "--focus and --gravity both say where to cut: choose one"),
    ({"format": "jpeg", "formats": "png"}, "--format and --formats both say what is written"),
    ({"formats": "bmp"}, "--formats: 'bmp' is none of jpeg, png"),
    ({"formats": "png,png"}, "one is there twice"),
    ({"quality": 0}, "--quality 0: it goes from 1 to 100"),
    ({"ssim": 1.0}, "--ssim 1: give a number between 0 and 1"),
    ({"max_bytes": 0}, "--max-bytes: it must be at least 1"),
    ({"lossless": True, "format": "jpeg"}, "--lossless: jpeg cannot be; take one of"),
    ({"lossless": True, "quality": 5, "format": "webp"}, "--lossless goes without --quality and --ssim"),
    ({"quality": 5, "ssim": 0.9}, "--ssim looks for the quality itself"),
    ({"background": "reddish"}, "--background: "),
    ({"profile": "p3"}, "--profile p3: No such file or directory; give srgb, keep or a file"),
    ({"op": ("swirl",)}, "--op: there is no operation 'swirl'"),
    ({"name_template": "{nme}"}, "--name-template: there is no {nme}"),
    ({"name_template": "../{name}"}, "--name-template: "),
    ({"max_pixels": 0}, "--max-pixels 0: it must be at least 1"),
    ({"also_read": ("exe",)}, "--also-read exe: choose one of"),
    ({"preset": "x"}, "--preset names a table of a file: give --pipeline FILE, too"),
    ({"in_place": True}, "--in-place replaces pictures: say where the originals go"),
    ({"backup": Path("b")}, "--backup and --trash go with --in-place"),
    ({"trash": True}, "--backup and --trash go with --in-place"),
    ({"in_place": True, "backup": Path("b"), "trash": True}, "--backup and --trash both keep the originals"),
    ({"in_place": True, "backup": Path("b"), "sizes": "1,2"}, "--in-place makes one file of each picture"),
    ({"in_place": True, "backup": Path("b"), "formats": "png,jpeg"}, "--in-place makes one file of each picture"),
    ({"in_place": True, "backup": Path("b"), "name_template": "{name}"}, "--in-place keeps the names"),
    ({"in_place": True, "backup": Path("b"), "existing": "skip"}, "--existing skip leaves it: choose one"),
    ({"quality": "80"}, "quality='80': give int"),
    ({"fit": "squash"}, "fit='squash': choose from 'contain', 'cover'"),
]


@pytest.mark.parametrize(("options", "words"), WRONG)
def test_options_that_cannot_be_meant(options: dict[str, Any], words: str) -> None:
    """One line, which says what to write instead."""
    with pytest.raises(UsageError) as caught:
        read(**ResizeOptions.filled(options))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_in_place_takes_one_of_a_list() -> None:
    """A list of one is one."""
    assert read(in_place=True, backup=Path("b"), sizes="10,", formats="webp").writing.formats == ("webp",)


@pytest.mark.parametrize("content", [b"", b"no profile", profile("grey"), profile("cmyk")])
def test_profile_that_is_none_for_rgb(content: bytes, tmp_path: Path) -> None:
    """A file is looked into before any picture is."""
    (tmp_path / "x.icc").write_bytes(content)
    with pytest.raises(UsageError, match=r"this is no ICC profile|it is not for RGB pixels"):
        read(profile=str(tmp_path / "x.icc"))


@pytest.mark.parametrize(
    ("options", "package", "extra"),
    [
        ({"engine": "vips"}, "pyvips", "vips"),
        ({"in_place": True, "trash": True}, "send2trash", "trash"),
    ],
)
def test_extra_that_is_missing(
    options: dict[str, Any], package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pip command is named, and nothing stands in for it."""
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else found(name))
    with pytest.raises(MissingExtra, match=rf"pip install 'toolkit\[{extra}\]'"):
        read(**options)


@pytest.mark.parametrize("form", ["heic", "jxl"])
def test_format_whose_extra_is_missing(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same."""
    monkeypatch.setattr(formats, "missing", lambda name: name if name in {"heic", "jxl"} else None)
    with pytest.raises(MissingExtra, match=rf"{form} pictures"):
        read(formats=f"png,{form}")


UNCHANGED = {"max_pixels": 5, "existing": "overwrite", "also_read": ("eps",), "engine": "auto", "srcset": Path("s")}
CHANGED: dict[str, Any] = {
    "size": "10x10",
    "sizes": "10,20",
    "fit": "cover",
    "enlarge": True,
    "gravity": "north",
    "focus": "0,0",
    "crop": "smart",
    "trim": True,
    "rotate": 1.0,
    "flip": "both",
    "resample": "box",
    "linear": True,
    "op": ("blur",),
    "format": "png",
    "quality": 50,
    "max_bytes": 5000,
    "ssim": 0.9,
    "keep_if_smaller": True,
    "progressive": True,
    "subsampling": "4:4:4",
    "effort": "fast",
    "background": "black",
    "profile": "keep",
    "metadata": "strip",
    "name_template": "{name}",
    "keep_dates": True,
    "salvage": True,
}


def test_digest_when_a_result_would_be_another() -> None:
    """Each option that changes results changes the digest, and so does the engine's version; others do not."""
    digests = {name: read(**{name: value}).digest("x") for name, value in CHANGED.items()}
    assert len({*digests.values(), read().digest("x"), read().digest("y")}) == len(digests) + 2
    for name, value in UNCHANGED.items():
        assert read(**{name: value}).digest("x") == read().digest("x"), name


def test_every_option_has_its_test() -> None:
    """A new option must be read, and either changes results or not."""
    elsewhere = {"long_edge", "short_edge", "megapixels", "scale", "trim_tolerance", "formats", "lossless"}
    not_read = {"pipeline", "preset", "watch", "contact_sheet", "in_place", "backup", "trash"}
    assert {field.name for field in fields(ResizeOptions)} == {*CHANGED, *UNCHANGED, *elsewhere, *not_read}
