"""Contact sheets: many pictures on a page with their names under them, as JPEG, PNG, WebP or PDF.

Two pages at a time are in memory, at most. A picture that cannot be shown is a grey cell that says why.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from toolkit.apps.resize.lettering import drawable, elided, wrapped
from toolkit.apps.resize.pdf import Book
from toolkit.apps.resize.thumbnail import likeness
from toolkit.core.errors import TaskError, UsageError
from toolkit.storage import atomic_write

CELL = 200
"""Pixels of a picture's longer side."""
GAP = 12
"""Pixels between cells, and around them."""
NAME = 20
"""Pixels of height for a name."""
LETTERS = 13
"""Pixels of height of the letters."""
PAPER, GREY, INK = (255, 255, 255), (218, 218, 218), (40, 40, 40)

FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    ".jpg": ("JPEG", {"quality": 88, "optimize": True}),
    ".jpeg": ("JPEG", {"quality": 88, "optimize": True}),
    ".png": ("PNG", {}),
    ".webp": ("WEBP", {"quality": 85, "method": 2}),
    ".pdf": ("JPEG", {"quality": 88, "optimize": True}),
}
"""How a page is written, by the ending of the sheet's name."""

Labelled = tuple[str, Path]


def check(path: Path) -> None:
    """Raise UsageError unless a sheet can be written under this name."""
    if path.suffix.lower() not in FORMS:
        raise UsageError(f"--contact-sheet {path}: end it in .jpg, .png, .webp or .pdf")
    if path.is_dir():
        raise UsageError(f"--contact-sheet {path}: this is a folder")


def write(path: Path, pictures: Iterable[Labelled], *, columns: int = 6, rows: int = 8) -> list[Path]:
    """Write sheets of (name to show, picture), and return their paths: none for no pictures.

    Several pages are `sheet-001.jpg`, `sheet-002.jpg`, …, and in a PDF its pages. Raises UsageError, TaskError name or
    disk.
    """
    check(path)
    pages = _pages(pictures, columns, columns * rows)
    if path.suffix.lower() == ".pdf":
        return _book(path, pages)
    written: list[Path] = []
    page = next(pages, None)
    while page is not None:
        following = next(pages, None)
        alone = following is None and not written
        place = path if alone else path.with_name(f"{path.stem}-{len(written) + 1:03}{path.suffix}")
        with atomic_write(place) as file:
            file.write(_encoded(page, path))
        written.append(place)
        page = following
    return written


def _book(path: Path, pages: Iterator[Image.Image]) -> list[Path]:
    first = next(pages, None)
    if first is None:
        return []
    with atomic_write(path) as file:
        book = Book(file)
        book.page(_encoded(first, path), *first.size)
        for page in pages:
            book.page(_encoded(page, path), *page.size)
        book.close()
    return [path]


def _encoded(page: Image.Image, path: Path) -> bytes:
    form, options = FORMS[path.suffix.lower()]
    data = io.BytesIO()
    page.save(data, form, **options)
    return data.getvalue()


def _pages(pictures: Iterable[Labelled], columns: int, many: int) -> Iterator[Image.Image]:
    left = iter(pictures)
    while batch := list(islice(left, many)):
        yield _page(batch, columns)


def _page(pictures: Sequence[Labelled], columns: int) -> Image.Image:
    across, down = min(columns, len(pictures)), -(-len(pictures) // columns)
    page = Image.new("RGB", (GAP + across * (CELL + GAP), GAP + down * (CELL + NAME + GAP)), PAPER)
    draw = ImageDraw.Draw(page)
    for place, (label, path) in enumerate(pictures):
        row, column = divmod(place, columns)
        left, top = GAP + column * (CELL + GAP), GAP + row * (CELL + NAME + GAP)
        try:
            small = likeness(path, CELL)
        except (TaskError, MemoryError) as error:
            _refusal(draw, left, top, getattr(error, "message", "out of memory"))
        else:
            page.paste(small, (left + (CELL - small.width) // 2, top + (CELL - small.height) // 2))
        _name(draw, left, top + CELL, label)
    return page


def _name(draw: ImageDraw.ImageDraw, left: int, top: int, label: str) -> None:
    text, font = drawable(label, LETTERS)
    draw.text((left + CELL / 2, top + NAME / 2), elided(text, font, CELL), INK, font, anchor="mm")


def _refusal(draw: ImageDraw.ImageDraw, left: int, top: int, reason: str) -> None:
    draw.rectangle((left, top, left + CELL - 1, top + CELL - 1), GREY)
    text, font = drawable(reason, LETTERS)
    lines = "\n".join(wrapped(text, font, CELL - 2 * GAP, 6))
    draw.multiline_text((left + CELL / 2, top + CELL / 2), lines, INK, font, anchor="mm", align="center")
