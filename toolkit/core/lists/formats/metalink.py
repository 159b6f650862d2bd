"""Metalink, version 3 and 4 (RFC 5854): files with their addresses, sizes and digests.

An entry has the columns that any list may have: name, size, checksum, mirrors and pieces. A document with a document
type is refused: nothing but an attack has one (entities that grow, entities from elsewhere).
"""

from __future__ import annotations

import io
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from toolkit.core.errors import RunStopped
from toolkit.core.lists.columns import MOST_MIRRORS
from toolkit.core.lists.entry import Columns, Entry

CHUNK = 64 * 1024
FILE_LIMIT = 16 * 1024 * 1024
"""Bytes of XML about one file: enough for the piece digests of a terabyte."""
ALGORITHMS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
PLACES = {
    ("size",): "size",
    ("hash",): "hash",
    ("verification", "hash"): "hash",
    ("pieces",): "pieces",
    ("verification", "pieces"): "pieces",
    ("pieces", "hash"): "piece",
    ("verification", "pieces", "hash"): "piece",
    ("url",): "url",
    ("resources", "url"): "url",
}
"""What stands where below a file; elsewhere, the same names speak of something else, such as older files."""
WEB = ("http", "https")
LAST = 1_000_000
"""The priority of an address without one: after all that have one."""


@dataclass(slots=True)
class _File:
    """What has been read of one file."""

    number: int
    name: str
    size: str = ""
    checksums: list[str] = field(default_factory=list)
    urls: list[tuple[int, str]] = field(default_factory=list)
    algorithm: str = ""
    length: str = ""
    pieces: list[str] = field(default_factory=list)

    def begin_pieces(self, algorithm: str, length: str) -> bool:
        """Tell whether the digests of pieces that follow are better than those before, which they replace then."""
        if not algorithm or (self.pieces and ALGORITHMS.index(algorithm) <= ALGORITHMS.index(self.algorithm)):
            return False
        self.algorithm, self.length = algorithm, length
        self.pieces.clear()
        return True

    def entry(self) -> Entry:
        """Return it as an entry: the best address, and the others as mirrors."""
        urls = list(dict.fromkeys(url for _, url in sorted(self.urls, key=lambda found: found[0])))
        if not urls:
            return Entry(self.number, "", self._columns([]), "the file has no http or https address")
        return Entry(self.number, urls[0], self._columns(urls[1 : 1 + MOST_MIRRORS]))

    def _columns(self, mirrors: list[str]) -> Columns:
        pieces = f"{self.algorithm}:{self.length}:{','.join(self.pieces)}" if self.pieces else ""
        columns = {
            "name": self.name,
            "size": self.size,
            "checksum": " ".join(self.checksums),
            "mirrors": json.dumps(mirrors) if mirrors else "",
            "pieces": pieces,
        }
        return tuple((name, value) for name, value in columns.items() if value)


class _Reader:
    """Takes the document's parts as they come; entries that are whole wait in `ready`."""

    def __init__(self) -> None:
        self.ready: deque[Entry] = deque()
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = _refuse
        self.parser.buffer_text = True
        self.since = 0
        self._depth = 0
        self._count = 0
        self._file: _File | None = None
        self._below: tuple[str, ...] = ()
        self._attributes: dict[str, str] = {}
        self._words: list[str] = []
        self._wants_pieces = False

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(" ")[2].lower()
        self._depth += 1
        if self._depth == 1 and name != "metalink":
            raise RunStopped(f"not a Metalink document: it is about {name[:40]!r}")
        if self._file is None:
            if name == "file":
                self._count += 1
                self._file, self._below = _File(self._count, attributes.get("name", "").strip()), ()
            return
        self._below += (name,)
        self._attributes, self._words = attributes, []
        if PLACES.get(self._below) == "pieces":
            self._wants_pieces = self._file.begin_pieces(_algorithm(attributes), attributes.get("length", "").strip())

    def _text(self, text: str) -> None:
        if self._file is not None:
            self._words.append(text)

    def _end(self, _: str) -> None:
        self._depth -= 1
        if self._file is None:
            return
        if not self._below:
            self.ready.append(self._file.entry())
            self._file, self.since = None, 0
            return
        self._take(self._file, PLACES.get(self._below), "".join(self._words).strip())
        self._below, self._words = self._below[:-1], []

    def _take(self, file: _File, what: str | None, text: str) -> None:
        if what == "size":
            file.size = text
        elif what == "piece" and self._wants_pieces:
            file.pieces.append(text.lower())
        elif what == "hash" and (algorithm := _algorithm(self._attributes)):
            file.checksums.append(f"{algorithm}:{text.lower()}")
        elif what == "url" and self._attributes.get("type", "http").lower() in WEB and _is_web(text):
            file.urls.append((_rank(self._attributes), text))


def read(file: io.BufferedReader, url_column: str | None) -> Iterator[Entry]:  # noqa: ARG001 - the format says which
    """Yield an entry for each file, with its number in the document; raises RunStopped for what is no Metalink."""
    reader = _Reader()
    while True:
        block = file.read1(CHUNK)
        reader.since += len(block)
        try:
            reader.parser.Parse(block, not block)
        except expat.ExpatError as error:
            raise RunStopped(f"not XML: {error}") from error
        while reader.ready:
            yield reader.ready.popleft()
        if not block:
            return
        if reader.since > FILE_LIMIT:
            raise RunStopped(f"more than {FILE_LIMIT:,} bytes about one file")


def _is_web(text: str) -> bool:
    return text.lower().startswith(("http://", "https://"))


def _refuse(*_: object) -> None:
    raise RunStopped("a document type (<!DOCTYPE>) is in it, which no Metalink has and which is not safe to read")


def _algorithm(attributes: dict[str, str]) -> str:
    name = attributes.get("type", "").strip().lower().replace("-", "")
    return name if name in ALGORITHMS else ""


def _rank(attributes: dict[str, str]) -> int:
    """Return where an address stands: version 4 counts priority up from 1, version 3 preference down from 100."""
    for name, sign, nothing in (("priority", 1, LAST), ("preference", -1, 0)):
        value = attributes.get(name, "").strip()
        if value:
            return sign * int(value) if value.isascii() and value.isdigit() and len(value) < 8 else nothing  # noqa: PLR2004
    return LAST
