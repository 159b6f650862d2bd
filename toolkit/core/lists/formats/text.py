"""Text: a URL a line; blank lines and lines that start with # are left out."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

from toolkit.core.lists.entry import LINE_LIMIT, Entry
from toolkit.core.lists.opening import as_text, is_cut, lines_of


def read(file: io.BufferedReader, url_column: str | None) -> Iterator[Entry]:  # noqa: ARG001 - there are no columns
    """Yield an entry for each line; a byte order mark and any line ends are tolerated."""
    with as_text(file) as text:
        for entry in entries(lines_of(text, LINE_LIMIT)):
            if entry is not None:
                yield entry


def entries(lines: Iterable[str | None]) -> Iterator[Entry | None]:
    """Yield the entries of lines; None where there is no line yet."""
    number = 0
    for line in lines:
        if line is None:
            yield None
            continue
        number += 1
        if is_cut(line, LINE_LIMIT):
            yield Entry(number, line[:LINE_LIMIT], bad=f"the line is longer than {LINE_LIMIT:,} characters")
            continue
        text = line.strip().lstrip("\ufeff").strip()
        if text and not text.startswith("#"):
            yield Entry(number, text)
