"""What is written of all results: complete after every run, whatever that had to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import toolkit
from tests.apps.resize.making import corners, saved
from toolkit.core.errors import UsageError
from toolkit.reporting import Summary


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with three pictures."""
    for name in ("b.png", "a.png", "sub/c.png"):
        saved(corners(), tmp_path / "in" / name)
    return tmp_path / "in"


def done(folder: Path, **options: Any) -> Summary:
    """Do a folder, with both files beside it."""
    chosen = {"sizes": "10,20", "formats": "webp,jpeg", "model": "sequential", **options}
    chosen |= {"srcset": folder.parent / "s.html", "contact_sheet": folder.parent / "sheet.png"}
    return toolkit.resize(folder, folder.parent / "out", **chosen)


def named(folder: Path) -> list[str]:
    return re.findall(r"<!-- (.*) -->", (folder.parent / "s.html").read_text())


def files(folder: Path) -> set[str]:
    return set(re.findall(r"\S+\.(?:jpg|webp)", (folder.parent / "s.html").read_text().replace('"', " ")))


ALL = {f"{stem}-{size}.{ext}" for stem in ("a", "b", "sub/c") for size in (10, 20) for ext in ("jpg", "webp")}


def test_all_pictures_are_there_in_the_order_of_the_plan(folder: Path) -> None:
    """Each with every size and format, and one cell each on the sheet."""
    done(folder)
    assert (named(folder), files(folder)) == (["a.png", "b.png", "sub/c.png"], ALL)
    with Image.open(folder.parent / "sheet.png") as sheet:
        assert sheet.size[0] > 3 * 200


@pytest.mark.parametrize("existing", ["update", "skip"])
def test_all_pictures_are_there_when_none_was_done(existing: str, folder: Path) -> None:
    """The second run writes what the first did."""
    done(folder)
    before = [(folder.parent / name).read_bytes() for name in ("s.html", "sheet.png")]
    for name in ("s.html", "sheet.png"):
        (folder.parent / name).unlink()
    assert done(folder, existing=existing).skips == 3
    assert [(folder.parent / name).read_bytes() for name in ("s.html", "sheet.png")] == before


def test_files_that_were_left_as_they_are_are_there_too(folder: Path) -> None:
    """Under skip, a picture of which one file was missing has all of them."""
    done(folder)
    (folder.parent / "out/a-10.jpg").unlink()
    assert done(folder, existing="skip").succeeded == 1
    assert (named(folder), files(folder)) == (["a.png", "b.png", "sub/c.png"], ALL)


def test_new_picture_takes_its_place(folder: Path) -> None:
    """Between the others, in the order of the plan."""
    done(folder)
    saved(corners(), folder / "aa.png")
    assert done(folder).succeeded == 1
    assert named(folder) == ["a.png", "aa.png", "b.png", "sub/c.png"]


def test_results_of_other_options_are_left_out(folder: Path) -> None:
    """The file is about this run's sizes and formats."""
    done(folder)
    done(folder, sizes="30")
    assert files(folder) == {f"{stem}.{ext}" for stem in ("a", "b", "sub/c") for ext in ("jpg", "webp")}


def test_retry_without_sources_knows_all(folder: Path) -> None:
    """What was done before stands there, too."""
    (folder / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    assert done(folder).errors == 1
    assert named(folder) == ["a.png", "sub/c.png"]
    saved(corners(), folder / "b.png")
    chosen: dict[str, Any] = {"sizes": "10,20", "formats": "webp,jpeg", "model": "sequential"}
    chosen |= {"srcset": folder.parent / "s.html", "contact_sheet": folder.parent / "sheet.png"}
    assert toolkit.resize([], folder.parent / "out", retry_failed=True, **chosen).succeeded == 1
    assert named(folder) == ["a.png", "b.png", "sub/c.png"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"srcset": "."}, "--srcset .: this is a folder"),
        ({"contact_sheet": "x.bmp"}, "--contact-sheet x.bmp: end it in .jpg"),
        ({"contact_sheet": "in/a.png"}, "a.png is an input too: write it elsewhere"),
        ({"contact_sheet": "out/a.png"}, "a.png is the name of a result too: write it elsewhere"),
    ],
)
def test_place_that_cannot_be(
    options: dict[str, Any], words: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is made before it is known that the end can be written."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        toolkit.resize("in", "out", model="sequential", **options)
    assert words in str(caught.value)
    assert not (tmp_path / "out").exists()
