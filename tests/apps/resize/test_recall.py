"""What is up to date is left alone, and whatever is not is done again: picture, options, engine, any of the results."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import toolkit
from tests.apps.resize.making import corners, saved

UP_TO_DATE = {"up to date": 1}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a picture in a folder."""
    return saved(corners(), tmp_path / "in/a.png")


def again(source: Path, **options: Any) -> tuple[int, dict[str, int]]:
    """Do the folder; return how many pictures were done, and why others were not."""
    chosen = {"sizes": "10x,20x", "formats": "png,jpeg", "model": "sequential", **options}
    summary = toolkit.resize(source.parent, source.parent.parent / "out", **chosen)
    assert summary.errors == 0
    return summary.succeeded, summary.skipped


def test_second_run_does_nothing(source: Path) -> None:
    """And a third, and one under another model or engine choice that makes the same."""
    assert again(source) == (1, {})
    for more in ({}, {}, {"model": "threads"}, {"max_pixels": 10**6}):
        assert again(source, **more) == (0, UP_TO_DATE)


@pytest.mark.parametrize("options", [{"quality": 50}, {"op": "blur"}, {"formats": "png"}, {"keep_dates": True}])
def test_other_options_make_it_anew(options: dict[str, Any], source: Path) -> None:
    """And then it is up to date with these."""
    again(source)
    assert again(source, **options) == (1, {})
    assert again(source, **options) == (0, UP_TO_DATE)


def test_another_version_of_the_engine_makes_it_anew(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may make other pixels."""
    again(source)
    monkeypatch.setattr("toolkit.apps.resize.engines.version", lambda choice: "pillow 99")
    assert again(source) == (1, {})


@pytest.mark.parametrize("size", ["same", "another"])
def test_another_picture_makes_it_anew(size: str, source: Path) -> None:
    """Of the same number of bytes, too, if its time is another."""
    again(source)
    data = bytearray(source.read_bytes())
    facts = source.stat()
    if size == "same":
        data[-1] ^= 1
        source.write_bytes(data)
    else:
        saved(corners().rotate(180), source)
    os.utime(source, ns=(0, facts.st_mtime_ns + 1))
    assert again(source) == (1, {})
    assert again(source) == (0, UP_TO_DATE)


def test_another_time_alone_is_no_reason(source: Path) -> None:
    """The content decides, and is read once: the new time is then known."""
    again(source)
    os.utime(source, ns=(5, 5))
    assert again(source) == (0, UP_TO_DATE)
    data = source.read_bytes()
    source.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    os.utime(source, ns=(5, 5))  # had the time not been noted, the content would be read
    assert again(source) == (0, UP_TO_DATE)


def test_another_time_is_given_to_the_results(source: Path) -> None:
    """With --keep-dates, which promises it; they are not made anew, and a preview leaves them as they are."""
    out = source.parent.parent / "out"
    again(source, keep_dates=True)
    numbers = {path.name: path.stat().st_ino for path in out.glob("a-*")}
    before = {path.stat().st_mtime_ns for path in out.glob("a-*")}
    os.utime(source, ns=(10**18, 10**18))
    list(toolkit.resize.plan(source.parent, out, sizes="10x,20x", formats="png,jpeg", keep_dates=True))
    assert {path.stat().st_mtime_ns for path in out.glob("a-*")} == before
    for _ in range(2):
        assert again(source, keep_dates=True) == (0, UP_TO_DATE)
        assert {path.stat().st_mtime_ns for path in out.glob("a-*")} == {10**18}
    assert {path.name: path.stat().st_ino for path in out.glob("a-*")} == numbers


def test_another_time_is_not_given_unasked(source: Path) -> None:
    """Results have the times at which they were made."""
    out = source.parent.parent / "out"
    again(source)
    os.utime(source, ns=(10**18, 10**18))
    assert again(source) == (0, UP_TO_DATE)
    assert 10**18 not in {path.stat().st_mtime_ns for path in out.glob("a-*")}


@pytest.mark.parametrize("change", ["gone", "cut", "longer", "folder"])
def test_one_result_that_is_not_as_it_was(change: str, source: Path) -> None:
    """All results of the picture are made anew."""
    again(source)
    result = source.parent.parent / "out/a-20.jpg"
    whole = result.read_bytes()
    result.unlink()
    if change == "cut":
        result.write_bytes(whole[:-1])
    elif change == "longer":
        result.write_bytes(whole + b"x")
    elif change == "folder":
        result.mkdir()
        result.rmdir()
    assert again(source) == (1, {})
    assert result.read_bytes() == whole


def test_overwrite_does_all(source: Path) -> None:
    """However up to date; and the next run is as ever."""
    again(source)
    assert again(source, existing="overwrite") == (1, {})
    assert again(source) == (0, UP_TO_DATE)


def test_fresh_does_all(source: Path) -> None:
    """What was known is forgotten."""
    again(source)
    assert again(source, fresh=True) == (1, {})


def test_skip_leaves_all_that_is_there(source: Path) -> None:
    """Under other options, too; only what is missing is made."""
    again(source)
    out = source.parent.parent / "out"
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir() if path.name[0] != "."}
    assert again(source, existing="skip", quality=5) == (0, {"exists already": 1})
    (out / "a-10.jpg").unlink()
    assert again(source, existing="skip", quality=5) == (1, {})
    after = {path.name: path.stat().st_mtime_ns for path in out.iterdir() if path.name[0] != "."}
    assert {name for name in after if after[name] != before[name]} == {"a-10.jpg"}
    assert again(source, existing="skip", quality=5) == (0, {"exists already": 1})


def test_what_was_found_is_not_taken_for_made(source: Path) -> None:
    """A file that skip had left as it was is made when it may be replaced; it does not pass for up to date before."""
    out = source.parent.parent / "out"
    saved(Image.new("RGB", (3, 3)), out / "a-10.png")
    assert again(source, existing="skip") == (1, {})
    options: dict[str, Any] = {"sizes": "10x,20x", "formats": "png,jpeg", "model": "sequential"}
    assert toolkit.resize(source.parent, out, **options).failed == {"name": 1}
    assert again(source, existing="overwrite") == (1, {})
    with Image.open(out / "a-10.png") as image:
        assert image.size == (10, 7)
    assert again(source) == (0, UP_TO_DATE)


def test_result_of_a_failed_attempt_is_done_again(source: Path) -> None:
    """What was known of the picture as it was before does not count."""
    again(source)
    whole = source.read_bytes()
    source.write_bytes(whole[:200])
    options: dict[str, Any] = {"sizes": "10x,20x", "formats": "png,jpeg", "model": "sequential"}
    assert toolkit.resize(source.parent, source.parent.parent / "out", **options).failed == {"image": 1}
    source.write_bytes(whole)
    assert again(source) == (1, {})
