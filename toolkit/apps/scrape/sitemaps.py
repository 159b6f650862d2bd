"""Sitemaps (sitemaps.org 0.9): the pages and further sitemaps that a document names; read as a stream.

XML with any prefixes, plain text, and feeds, which the protocol allows, too; also as gzip, told by its content. What is
named may be of any host: a sitemap speaks for other hosts only where their robots.txt names it, which the crawl knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from toolkit.apps.scrape import feeds, robots
from toolkit.apps.scrape.moments import Moment, parse_moment
from toolkit.apps.scrape.records import BROKEN_OFF, Note, Notes, Part, Record, address, read_records
from toolkit.apps.scrape.served import Served
from toolkit.core.errors import FailureKind, TaskError

PROTOCOL_URLS = 50_000
PROTOCOL_BYTES = 50 * 1024 * 1024
"""What the protocol allows in one file; more is read, with a note."""
MOST_URLS = 1_000_000
MOST_BYTES = 500_000_000
"""What we read of one file; more is a failure."""
MOST_ANNOUNCED = 1000
"""Sitemaps of one robots.txt that are looked at."""
LONGEST_LINE = 64 * 1024
HOPELESS = 100
"""Lines of a text without any URL, after which it is no sitemap."""
RECORDS = frozenset({"url", "sitemap"}) | feeds.RECORDS


@dataclass(frozen=True, slots=True)
class SitemapEntry:
    """A page. lastmod: when it last changed, with a zone, or None. language: that of an alternate, as in `hreflang`."""

    url: str
    lastmod: datetime | None = None
    language: str = ""


@dataclass(frozen=True, slots=True)
class NestedSitemap:
    """A further sitemap, which an index names. lastmod: when that file last changed."""

    url: str
    lastmod: datetime | None = None


Found = SitemapEntry | NestedSitemap | Note


def read_sitemap(
    data: IO[bytes] | bytes,
    url: str,
    *,
    charset: str | None = None,
    since: datetime | None = None,
    alternates: bool = False,
    most_bytes: int = MOST_BYTES,
    most_urls: int = MOST_URLS,
) -> Iterator[Found]:
    """Yield what a sitemap names, in its order, and notes on what is wrong with it, holding one record at a time.

    url: its own. charset: the label that HTTP gave. since: pages and sitemaps that last changed before that are left
    out; those that do not say are not, and a day without a time counts to its end. alternates: whether to yield the
    pages in other languages (hreflang), too, right behind theirs. Raises TaskError, after what could be read: for what
    is no sitemap, and for more than most_urls or most_bytes, unpacked.
    """
    served = Served(data, charset, most_bytes)
    start = served.begin()
    if not start:
        raise TaskError(FailureKind.PARSE, "not a sitemap: the document is empty")
    reading = _Reading(url, since, Notes(), alternates=alternates)
    founds = reading.xml(served) if start == "<" else reading.text(served)
    return _counted(founds, served, reading.notes, most_urls)


def announced(robots_txt: bytes, url: str) -> list[str]:
    """Return the sitemaps that a robots.txt names, each once. url: the robots.txt's own, for relative ones."""
    rules = robots.parse(robots_txt[: robots.LIMIT])
    found = (address(url, str(line).strip()) for line in rules.sitemaps)
    return list(dict.fromkeys(filter(None, found)))[:MOST_ANNOUNCED]


def _counted(founds: Iterator[Found], served: Served, notes: Notes, most_urls: int) -> Iterator[Found]:
    count, is_long, is_large = 0, False, False
    for found in founds:
        count += not isinstance(found, Note)
        if count > most_urls:
            raise TaskError(FailureKind.TOO_LARGE, f"the sitemap names more than {most_urls:,} URLs")
        if count > PROTOCOL_URLS and not is_long:
            is_long = True
            yield Note(f"more than {PROTOCOL_URLS:,} URLs, which is the most that a sitemap may have")
        if served.bytes > PROTOCOL_BYTES and not is_large:
            is_large = True
            yield Note(f"larger than {PROTOCOL_BYTES:,} bytes, which is the most that a sitemap may have")
        yield found
    yield from notes.rest()


