"""Feeds: the pages that an RSS (0.9 to 2.0), Atom or JSON Feed (1 and 1.1) document tells of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, TextIO, cast

from toolkit.apps.scrape.moments import parse_moment
from toolkit.apps.scrape.records import BROKEN_OFF, Note, Notes, Part, Record, address, read_records
from toolkit.apps.scrape.served import Served
from toolkit.core.errors import FailureKind, RunStopped, TaskError
from toolkit.core.lists.scanner import Scanner

MOST_BYTES = 100_000_000
MOST_ENTRIES = 1_000_000
RECORDS = frozenset({"item", "entry"})
PUBLISHED = ("published", "pubdate", "issued", "date", "created")
UPDATED = ("updated", "modified")


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """A page that a feed tells of. published, updated: with a zone, None where the feed does not say or say clearly."""

    url: str
    published: datetime | None = None
    updated: datetime | None = None


def read_feed(
    data: IO[bytes] | bytes,
    url: str,
    *,
    charset: str | None = None,
    since: datetime | None = None,
    most_bytes: int = MOST_BYTES,
) -> Iterator[FeedEntry | Note]:
    """Yield the entries of a feed, in its order, and notes on what is wrong with it, holding one at a time.

    url: the feed's own, for relative links. charset: the label that HTTP gave. since: entries that were published and
    last changed before that are left out; those without a date are not. Raises TaskError, after what could be read: for
    what is no feed, and for more than most_bytes, unpacked.
    """
    served = Served(data, charset, most_bytes)
    start = _begin(served)
    notes = Notes()
    entries = _json(served, url, notes) if start == "{" else _xml(served, url, notes)
    count = 0
    for entry in entries:
        if isinstance(entry, Note):
            yield entry
            continue
        count += 1
        if count > MOST_ENTRIES:
            raise TaskError(FailureKind.TOO_LARGE, f"the feed has more than {MOST_ENTRIES:,} entries")
        if not (since and _is_before(entry, since)):
            yield entry
    yield from notes.rest()


def entry_of(record: Record) -> FeedEntry | None:
    """Return the entry that an `<item>` or `<entry>` is, None if it leads to no page."""
    url = next(filter(None, _links(record)), "")
    return FeedEntry(url, _date(record.text(*PUBLISHED)), _date(record.text(*UPDATED))) if url else None


def _xml(served: Served, url: str, notes: Notes) -> Iterator[FeedEntry | Note]:
    for found in read_records(served, url, "feed", records=RECORDS):
        if isinstance(found, Note):
            yield found
        elif (entry := entry_of(found)) is not None:
            yield entry
        else:
            yield from notes.take("an entry without a page", found.text("id", "guid", "link") or "it has no link")


def _links(record: Record) -> Iterator[str]:
    """Yield where an entry may lead, the best first: RSS's link, Atom's alternate, a guid that is a URL."""
    links = [part for part in record.parts if part.name == "link"]
    for part in links:
        if part.text and "href" not in part.attributes:
            yield address(part.base, part.text)
    alternates = [part for part in links if "href" in part.attributes and _is_alternate(part)]
    for part in sorted(alternates, key=lambda part: "html" not in part.attributes.get("type", "html")):
        yield address(part.base, part.attributes["href"])
    for part in record.parts:
        is_link = part.attributes.get("ispermalink", "true").strip().lower() != "false"
        if part.name == "guid" and is_link and "://" in part.text:
            yield address(part.base, part.text)


def _is_alternate(part: Part) -> bool:
    return part.attributes.get("rel", "alternate").strip().lower() in ("alternate", "")


def _json(served: Served, url: str, notes: Notes) -> Iterator[FeedEntry | Note]:
    scanner = Scanner(cast(TextIO, _Text(served)))
    is_feed = False
    try:
        scanner.take("{")
        mark = scanner.take("}") if scanner.peek() == "}" else ","
        while mark == ",":
            name = scanner.value()
            scanner.take(":")
            if name == "items" and scanner.peek() == "[":
                is_feed = True
                for item in _array(scanner):
                    yield from _item(item, url, notes)
            else:
                value = scanner.value()
                is_feed = is_feed or (name == "version" and "jsonfeed.org" in str(value))
            mark = scanner.take(",}")
    except RunStopped as error:
        if not is_feed:
            raise TaskError(FailureKind.PARSE, f"not a feed, and no JSON: {error}") from error
        yield Note(f"the feed ends before its end ({error}); what was before that is read")
    except TaskError as error:
        if error.kind not in BROKEN_OFF or not is_feed:
            raise
        yield Note(f"the feed ends before its end ({error}); what was before that is read")
    if not is_feed:
        raise TaskError(FailureKind.UNSUPPORTED, "not a feed: a JSON document without items")


def _array(scanner: Scanner) -> Iterator[Any]:
    scanner.take("[")
    mark = scanner.take("]") if scanner.peek() == "]" else ","
    while mark == ",":
        yield scanner.value()
        mark = scanner.take(",]")


def _item(item: Any, base: str, notes: Notes) -> Iterator[FeedEntry | Note]:
    values = item if isinstance(item, dict) else {}
    texts = {name: value for name, value in values.items() if isinstance(value, str)}
    urls = (texts.get("url", ""), texts["id"] if "://" in texts.get("id", "") else "", texts.get("external_url", ""))
    found = next(filter(None, (address(base, url) for url in urls if url.strip())), "")
    if found:
        yield FeedEntry(found, _date(texts.get("date_published", "")), _date(texts.get("date_modified", "")))
    else:
        yield from notes.take("an entry without a page", texts.get("id", "") or "it has no url")


class _Text:
    """Text to read, so many characters or a little more at a time; a failure comes behind what was before it."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._failure: TaskError | None = None

    def read(self, size: int) -> str:
        if self._failure is not None:
            raise self._failure
        pieces: list[str] = []
        try:
            while size > 0 and (piece := next(self._served, "")):
                pieces.append(piece)
                size -= len(piece)
        except TaskError as error:
            if not pieces:
                raise
            self._failure = error
        return "".join(pieces)


def _begin(served: Served) -> str:
    start = served.begin()
    if not start:
        raise TaskError(FailureKind.PARSE, "not a feed: the document is empty")
    return start


def _date(text: str) -> datetime | None:
    moment = parse_moment(text) if text else None
    return None if moment is None else moment.start


def _is_before(entry: FeedEntry, since: datetime) -> bool:
    times = [time for time in (entry.published, entry.updated) if time is not None]
    return bool(times) and max(times) < since
