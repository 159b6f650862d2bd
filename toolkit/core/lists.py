"""Lists of URLs as people keep them: on the command line, in text files, on standard input; read as a stream."""

from __future__ import annotations

import codecs
import queue
import sys
import threading
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import IO

from toolkit.core.errors import UsageError

LINE_LIMIT = 64 * 1024
"""Characters in a line; a longer one is no URL, and is cut so that a binary file does no harm."""
COUNTED = 20 * 1000 * 1000
"""Bytes up to which a list is read beforehand, to show how far the run is."""


@dataclass(frozen=True, slots=True)
class Line:
    """One entry. where: what to call it in messages, such as "urls.txt:12"."""

    text: str
    where: str


class Seen:
    """A set of texts by 64-bit hashes in one flat array: 16 to 32 bytes an entry, where a set of strings takes 150.

    Of a million texts, two different ones are taken for the same once in 37 million lists.
    """

    __slots__ = ("_count", "_slots")

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * 1024))
        self._count = 0

    def add(self, text: str) -> bool:
        """Add a text; tell whether it is new."""
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        if not self._put(int.from_bytes(digest, "little") or 1):
            return False
        self._count += 1
        if self._count * 2 > len(self._slots):
            self._grow()
        return True

    def _put(self, value: int) -> bool:
        slots, mask = self._slots, len(self._slots) - 1
        place = value & mask
        while slots[place]:
            if slots[place] == value:
                return False
            place = (place + 1) & mask
        slots[place] = value
        return True

    def _grow(self) -> None:
        old, self._slots = self._slots, array("Q", bytes(16 * len(self._slots)))
        for value in old:
            if value:
                self._put(value)


def check_sources(sources: Sequence[str]) -> None:
    """Raise UsageError unless each source is a URL, `-` or a readable file, and there is at least one."""
    if not sources:
        raise UsageError("nothing to do: give URLs, a file of URLs, or - for standard input")
    for source in sources:
        if source == "-" and sys.stdin is None:
            raise UsageError("standard input is closed: give URLs or a file of URLs")
        if source == "-" or is_url(source):
            continue
        try:
            if not Path(source).is_fifo():  # its writer must meet one reader only
                _check_text(source)
        except (OSError, ValueError) as error:
            what = getattr(error, "strerror", None) or error
            raise UsageError(f"{source!r} is neither a URL nor a readable file: {what}") from error


def _check_text(path: str) -> None:
    with open(path, "rb") as file:
        start = file.read(1024) if Path(path).is_file() else b""
    if b"\0" in start and not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UsageError(f"{path!r} is not a text file: a list has a URL a line")


def is_url(text: str) -> bool:
    """Tell whether an argument is meant as a URL, not as a file name."""
    return "://" in text.split("?", 1)[0]


def read_urls(sources: Sequence[str]) -> Iterator[Line | None]:
    """Yield the entries of every source in order; None where standard input has nothing yet.

    Blank lines and lines that start with # are left out; a byte order mark and CRLF are tolerated.
    """
    for source in sources:
        if source == "-":
            yield from _entries(_stdin(), "standard input")
        elif is_url(source):
            yield Line(source.strip(), "the command line")
        else:
            with _opened(source) as file:
                yield from _entries(_lines(file), Path(source).name)


def count_urls(sources: Sequence[str]) -> int | None:
    """Return how many entries read_urls will yield, or None if only reading to the end would tell."""
    if "-" in sources or any(not is_url(source) and not 0 < _size(source) < COUNTED for source in sources):
        return None
    return sum(1 for _ in read_urls(sources))


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size if Path(path).is_file() else -1
    except OSError:
        return -1


def _opened(source: str) -> IO[str]:
    """Open a list as UTF-8, or as UTF-16 if a byte order mark says so, as some editors and shells write it."""
    if Path(source).is_file():  # a pipe can be read only once
        with open(source, "rb") as file:
            if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
                return open(source, encoding="utf-16", errors="replace")
    return open(source, encoding="utf-8-sig", errors="surrogateescape")


def _entries(lines: Iterable[str | None], name: str) -> Iterator[Line | None]:
    number = 0
    for line in lines:
        if line is None:
            yield None
            continue
        number += 1
        text = line.strip().lstrip("\ufeff").strip()
        if text and not text.startswith("#"):
            yield Line(text, f"{name}:{number}")


def _lines(file: Iterable[str]) -> Iterator[str]:
    read = getattr(file, "readline")  # noqa: B009 - with a limit, which iteration does not have
    while line := read(LINE_LIMIT):
        while not line.endswith("\n") and (rest := read(LINE_LIMIT)):
            if rest.endswith("\n"):
                break
        yield line


def _stdin() -> Iterator[str | None]:
    """Read standard input in a thread, so that a slow writer at the other end does not hold up what runs."""
    lines: queue.Queue[str | Exception | None] = queue.Queue(maxsize=1000)

    def read() -> None:
        try:
            with open(sys.stdin.fileno(), encoding="utf-8-sig", errors="surrogateescape", closefd=False) as stream:
                for line in _lines(stream):
                    lines.put(line)
            lines.put(None)
        except Exception as error:  # raised again where the lines are wanted
            lines.put(error)

    threading.Thread(target=read, name="toolkit-stdin", daemon=True).start()
    while True:
        try:
            line = lines.get_nowait()
        except queue.Empty:
            yield None
            continue
        if line is None:
            return
        if isinstance(line, Exception):
            raise line
        yield line
