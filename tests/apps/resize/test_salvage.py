"""Broken files under `--salvage`: what there is of them is used, said to be so, and nobody else's file passes by it."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from tests.apps.resize.making import array, failure, one, photo
from tests.apps.resize.mutating import specimens
from toolkit.apps.resize.cut_webp import filled
from toolkit.apps.resize.opening import is_salvaging, salvaging
from toolkit.core.errors import FailureKind

SHAPE = (300, 200)


def _file(form: str, **options: object) -> bytes:
    memory = io.BytesIO()
    photo(*SHAPE).save(memory, form, **options)
    return memory.getvalue()


WHOLE = {
    "jpeg": _file("JPEG", exif=Image.Exif()),
    "progressive": _file("JPEG", progressive=True),
    "png": _file("PNG"),
    "webp": _file("WEBP"),
    "lossless webp": _file("WEBP", lossless=True),
    "gif": _file("GIF", interlace=0),
    "tiff": _file("TIFF"),
    "bmp": _file("BMP"),
    "ppm": _file("PPM"),
}


@pytest.mark.parametrize("sort", WHOLE)
def test_cut_file_when_salvaged(tmp_path: Path, sort: str) -> None:
    """By default it fails; salvaged, the rows that are there are right, and the result says that it is not whole."""
    source = tmp_path / "a"
    source.write_bytes(WHOLE[sort][: len(WHOLE[sort]) * 2 // 3])
    failed = failure(source, tmp_path / "out", format="png")
    assert failed.kind is FailureKind.IMAGE
    assert not list((tmp_path / "out").rglob("*.png"))
    image, value = one(source, tmp_path / "out", format="png", salvage=True)
    assert value.salvaged
    assert value.warnings[0] == f"salvaged: {failed.message}"
    assert image.size == SHAPE
    with Image.open(io.BytesIO(WHOLE[sort])) as whole:
        there = slice(140, None) if sort == "bmp" else slice(60)  # a bitmap begins at the bottom
        far = np.abs(array(image, "RGB")[there] - array(whole, "RGB")[there]).mean()
    assert far < (12 if sort == "progressive" else 2)  # which gets sharper with each pass


@pytest.mark.parametrize("name", ["png-film", "gif-film", "webp-film"])
def test_cut_animation_when_salvaged(tmp_path: Path, name: str) -> None:
    """The frames that are whole stay."""
    (tmp_path / "a").write_bytes(specimens()[name][: len(specimens()[name]) * 4 // 5])
    assert failure(tmp_path / "a", tmp_path / "out").kind is FailureKind.IMAGE
    _, value = one(tmp_path / "a", tmp_path / "out", salvage=True)
    assert value.salvaged
    assert value.frames >= 2


def test_whole_file_is_not_called_salvaged(tmp_path: Path) -> None:
    """--salvage changes nothing for files that are whole."""
    (tmp_path / "a").write_bytes(WHOLE["jpeg"])
    image, value = one(tmp_path / "a", tmp_path / "o1", salvage=True)
    assert (value.salvaged, value.warnings) == (False, ())
    assert image.tobytes() == one(tmp_path / "a", tmp_path / "o2")[0].tobytes()


def test_failures_that_nothing_can_salvage(tmp_path: Path) -> None:
    """What is too large stays a failure, and so does what has no pixels."""
    (tmp_path / "a").write_bytes(WHOLE["png"])
    assert failure(tmp_path / "a", tmp_path / "out", salvage=True, max_pixels=9).kind is FailureKind.TOO_LARGE
    (tmp_path / "a").write_bytes(WHOLE["png"][:30])
    assert failure(tmp_path / "a", tmp_path / "out", salvage=True).kind is FailureKind.IMAGE


def test_salvaging_is_of_one_thread() -> None:
    """Others go on being told of broken files, whatever Pillow's switch for the process says."""
    inside, done = threading.Event(), threading.Event()

    def salvage() -> None:
        with salvaging():
            assert is_salvaging()
            inside.set()
            done.wait(10)

    thread = threading.Thread(target=salvage)
    thread.start()
    assert inside.wait(10)
    cut = io.BytesIO(WHOLE["jpeg"][:-3000])
    try:
        with pytest.raises(OSError, match="truncated"), Image.open(cut) as image:
            image.load()
        assert not ImageFile.LOAD_TRUNCATED_IMAGES
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize("name", [name for name in specimens() if name.startswith("webp")])
def test_cut_webp_is_filled(name: str) -> None:
    """Wherever it is cut, the sizes in it are those of a whole file again; one that is whole stays as it is."""
    good = specimens()[name]
    assert filled(good) == good
    for end in range(len(good) // 10, len(good), 7):
        whole = filled(good[:end])
        assert int.from_bytes(whole[4:8], "little") == len(whole) - 8
        assert whole.startswith(good[:4])


def test_webp_with_a_size_that_is_damaged() -> None:
    """No more is filled in than a file of this size may lack."""
    good = specimens()["webp-lossless"]
    assert len(filled(good[:16] + b"\xff\xff\xff\xff" + good[20:])) == len(good)
