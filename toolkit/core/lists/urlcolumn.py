"""Which column of a table, or which field of an object, holds the URL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from toolkit.core.errors import UsageError

KNOWN = (
    "url",
    "uri",
    "link",
    "href",
    "src",
    "image_url",
    "img_url",
    "file_url",
    "download_url",
    "media_url",
    "page_url",
    "source_url",
    "urls",
    "links",
)
"""Columns that hold URLs without being named, the best first; case, hyphens and spaces do not count."""
NO_URL = "no URL column"


def is_url(text: str) -> bool:
    """Tell whether a text is meant as a URL, not as a file name or the heading of a column."""
    return "://" in text.split("?", 1)[0]


def find_column(names: Sequence[str], wanted: str | None) -> int | None:
    """Return the place of the column that is wanted, or of the best known one; None if there is none.

    A name in other letters will do if none is written just so.
    """
    if wanted is not None and wanted in names:
        return names.index(wanted)
    plain = [_plain(name) for name in names]
    for name in KNOWN if wanted is None else (_plain(wanted),):
        if name in plain:
            return plain.index(name)
    return None


def numbered_column(wanted: str | None, count: int) -> int | None:
    """Return the place of a column that is wanted by its number, from 1; None if it is no such number."""
    if wanted is None or not (wanted.isascii() and wanted.isdigit() and len(wanted) < 6):  # noqa: PLR2004
        return None
    return int(wanted) - 1 if 0 < int(wanted) <= count else None


def no_column(names: Iterable[str], wanted: str | None) -> UsageError:
    """Return the error for columns none of which will do."""
    return UsageError(no_url(names, wanted))


def no_url(names: Iterable[str], wanted: str | None) -> str:
    """Return what to say of columns none of which will do."""
    found = list(names)
    shown = ", ".join(repr(_short(name)) for name in found[:20]) + (", …" if len(found) > 20 else "")  # noqa: PLR2004
    what = f"{NO_URL}: none is called {wanted!r}" if wanted is not None else f"{NO_URL}: name one by --url-column"
    return f"{what} (there is {shown or 'nothing'})"


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Return names for columns: none empty, none twice."""
    taken: set[str] = set()
    result = []
    for number, name in enumerate(names, 1):
        base = candidate = name.strip() or f"column_{number}"
        count = 1
        while candidate in taken:
            count += 1
            candidate = f"{base}_{count}"
        taken.add(candidate)
        result.append(candidate)
    return tuple(result)


def _plain(name: str) -> str:
    return name.strip().lstrip("\ufeff").casefold().replace("-", "_").replace(" ", "_")


def _short(name: str) -> str:
    return name if len(name) <= 40 else name[:39] + "…"  # noqa: PLR2004
