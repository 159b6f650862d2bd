"""Opening lists: compressed or not, files or pipes, in UTF-8 or in UTF-16, a line at a time."""

from __future__ import annotations

import codecs
import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

BUFFER = 256 * 1024


def opened(path: str) -> io.BufferedReader:
    """Open a file for reading bytes, unpacked if it is called .gz; opened only once, because it may be a pipe."""
    if not path.lower().endswith(".gz"):
        return io.BufferedReader(io.FileIO(path), BUFFER)
    return io.BufferedReader(gzip.GzipFile(path, "rb"), BUFFER)


def format_of(path: str) -> str:
    """Return what the suffix says of the format, such as "csv" for "urls.CSV.gz"; "" without one."""
    name = Path(path).name.lower().removesuffix(".gz")
    return Path(name).suffix.removeprefix(".")


def is_utf16(file: io.BufferedReader) -> bool:
    """Tell whether a file begins with a byte order mark of UTF-16, as some editors and shells write it."""
    return file.peek(2)[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def as_text(file: io.BufferedReader, newline: str | None = None) -> TextIO:
    """Return the text of a file in UTF-8 or UTF-16; what is neither is kept as surrogates."""
    if is_utf16(file):
        return io.TextIOWrapper(file, "utf-16", "replace", newline)
    return io.TextIOWrapper(file, "utf-8-sig", "surrogateescape", newline)


def lines_of(file: TextIO, limit: int) -> Iterator[str]:
    """Yield the lines with their ends; of a line longer than the limit, one character more than that."""
    read = file.readline
    while line := read(limit + 1):
        yield line
        if is_cut(line, limit):
            while (rest := read(limit)) and rest[-1] not in "\r\n":
                pass


def is_cut(line: str, limit: int) -> bool:
    """Tell whether a line of lines_of was longer than the limit."""
    return len(line) > limit and line[-1] not in "\r\n"
