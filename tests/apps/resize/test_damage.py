"""Damaged, hostile and unreadable files: each is a failure with a name, and costs nothing but itself."""

from __future__ import annotations

import errno
import io
import os
import threading
import warnings
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import BmpImagePlugin, Image

from tests.apps.resize.making import corners, failure, one, photo, profile, run, saved
from toolkit.apps.resize import warned
from toolkit.apps.resize.animate import Film
from toolkit.apps.resize.develop import develop
from toolkit.apps.resize.encode import Recipe, Wrapping, encode
from toolkit.apps.resize.formats import FORMATS, Format
from toolkit.apps.resize.settings import Settings
from toolkit.apps.resize.targets import Target
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.task import Failure, Success


def _good(form: str, *, moving: bool = False) -> bytes:
    memory = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112], exif[0x013B] = 6, "Ada"
    exif.get_ifd(0x8825)[1] = "N"
    options: dict[str, Any] = {"exif": exif} if form not in {"GIF", "BMP", "PPM"} else {}
    if form not in {"GIF", "BMP", "PPM"}:
        options["icc_profile"] = profile("p3")
    if form == "TIFF":
        options["compression"] = "tiff_lzw"
        exif.get_ifd(0x8825).clear()
    if moving and form == "AVIF":
        del exif[0x0112]  # Pillow 13.0 crashes on writing an animated AVIF with an orientation; we never write one
    if moving:
        options |= {"save_all": True, "append_images": [photo(48, 32, 2), photo(48, 32, 3)], "duration": 40}
    photo(48, 32).save(memory, form, **options)
    return memory.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_truncated_is_a_failure(tmp_path: Path, form: str) -> None:
    """Half a picture is no picture: grey is never painted over what is missing."""
    good = _good(form)
    (tmp_path / "a").write_bytes(good[: len(good) * 2 // 3])
    failed = failure(tmp_path / "a", tmp_path / "out", format="png")
    assert failed.kind is FailureKind.IMAGE
    assert list((tmp_path / "out").iterdir()) == []


def test_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    """A small file with very many pixels is refused by its header."""
    head = b"IHDR" + (30_000).to_bytes(4, "big") * 2 + bytes([1, 0, 0, 0, 0])
    good = _good("PNG")
    (tmp_path / "a").write_bytes(good[:12] + head + zlib.crc32(head).to_bytes(4, "big") + good[33:])
    failed = failure(tmp_path / "a", tmp_path / "out", size="10x10")
    assert failed.kind is FailureKind.TOO_LARGE


def test_limit_on_pixels_is_the_users(tmp_path: Path) -> None:
    """--max-pixels decides, both ways."""
    source = saved(corners(), tmp_path / "a.png")
    failed = failure(source, tmp_path / "out", max_pixels=120 * 80 - 1)
    assert failed.kind is FailureKind.TOO_LARGE
    assert "--max-pixels" in failed.message
    one(source, tmp_path / "out", max_pixels=120 * 80)


def test_float_pixels_are_unsupported(tmp_path: Path) -> None:
    """Numbers of unknown range are not guessed at."""
    source = saved(Image.new("F", (8, 8), 0.5), tmp_path / "a.tif")
    assert failure(source, tmp_path / "out").kind is FailureKind.UNSUPPORTED


def test_file_that_vanished(tmp_path: Path) -> None:
    """What cannot be opened is a failure of the input."""
    with pytest.raises(TaskError, match="No such file") as caught:
        develop(str(tmp_path / "a.png"), [Target("b.png", 0, "png")], tmp_path, Settings())
    assert caught.value.kind is FailureKind.INPUT


def test_failed_encode_leaves_the_old_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A result that was there stays whole if its successor cannot be written, and no part of that is left."""
    source = saved(Image.new("RGB", (20_000, 4)), tmp_path / "a.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.webp").write_bytes(b"old")
    assert failure(source, tmp_path / "out", format="webp").kind is FailureKind.ENCODE  # WebP ends at 16,383 pixels
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.webp"]
    assert (tmp_path / "out/a.webp").read_bytes() == b"old"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
@pytest.mark.parametrize("form", FORMATS)
def test_full_disk_is_told_from_bad_pixels(form: Format) -> None:
    """Every encoder lets the file system's own error through, so that the run can stop."""
    with pytest.raises(OSError, match="No space left") as caught, open("/dev/full", "w+b", buffering=0) as file:
        encode(Film([photo(64, 64)]), Recipe(form), file, Wrapping())
    assert caught.value.errno == errno.ENOSPC


def test_warnings_of_the_library_are_kept_with_the_picture(tmp_path: Path) -> None:
    """Under -W error a warning costs nothing: it stands in the result."""
    exif = Image.Exif()
    exif[0x010E] = "a description that is long enough to be stored elsewhere"
    data = exif.tobytes()
    source = saved(corners(), tmp_path / "a.jpg", exif=data[:-20])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, value = one(source, tmp_path / "out", size="10x10")
    assert value.warnings == ("Pillow: Truncated File Read",)


def test_warnings_that_differ_in_numbers_only() -> None:
    """They are one warning, in a picture as in the report."""
    with warned.noting() as noted:
        for tag in (270, 271):
            Image.warnings.warn(f"Tag data larger than file. Skipping tag {tag}")  # type: ignore[attr-defined]
            what = f"Possibly corrupt EXIF data.  Expecting to read {tag} bytes but only got 1. Skipping tag {tag}"
            Image.warnings.warn(what)  # type: ignore[attr-defined]
    assert noted == ["Pillow: Tag data larger than file.", "Pillow: Possibly corrupt EXIF data."]


def test_warnings_of_two_threads_do_not_mix() -> None:
    """Each thread notes for its own picture; outside of one, warnings are warnings."""
    seen: dict[str, list[str]] = {}
    barrier = threading.Barrier(2)

    def work(name: str) -> None:
        with warned.noting() as noted:
            barrier.wait(5)
            Image.warnings.warn(name)  # type: ignore[attr-defined]
            barrier.wait(5)
        seen[name] = noted

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"a": ["Pillow: a"], "b": ["Pillow: b"]}
    with pytest.warns(UserWarning, match="outside"):
        Image.warnings.warn("outside")  # type: ignore[attr-defined]


def test_one_bad_file_costs_only_itself(tmp_path: Path) -> None:
    """The others are done."""
    saved(corners(), tmp_path / "in/a.png")
    (tmp_path / "in/b.png").write_bytes(_good("PNG")[:80])
    saved(corners(), tmp_path / "in/c.png")
    kinds = [type(outcome) for outcome in run([tmp_path / "in"], tmp_path / "out", size="10x10")]
    assert kinds == [Success, Failure, Success]


def test_file_that_is_written_to_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its result may be of neither content, so it fails, and is tried again."""
    source = saved(corners(), tmp_path / "a.png")

    def hash_late(file: Any) -> str:
        with source.open("ab") as more:
            more.write(b"!")
        return "hash"

    monkeypatch.setattr("toolkit.apps.resize.develop.content_hash", hash_late)
    failed = failure(source, tmp_path / "out", size="10x10")
    assert (failed.kind, failed.retryable) == (FailureKind.INPUT, True)
    assert "written to" in failed.message


def test_pixels_of_another_size_than_the_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that gives other pixels than it told of has not read this picture."""
    source = saved(corners(), tmp_path / "a.bmp")
    load = BmpImagePlugin.BmpImageFile.load

    def smaller(image: Any) -> Any:
        done = load(image)
        image._size = (image.width, image.height - 1)
        return done

    monkeypatch.setattr(BmpImagePlugin.BmpImageFile, "load", smaller)
    failed = failure(source, tmp_path / "out", size="10x10")
    assert (failed.kind, failed.message) == (
        FailureKind.IMAGE,
        "damaged: its header and its pixels tell different sizes",
    )
