"""Contact sheets: every picture in its place, a reason where there is none, pages as they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from toolkit.apps.resize import sheet
from toolkit.apps.resize.sheet import CELL, GAP, GREY, NAME, PAPER
from toolkit.core.errors import UsageError

COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255)]


@pytest.fixture
def pictures(tmp_path: Path) -> list[tuple[str, Path]]:
    """Return five pictures, each of one colour."""
    found = []
    for number, colour in enumerate(COLOURS):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (300, 300), colour).save(path)
        found.append((path.name, path))
    return found


def cells(path: Path) -> list[tuple[int, ...]]:
    """Return the colour in the middle of each cell of a sheet, in reading order."""
    with Image.open(path) as image:
        across, down = (image.width - GAP) // (CELL + GAP), (image.height - GAP) // (CELL + NAME + GAP)
        places = [(column, row) for row in range(down) for column in range(across)]
        found = [
            image.convert("RGB").getpixel(
                (GAP + column * (CELL + GAP) + CELL // 2, GAP + row * (CELL + NAME + GAP) + CELL // 2)
            )
            for column, row in places
        ]
    return [colour for colour in found if isinstance(colour, tuple)]


def test_sheet_holds_every_picture_in_order(tmp_path: Path, pictures: list[tuple[str, Path]]) -> None:
    """One page under the name that was asked for; the last row may have room; there is ink under each picture."""
    path = tmp_path / "out" / "all.png"
    assert sheet.write(path, pictures, columns=2, rows=3) == [path]
    assert cells(path) == [*COLOURS, PAPER]
    with Image.open(path) as image:
        below = image.crop((GAP, GAP + CELL, GAP + CELL, GAP + CELL + NAME)).convert("L")
        assert below.getextrema()[0] < 100  # type: ignore[operator]  # one band: two numbers
        beside = image.crop((0, GAP + CELL, GAP, GAP + CELL + NAME)).convert("L")
        assert beside.getextrema() == (255, 255)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_pages_are_numbered_when_there_are_several(
    tmp_path: Path, pictures: list[tuple[str, Path]], suffix: str
) -> None:
    """The name that was asked for is the stem; a last page is as small as it can be."""
    written = sheet.write(tmp_path / f"all{suffix}", pictures, columns=2, rows=1)
    assert [path.name for path in written] == [f"all-00{number}{suffix}" for number in (1, 2, 3)]
    assert not (tmp_path / f"all{suffix}").exists()
    assert [len(cells(path)) for path in written] == [2, 2, 1]


def test_pdf_has_all_pages(tmp_path: Path, pictures: list[tuple[str, Path]]) -> None:
    """One file, whatever the number of pages."""
    path = tmp_path / "all.PDF"
    assert sheet.write(path, pictures, columns=2, rows=1) == [path]
    assert path.read_bytes().count(b"/Type /Page ") == 3


def test_cell_is_grey_when_there_is_no_picture(tmp_path: Path, pictures: list[tuple[str, Path]]) -> None:
    """A file that is missing or broken takes its place with a reason, and the others are shown."""
    (tmp_path / "broken.png").write_bytes(pictures[0][1].read_bytes()[:60])
    rows = [("gone.png", tmp_path / "gone.png"), pictures[1], ("broken.png", tmp_path / "broken.png")]
    sheet.write(tmp_path / "all.png", rows)
    assert cells(tmp_path / "all.png")[1] == COLOURS[1]
    with Image.open(tmp_path / "all.png") as image:
        for left in (GAP, GAP + 2 * (CELL + GAP)):
            assert image.getpixel((left + 1, GAP + 1)) == GREY
            cell = image.crop((left, GAP, left + CELL, GAP + CELL)).convert("L")
            assert cell.getextrema()[0] < 100  # type: ignore[operator]  # it says why


def test_sheet_reads_no_further_than_the_page_after_the_one_it_writes(
    tmp_path: Path, pictures: list[tuple[str, Path]]
) -> None:
    """Fifty thousand pictures are never held together: a page is on the disk before the second after it is begun."""
    seen: list[int] = []

    def rows() -> Iterator[tuple[str, Path]]:
        for number in range(20):
            seen.append(len([*tmp_path.glob("all-*.png")]))
            yield pictures[number % 5]

    sheet.write(tmp_path / "all.png", rows(), columns=2, rows=1)
    assert seen == [max(0, number // 2 - 1) for number in range(20)]


def test_nothing_is_written_when_there_are_no_pictures(tmp_path: Path) -> None:
    """An empty sheet tells nothing."""
    for name in ("all.png", "all.pdf"):
        assert sheet.write(tmp_path / name, []) == []
    assert [*tmp_path.iterdir()] == []


def test_sheet_is_refused_when_its_ending_says_no_form(tmp_path: Path) -> None:
    """Before the work begins, and with what to write instead; so is a folder."""
    with pytest.raises(UsageError, match=r"\.jpg, \.png, \.webp or \.pdf"):
        sheet.check(tmp_path / "all.bmp")
    (tmp_path / "all.png").mkdir()
    with pytest.raises(UsageError, match="folder"):
        sheet.check(tmp_path / "all.png")
