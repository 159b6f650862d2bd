"""Files that are written: whole, with the dates and names that were asked for, and none that must stay replaced."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from tests.apps.resize.making import corners, one, photo, run, saved
from toolkit.core.task import Success

DAY = 86_400 * 10**9


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_dates_are_the_pictures_if_asked_for(tmp_path: Path) -> None:
    """Of all results; otherwise they are of today."""
    source = saved(corners(), tmp_path / "a.png")
    os.utime(source, ns=(3 * DAY, 2 * DAY))
    run([source], tmp_path / "kept", keep_dates=True, formats="jpeg,png")
    assert [(tmp_path / "kept" / name).stat().st_mtime_ns for name in ("a.jpg", "a.png")] == [2 * DAY] * 2
    _, value = one(source, tmp_path / "new")
    assert (tmp_path / "new/a.png").stat().st_mtime_ns > 10_000 * DAY
    assert value.outputs[0].mtime_ns == (tmp_path / "new/a.png").stat().st_mtime_ns


@pytest.mark.parametrize("form", ["jpeg", "webp", "avif"])
def test_most_bytes_are_kept_to(form: str, tmp_path: Path) -> None:
    """By quality, which is told, and by pixels if it must be."""
    source = saved(photo(320, 240), tmp_path / "a.png")
    _, free = one(source, tmp_path / "free", format=form)
    limit = free.bytes * 2 // 3
    _, value = one(source, tmp_path / "out", format=form, max_bytes=limit)
    assert value.bytes <= limit
    assert (value.outputs[0].quality or 100) < (free.outputs[0].quality or 0)
    _, tiny = one(source, tmp_path / "tiny", format=form, max_bytes=700)
    assert tiny.bytes <= 700
    assert tiny.width < 320


def test_names_follow_the_template(tmp_path: Path) -> None:
    """Sizes and formats have places in it; folders are made."""
    saved(corners(), tmp_path / "in/x/cat.png")
    options = {"sizes": "10,20", "formats": "webp,jpeg", "name_template": "{format}/{dir}/{stem}_{size}.{ext}"}
    run([tmp_path / "in"], tmp_path / "out", **options)
    assert files(tmp_path / "out") == {
        f"{form}/x/cat_{size}.{ext}" for form, ext in (("webp", "webp"), ("jpeg", "jpg")) for size in (10, 20)
    }


def test_file_that_is_there_stays_under_skip(tmp_path: Path) -> None:
    """Whatever it holds; the others of its picture are made, and its facts are told as those of a file found."""
    saved(corners(), tmp_path / "in/a.png")
    there = saved(Image.new("RGB", (7, 5)), tmp_path / "out/a-20.png").read_bytes()
    (tmp_path / "out/a-30.png").write_text("no picture")
    (outcome,) = run([tmp_path / "in"], tmp_path / "out", sizes="10,20,30", existing="skip")
    assert isinstance(outcome, Success)
    made, found = outcome.value.outputs
    assert ((made.name, made.width, made.found), (found.name, found.width, found.height, found.found)) == (
        ("a-10.png", 10, False),
        ("a-20.png", 7, 5, True),
    )
    assert outcome.value.bytes == made.bytes
    assert (tmp_path / "out/a-20.png").read_bytes() == there
    assert (tmp_path / "out/a-30.png").read_text() == "no picture"


def test_nothing_is_done_under_skip_when_all_are_there(tmp_path: Path) -> None:
    """Not even read."""
    saved(corners(), tmp_path / "in/a.png")
    saved(corners(), tmp_path / "out/a.png")
    (outcome,) = run([tmp_path / "in"], tmp_path / "out", size="10x", existing="skip")
    assert getattr(outcome, "reason", "") == "exists already"


def test_file_is_replaced_by_a_whole_one_only(tmp_path: Path) -> None:
    """A picture that cannot be read leaves what is there, and nothing beside it."""
    source = saved(photo(160, 120), tmp_path / "in/a.jpg")
    one(source, tmp_path / "out")
    before = (tmp_path / "out/a.jpg").read_bytes()
    source.write_bytes(source.read_bytes()[:2000])
    (outcome,) = run([tmp_path / "in"], tmp_path / "out")
    assert not isinstance(outcome, Success)
    assert (files(tmp_path / "out"), (tmp_path / "out/a.jpg").read_bytes()) == ({"a.jpg"}, before)
