"""XML as lists of records: the elements that a sitemap or a feed consists of, one at a time, whatever their prefixes.

Nothing is fetched and nothing is expanded: a document that declares entities is refused, one that only names a
document type is read without it. Usual mistakes (a bare &, control characters, space before the start) are mended;
at a mistake of another sort the document ends, with a note.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from toolkit.apps.scrape.mending import Mend
from toolkit.apps.scrape.served import Served
from toolkit.apps.scrape.urls import resolve
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.urls import wire_url

ROOTS = {"urlset": "url", "sitemapindex": "sitemap", "rss": "item", "rdf": "item", "feed": "entry"}
"""What documents may be, and what their records are called."""
PARTS = frozenset(
    (
        *("loc", "lastmod", "link", "guid", "id"),
        *("pubdate", "date", "published", "updated", "modified", "issued", "created"),
    )
)
"""The parts of records that anybody asks for."""
DEEPEST = 200
MOST_PARTS = 1000
LONGEST_TEXT = 64 * 1024
"""Characters of a part; a longer one is left out."""
LONGEST_TAG = 1024 * 1024
"""Bytes of a tag or a comment; the parser looks at an unfinished one anew with every block."""
BROKEN_OFF = frozenset({FailureKind.CODING, FailureKind.TRUNCATED})
"""Failures behind which what was read before still counts."""
MOST_NOTES = 3
"""Notes of one sort that are told one by one."""


@dataclass(frozen=True, slots=True)
class Note:
    """A warning about a document that was read all the same."""

    text: str


@dataclass(slots=True)
class Part:
    """An element of a record: its name without prefix, in small letters; its attributes, in small letters; its text."""

    name: str
    attributes: Mapping[str, str]
    base: str
    text: str = ""


@dataclass(slots=True)
class Record:
    """A record: its element's name, and its parts. base: what its links are relative to."""

    name: str
    base: str
    parts: list[Part] = field(default_factory=list)

    def text(self, *names: str) -> str:
        """Return the text of the first part of the first of these names that has some."""
        for name in names:
            for part in self.parts:
                if part.name == name and part.text:
                    return part.text
        return ""


class Notes:
    """Notes of several sorts, of each the first few; `rest` sums the others up."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def take(self, sort: str, detail: str) -> Iterator[Note]:
        """Yield the note, if there have not been too many of its sort."""
        count = self._counts[sort] = self._counts.get(sort, 0) + 1
        if count <= MOST_NOTES:
            yield Note(f"{sort}: {detail[:200]}")

    def rest(self) -> Iterator[Note]:
        """Yield how many were left out, of each sort."""
        for sort, count in self._counts.items():
            if count > MOST_NOTES:
                yield Note(f"{sort}: {count - MOST_NOTES:,} more")


def read_records(served: Served, url: str, what: str, *, records: frozenset[str]) -> Iterator[Record | Note]:
    """Yield the records of an XML document. what: what it should be; records: the names that its records may have.

    Raises TaskError: unsupported for another document, parse for no XML, blocked for one that declares entities,
    too_large for a tag or document beyond the limits.
    """
    reader = _Reader(url, what, records)
    mend = Mend()
    ended = ""
    try:
        for text in served:
            reader.feed(mend(text).encode(), last=False)
            yield from reader.take()
        reader.feed(mend.end().encode(), last=True)
    except expat.ExpatError as error:
        ended = f"line {error.lineno}: {expat.ErrorString(error.code)}"
    except TaskError as error:
        if error.kind not in BROKEN_OFF:
            raise
        ended = error.message
    yield from reader.take()
    if ended and not reader.root:
        raise TaskError(FailureKind.PARSE, f"not a {what}, and no XML: {ended}")
    if mend.count:
        yield Note(f"not well-formed: {mend.count:,} signs, such as a bare &, were mended")
    if ended:
        yield Note(f"the {what} ends before its end ({ended}); what was before that is read")


def address(base: str, text: str) -> str:
    """Return the http(s) URL that a reference leads to, fit for the wire; "" if it leads to none or is empty."""
    try:
        if not text:
            return ""
        if not text.lower().startswith(("http://", "https://")):
            text = resolve(base, text)
        return wire_url(text)
    except (TaskError, ValueError):
        return ""


class _Reader:
    """Takes the document's events as they come; records that are whole wait."""

    def __init__(self, url: str, what: str, records: frozenset[str]) -> None:
        self.root = ""
        self._what, self._records = what, records
        self._ready: deque[Record] = deque()
        self._fed = 0
        self._depth = 0
        self._bases = [(0, url)]
        self._record: Record | None = None
        self._record_depth = 0
        self._part: Part | None = None
        self._words: list[str] = []
        self._length = 0
        parser = self._parser = expat.ParserCreate("utf-8")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = _doctype
        parser.EntityDeclHandler = _refuse
        parser.buffer_text = True

    def feed(self, data: bytes, *, last: bool) -> None:
        self._fed += len(data)
        self._parser.Parse(data, last)
        if self._fed - self._parser.CurrentByteIndex > LONGEST_TAG and not last:
            raise TaskError(FailureKind.TOO_LARGE, f"a tag of more than {LONGEST_TAG:,} bytes")

    def take(self) -> Iterator[Record]:
        while self._ready:
            yield self._ready.popleft()

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2].lower()
        self._depth += 1
        if self._depth > DEEPEST:
            raise TaskError(FailureKind.PARSE, f"more than {DEEPEST} elements, one in the other")
        if "xml:base" in attributes:
            base = self._bases[-1][1]
            self._bases.append((self._depth, address(base, attributes["xml:base"]) or base))
        if not self.root:
            self.root = name
            if ROOTS.get(name) not in self._records:
                raise TaskError(FailureKind.UNSUPPORTED, f"not a {self._what}: the document is {tag[:40]!r}")
        elif self._record is None:
            if name == ROOTS[self.root]:
                self._record, self._record_depth = Record(name, self._bases[-1][1]), self._depth
        elif self._depth == self._record_depth + 1 and name in PARTS and len(self._record.parts) < MOST_PARTS:
            named = {key.rpartition(":")[2].lower(): value for key, value in attributes.items()}
            self._part, self._words, self._length = Part(name, named, self._bases[-1][1]), [], 0

    def _text(self, text: str) -> None:
        if self._part is not None:
            self._length += len(text)
            if self._length <= LONGEST_TEXT:
                self._words.append(text)

    def _end(self, _: str) -> None:
        if self._bases[-1][0] == self._depth:
            self._bases.pop()
        self._depth -= 1
        if self._record is None:
            return
        if self._depth < self._record_depth:
            self._ready.append(self._record)
            self._record = None
        elif self._part is not None and self._depth == self._record_depth:
            self._part.text = "".join(self._words).strip() if self._length <= LONGEST_TEXT else ""
            self._record.parts.append(self._part)
            self._part = None


def _doctype(_name: str, _system: str | None, _public: str | None, has_internal: bool) -> None:  # noqa: FBT001
    if has_internal:
        _refuse()


def _refuse(*_: object) -> None:
    raise TaskError(FailureKind.BLOCKED, "a document type with declarations is in it, which is not safe to read")
