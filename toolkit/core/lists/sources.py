"""Sources as they are given: URLs, files of any format, standard input; one stream of entries."""

from __future__ import annotations

import sys
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from gzip import BadGzipFile
from itertools import islice
from pathlib import Path
from typing import cast

from toolkit.core import plugins
from toolkit.core.errors import RunStopped, UsageError
from toolkit.core.lists.entry import Columns, Entry, Line
from toolkit.core.lists.formats import text
from toolkit.core.lists.opening import format_of, is_utf16, opened
from toolkit.core.lists.stdin import stdin_lines
from toolkit.core.lists.urlcolumn import NO_URL, is_url

FORMATS = "toolkit.core.lists.formats"
COUNTED = 20 * 1000 * 1000
"""Bytes up to which a list is read beforehand, to show how far the run is."""
PACKED = 5
"""How many times larger a compressed list is taken to be, at least."""
LOOK = 100
"""Entries that are looked at before a run, for a column of URLs in any of them."""

Read = Callable[..., Iterator[Entry]]


def check_sources(sources: Sequence[str], url_column: str | None = None) -> None:
    """Raise UsageError unless each source is a URL, `-` or a list that can be read, and there is at least one.

    Of a file, the beginning is read. A pipe is not even opened: its writer must meet one reader only.
    """
    if not sources:
        raise UsageError("nothing to do: give URLs, a file of URLs, or - for standard input")
    for source in sources:
        if source == "-" and sys.stdin is None:
            raise UsageError("standard input is closed: give URLs or a file of URLs")
        if source == "-" or is_url(source):
            continue
        try:
            _reader_of(source)
            if not Path(source).is_fifo():
                _check_list(source, url_column)
        except (OSError, ValueError) as error:
            what = getattr(error, "strerror", None) or error
            raise UsageError(f"{source!r} is neither a URL nor a readable file: {what}") from error
    if url_column is not None and not any(_is_table(source) for source in sources):
        raise UsageError("--url-column: what is given has no columns; a table ends in .csv, .tsv, .jsonl and the like")


def _is_table(source: str) -> bool:
    return source != "-" and not is_url(source) and _reader_of(source) is not text.read


def read_urls(sources: Sequence[str], url_column: str | None = None) -> Iterator[Line | None]:
    """Yield the entries of every source in order; None where standard input has nothing yet.

    What cannot be used is an entry with a reason. url_column: the name of the column that holds the URLs, or its number
    from 1; if None, one whose name says so (urlcolumn.KNOWN). Raises UsageError if there is none, RunStopped where a
    list breaks off, and OSError.
    """
    often = Counter(Path(source).name for source in sources)
    for source in sources:
        if source == "-":
            for entry in text.entries(stdin_lines()):
                yield None if entry is None else _line(entry, "standard input")
        elif is_url(source):
            yield Line(source.strip(), "the command line")
        else:
            name = Path(source).name
            shown = name if often[name] == 1 else source
            for entry in _entries(source, shown, url_column):
                yield _line(entry, shown)


def count_urls(sources: Sequence[str], url_column: str | None = None) -> int | None:
    """Return how many entries read_urls will yield, or None if only reading to the end would tell."""
    if "-" in sources or any(not is_url(source) and not 0 < _size(source) < COUNTED for source in sources):
        return None
    try:
        return sum(1 for _ in read_urls(sources, url_column))
    except (OSError, RunStopped, UsageError):  # told where it is met in earnest
        return None


def _entries(path: str, name: str, url_column: str | None) -> Generator[Entry]:
    read = _reader_of(path)
    with opened(path) as file:
        try:
            yield from read(file, url_column)
        except UsageError as error:
            raise UsageError(f"{name}: {error}") from error
        except RunStopped as error:
            raise RunStopped(f"{name}: {error}") from error
        except (EOFError, zlib.error, BadGzipFile) as error:
            raise RunStopped(f"{name}: cut short or damaged: {error}") from error


def _reader_of(path: str) -> Read:
    """Return what reads a file; raises MissingExtra."""
    name = format_of(path)
    return cast(Read, plugins.load(FORMATS, name, "read")) if name in plugins.names(FORMATS) else text.read


def _check_list(path: str, url_column: str | None) -> None:
    if not Path(path).is_file():  # a terminal or a folder: opening it tells enough
        opened(path).close()
        return
    is_text = _reader_of(path) is text.read
    if format_of(path) != "parquet":
        _check_text(path, first_line=not is_text)
    if is_text:
        return
    try:
        with closing(_entries(path, Path(path).name, url_column)) as entries:
            first = list(islice(entries, LOOK))
    except RunStopped as error:
        raise UsageError(str(error)) from error
    if first and all(entry.bad.startswith(NO_URL) for entry in first):
        raise UsageError(f"{Path(path).name}: {first[0].bad}")


def _check_text(path: str, *, first_line: bool) -> None:
    """Raise UsageError for a file that is no text by its beginning, or by its first line: a cell may hold anything."""
    with opened(path) as file:
        try:
            start = b"" if is_utf16(file) else file.peek(1024)[:1024]
        except (EOFError, zlib.error) as error:
            raise OSError(f"cut short or damaged: {error}") from error
    if b"\0" in (start.partition(b"\n")[0] if first_line else start):
        raise UsageError(f"{path!r} is not a text file: a list has a URL a line, or is a table")


def _line(entry: Entry, name: str) -> Line:
    where = f"{name}:{entry.number}"
    return Line(entry.url or where, where, _clean(entry.columns) if entry.columns else (), entry.bad)


def _clean(columns: Columns) -> Columns:
    """Return columns that every format can write: no halves of characters."""
    try:
        for name, value in columns:
            if not (name.isascii() and value.isascii()):
                name.encode()
                value.encode()
    except UnicodeEncodeError:
        return tuple((_whole(name), _whole(value)) for name, value in columns)
    return columns


def _whole(value: str) -> str:
    return value.encode("utf-8", "replace").decode()


def _size(path: str) -> int:
    """Return the size of a list in bytes, about, as it is read; -1 for a pipe or what is missing."""
    try:
        size = Path(path).stat().st_size if Path(path).is_file() else -1
    except OSError:
        return -1
    return size * PACKED if path.lower().endswith((".gz", ".parquet")) else size