@dataclass(frozen=True, slots=True)
class _Reading:
    """One sitemap, as it was asked for."""

    url: str
    since: datetime | None
    notes: Notes
    alternates: bool

    def xml(self, served: Served) -> Iterator[Found]:
        for record in read_records(served, self.url, "sitemap", records=RECORDS):
            if isinstance(record, Note):
                yield record
            elif record.name in feeds.RECORDS:
                yield from self._fed(record)
            else:
                yield from self._named(record)

    def text(self, served: Served) -> Iterator[Found]:
        """Yield the pages of a text, a URL a line."""
        bad = good = 0
        try:
            for line in _lines(served):
                if line.lower().startswith(("http://", "https://")) and (page := address(self.url, line)):
                    good += 1
                    yield SitemapEntry(page)
                elif line:
                    bad += 1
                    if not good and bad >= HOPELESS:
                        break
                    yield from self.notes.take("no URL", repr(line))
        except TaskError as error:
            if error.kind not in BROKEN_OFF:
                raise
            yield Note(f"the sitemap ends before its end ({error}); what was before that is read")
        if not good:
            raise TaskError(FailureKind.UNSUPPORTED, "not a sitemap: neither XML nor a text with a URL a line")

    def _named(self, record: Record) -> Iterator[Found]:
        text = record.text("loc")
        moment, notes = self._moment(record.text("lastmod"))
        yield from notes
        if moment is not None and moment.is_before(self.since):
            return
        lastmod = None if moment is None else moment.start
        page = _place(record, text)
        if not page:
            yield from self.notes.take("no URL", repr(text) if text else f"a <{record.name}> without <loc>")
        elif record.name == "sitemap":
            yield NestedSitemap(page, lastmod)
        else:
            yield SitemapEntry(page, lastmod)
        if self.alternates:
            yield from self._others(record, page, lastmod)

    def _others(self, record: Record, page: str, lastmod: datetime | None) -> Iterator[Found]:
        for part in record.parts:
            language = _language(part)
            if not language:
                continue
            other = _place(record, part.attributes.get("href", ""))
            if not other:
                yield from self.notes.take("no URL", f"the alternate {language!r} of {page}")
            elif other != page:
                yield SitemapEntry(other, lastmod, language)

    def _fed(self, record: Record) -> Iterator[Found]:
        entry = feeds.entry_of(record)
        if entry is None:
            yield from self.notes.take("no URL", f"an <{record.name}> without a page")
            return
        lastmod = entry.updated or entry.published
        if not (self.since and lastmod and lastmod < self.since):
            yield SitemapEntry(entry.url, lastmod)

    def _moment(self, text: str) -> tuple[Moment | None, Iterator[Note]]:
        moment = parse_moment(text) if text else None
        wrong = bool(text) and moment is None
        return moment, self.notes.take("no date", repr(text)) if wrong else iter(())


def _place(record: Record, text: str) -> str:
    """Return the URL that is meant; it should be absolute, and may be a path from the root of the host."""
    if text[:1] != "/" and not text.lower().startswith(("http://", "https://")):
        return ""
    return address(record.base, text)


def _language(part: Part) -> str:
    """Return the language of an `<xhtml:link rel="alternate" hreflang="…">`, else ""."""
    is_alternate = part.name == "link" and "alternate" in part.attributes.get("rel", "").lower().split()
    return part.attributes.get("hreflang", "").strip() if is_alternate else ""


def _lines(served: Served) -> Iterator[str]:
    """Yield the lines of a text; of a longer one than the limit, its beginning and no more."""
    rest = ""
    for text in served:
        *lines, rest = (rest + text).replace("\r", "\n").split("\n")
        yield from (line[:LONGEST_LINE].strip() for line in lines)
        rest = rest[: LONGEST_LINE + 1]
    yield rest[:LONGEST_LINE].strip()
