"""`--keep-if-smaller`: the file itself, to the byte, wherever it is what the result would be and says no more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.apps.resize.making import corners, one, photo, profile, saved
from toolkit.apps.resize.result import Output, Resized

COULD_NOT = "the result is no smaller than the original, which could not be kept: it is of another sort, or says more"


def exif(**tags: int) -> Image.Exif:
    made = Image.Exif()
    if "gps" in tags:
        made.get_ifd(0x8825)[1] = "N"
    if "orientation" in tags:
        made[0x0112] = tags["orientation"]
    if "secret" in tags:
        made.get_ifd(0x8769)[0x927C] = b"a maker's notes"
    if "comment" in tags:
        made.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0at home"
    if "windows" in tags:
        made[0x9C9C] = "at home".encode("utf-16le")
    if "private" in tags:
        made[0xC7A8] = b"at home"
    if "taken" in tags:
        made.get_ifd(0x8769)[0x9003] = "2024:05:01 10:00:00"
    if "make" in tags:
        made[0x010F] = "a camera"
    return made


def done(path: Path, **options: Any) -> tuple[Output, Resized]:
    """Do a picture; return its output and what is known of it. A file that was kept is the same to the byte."""
    _, value = one(path, path.parent / "out", keep_if_smaller=True, **options)
    (output,) = value.outputs
    assert output.kept is ((path.parent / "out" / output.name).read_bytes() == path.read_bytes())
    return output, value


def small(path: Path, **options: Any) -> Path:
    """Save a photograph so coarsely that no result of it is smaller."""
    return saved(photo(160, 120), path, quality=30, **options)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, {}),
        ({"size": "160x120"}, {}),
        ({"size": "500x500"}, {}),
        ({"max_bytes": 100_000}, {}),
        ({"metadata": "keep"}, {"exif": exif(gps=1, make=1), "comment": b"x"}),
        ({}, {"exif": exif(make=1, taken=1)}),
        ({"profile": "keep"}, {"icc_profile": profile("p3")}),
    ],
)
def test_kept_where_the_result_would_say_the_same(
    options: dict[str, Any], told: dict[str, Any], tmp_path: Path
) -> None:
    """Its facts are the result's; no encoder's quality is claimed for it."""
    output, value = done(small(tmp_path / "a.jpg", **told), **options)
    assert (output.kept, output.quality, output.width, output.height) == (True, None, 160, 120)
    assert value.warnings == ()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, {"exif": exif(gps=1)}),
        ({}, {"exif": exif(orientation=6)}),
        ({}, {"exif": exif(secret=1)}),
        ({}, {"exif": exif(comment=1)}),
        ({}, {"exif": exif(windows=1)}),
        ({}, {"exif": exif(private=1)}),
        ({}, {"comment": b"at home"}),
        ({}, {"icc_profile": profile("p3")}),
        ({"metadata": "strip"}, {"exif": exif(make=1)}),
        ({"metadata": "icc-only"}, {"exif": exif(make=1)}),
        ({"flip": "horizontal"}, {}),
        ({"rotate": 90.0}, {}),
        ({"op": ("invert",)}, {}),
        ({"size": "150x"}, {}),
        ({"size": "200x200", "fit": "pad"}, {}),
        ({"size": "160x100", "fit": "cover"}, {}),
        ({"max_bytes": 1500}, {}),
    ],
)
def test_not_kept_where_the_result_is_another(options: dict[str, Any], told: dict[str, Any], tmp_path: Path) -> None:
    """Other pixels, other colours, or something that must not be said; that it grew is told."""
    path = small(tmp_path / "a.jpg", **told)
    output, value = done(path, **options)
    assert not output.kept
    assert (COULD_NOT in value.warnings) is (value.bytes >= path.stat().st_size)


def test_not_kept_where_the_result_is_smaller(tmp_path: Path) -> None:
    """That is what it is for."""
    path = saved(photo(160, 120), tmp_path / "a.jpg", quality=99)
    output, value = done(path)
    assert (output.kept, output.bytes < path.stat().st_size, value.warnings) == (False, True, ())


def _tail(data: bytes) -> bytes:
    return data + b"SEFT: where this was"


def _segment(kind: int, said: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data[:2] + bytes([0xFF, kind]) + (len(said) + 2).to_bytes(2, "big") + said + data[2:]


@pytest.mark.parametrize(
    ("suffix", "change"),
    [
        (".jpg", _tail),
        (".jpg", _segment(0xEB, b"JP\0\1 a claim of where")),
        (".jpg", _segment(0xE1, b"FLIR\0 heat")),
        (".jpg", _segment(0xE0, b"JFXX\0 a thumbnail")),
        (".png", _tail),
        (".gif", _tail),
        (".gif", lambda data: data[:-1] + b"!\xff\x0bMAGPIE  1.0\3abc\0;"),
        (".webp", _tail),
    ],
)
def test_not_kept_with_what_nobody_has_read(suffix: str, change: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """Phones put videos and notes behind a picture, and programs into it: they may tell the place."""
    image = photo(160, 120) if suffix in {".jpg", ".webp"} else corners()
    path = saved(image, tmp_path / f"a{suffix}", **({"quality": 20} if suffix in {".jpg", ".webp"} else {}))
    assert done(path, effort="fast")[0].kept
    path.write_bytes(change(path.read_bytes()))
    assert not done(path, effort="fast", existing="overwrite")[0].kept
    output, _ = done(path, effort="fast", metadata="keep")
    assert output.kept is (output.bytes == path.stat().st_size)


def test_not_kept_with_the_texts_of_a_png(tmp_path: Path) -> None:
    """They say what nobody may be meant to know."""
    texts = PngInfo()
    texts.add_text("Comment", "at home " * 5)
    path = saved(corners(), tmp_path / "a.png", pnginfo=texts, optimize=True)
    assert not done(path)[0].kept


def test_tiff_is_kept_if_it_stands_upright(tmp_path: Path) -> None:
    """Pillow turns TIFFs by itself; the file would lie on its side still."""
    for name, facts in (("a.tif", exif()), ("b.tif", exif(orientation=3))):
        saved(photo(160, 120), tmp_path / name, compression="jpeg", quality=20, exif=facts)
    assert done(tmp_path / "a.tif")[0].kept
    assert not done(tmp_path / "b.tif")[0].kept


def test_not_kept_where_a_part_has_the_same_size(tmp_path: Path) -> None:
    """A border that is cut off, and what is left drawn out to the size that there was."""
    image = photo(160, 120).copy()
    image.paste("white", (0, 0, 160, 30))
    path = saved(image, tmp_path / "a.jpg", quality=20)
    options = {"trim": True, "size": "160x120", "fit": "stretch", "enlarge": True}
    assert done(path, size="160x120")[0].kept
    assert not done(path, existing="overwrite", **options)[0].kept


def test_animation_is_kept_as_one(tmp_path: Path) -> None:
    """With all of its frames, where the result has them; never where the result is a still."""
    frames = [corners(), corners().rotate(180)]
    path = saved(frames[0], tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=50, loop=0)
    output, _ = done(path)
    assert output.kept is (output.bytes == path.stat().st_size)
    assert output.frames == 2
    assert not done(path, format="png")[0].kept


def test_broken_file_is_never_kept(tmp_path: Path) -> None:
    """What was salvaged of it is a whole file, though a larger one."""
    path = small(tmp_path / "a.jpg")
    path.write_bytes(path.read_bytes()[:-300])
    output, value = done(path, salvage=True, metadata="keep")
    assert (output.kept, value.salvaged) == (False, True)
