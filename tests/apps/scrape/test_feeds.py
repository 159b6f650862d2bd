"""The pages that feeds tell of, in all forms that are about."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.apps.scrape.feeds import FeedEntry, read_feed
from toolkit.apps.scrape.records import Note
from toolkit.core.errors import FailureKind, TaskError

URL = "https://example.org/blog/feed.xml"
RSS_091 = """<?xml version="1.0" encoding="ISO-8859-1"?>
<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/publish/formats/rss-0.91.dtd">
<rss version="0.91"><channel><title>T</title><link>http://h/</link><image><link>http://h/image</link></image>
<item><title>&copy; One</title><link>http://h/1</link></item></channel></rss>"""
RSS_10 = """<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="http://h/"><link>http://h/</link>
<items><rdf:Seq><rdf:li resource="http://h/1"/></rdf:Seq></items></channel>
<item rdf:about="http://h/1"><link>http://h/1</link><dc:date>2025-01-02T03:04:05Z</dc:date></item></rdf:RDF>"""
RSS_20 = """<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><link>http://h/</link>
<atom:link href="http://h/feed" rel="self" type="application/rss+xml"/>
<item><link>http://h/1?a=1&amp;b=2</link><guid isPermaLink="false">x</guid>
<pubDate>Thu, 02 Jan 2025 03:04:05 GMT</pubDate></item>
<item><atom:link href="http://h/self" rel="self"/><guid>http://h/2</guid></item>
<item><link><![CDATA[http://h/3?a&b]]></link><pubDate>last Tuesday</pubDate></item>
<item><title>No page</title><guid isPermaLink="false">http://h/no</guid></item>
<item><link>4.html</link><source url="http://elsewhere/"><link>http://wrong/</link></source></item>
</channel></rss>"""
ATOM_10 = """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="http://h/blog/"><link href="http://h/" /><id>urn:x</id>
<entry><link rel="edit" href="/edit/1"/><link rel="enclosure" href="/1.mp3"/><link href="1" type="application/json"/>
<link rel="alternate" type="text/html" href="1"/>
<published>2025-01-02T03:04:05Z</published><updated>2025-02-01T00:00:00+01:00</updated></entry>
<entry xml:base="2024/"><link href="2"/></entry>
<entry><link xml:base="/notes/" href="3?a=1&amp;b=2"/></entry>
<entry><id>http://h/no</id><link rel="self" href="x"/></entry></feed>"""
ATOM_03 = """<a:feed version="0.3" xmlns:a="http://purl.org/atom/ns#"><a:entry>
<a:link rel="alternate" type="text/html" href="http://h/1"/><a:issued>2025-01-02</a:issued><a:modified>2025-01-03</a:modified>
</a:entry></a:feed>"""
JSON_FEED = {
    "version": "https://jsonfeed.org/version/1.1",
    "home_page_url": "http://h/",
    "authors": [{"name": "x"}],
    "items": [
        {
            "id": "1",
            "url": "http://h/1",
            "date_published": "2025-01-02T03:04:05Z",
            "date_modified": "2025-01-03T00:00:00Z",
        },
        {"id": "http://h/2", "external_url": "http://elsewhere/"},
        {"id": "3", "external_url": "http://h/3"},
        {"id": "no", "title": "No page"},
        {"id": 7, "url": None},
        "no object",
        {"url": "4.html"},
    ],
}
NEW_YEAR = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)


def day(month: int, number: int) -> datetime:
    return datetime(2025, month, number, tzinfo=UTC)


def read(document: str | bytes, **options: Any) -> tuple[list[FeedEntry], list[str]]:
    founds = list(read_feed(document.encode() if isinstance(document, str) else document, URL, **options))
    entries = [found for found in founds if isinstance(found, FeedEntry)]
    return entries, [found.text for found in founds if isinstance(found, Note)]


@pytest.mark.parametrize("document", [RSS_091, RSS_10, ATOM_03])
def test_read_feed_when_it_is_old(document: str) -> None:
    """RSS 0.91 with its document type, RSS 1.0 by RDF, Atom 0.3 with a prefix."""
    entries, _ = read(document)
    assert [entry.url for entry in entries] == ["http://h/1"]


def test_read_feed_when_it_is_rss() -> None:
    """The link, else the guid if it is one; an entry without a page is a note."""
    entries, notes = read(RSS_20)
    assert entries == [
        FeedEntry("http://h/1?a=1&b=2", NEW_YEAR),
        FeedEntry("http://h/2"),
        FeedEntry("http://h/3?a&b"),
        FeedEntry("https://example.org/blog/4.html"),
    ]
    assert notes == ["an entry without a page: http://h/no"]


def test_read_feed_when_it_is_rdf() -> None:
    """RSS 1.0 has its dates from Dublin Core."""
    assert read(RSS_10) == ([FeedEntry("http://h/1", NEW_YEAR)], [])


def test_read_feed_when_it_is_atom() -> None:
    """The alternate link, HTML first, relative to the nearest xml:base."""
    entries, notes = read(ATOM_10)
    assert entries == [
        FeedEntry("http://h/blog/1", NEW_YEAR, datetime(2025, 1, 31, 23, tzinfo=UTC)),
        FeedEntry("http://h/blog/2024/2"),
        FeedEntry("http://h/notes/3?a=1&b=2"),
    ]
    assert notes == ["an entry without a page: http://h/no"]
    assert read(ATOM_03)[0] == [FeedEntry("http://h/1", day(1, 2), day(1, 3))]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda data: b"\xef\xbb\xbf \n" + data])
def test_read_feed_when_it_is_json(pack: Any) -> None:
    """The url, else an id that is one, else the page that it is about."""
    entries, notes = read(pack(json.dumps(JSON_FEED).encode()))
    assert entries == [
        FeedEntry("http://h/1", NEW_YEAR, day(1, 3)),
        FeedEntry("http://h/2"),
        FeedEntry("http://h/3"),
        FeedEntry("https://example.org/blog/4.html"),
    ]
    assert notes == ["an entry without a page: no", *["an entry without a page: it has no url"] * 2]


def test_read_feed_when_entries_have_dates() -> None:
    """Since a time: what was published or changed later, or has no date."""
    entry = "<entry><link href='http://h/{0}'/><published>{1}</published><updated>{2}</updated></entry>"
    ages = [("2024-01-01", "2024-06-01"), ("2024-01-01", "2025-06-01"), ("2025-03-01", ""), ("", ""), ("soon", "")]
    document = f"<feed>{''.join(entry.format(n, *age) for n, age in enumerate(ages))}</feed>"
    assert [found.url for found in read(document, since=day(1, 1))[0]] == [f"http://h/{n}" for n in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("document", "kind", "what"),
    [
        ("", FailureKind.PARSE, "empty"),
        ("<!DOCTYPE html><html></html>", FailureKind.UNSUPPORTED, "the document is 'html'"),
        ("<urlset><url><loc>http://h/</loc></url></urlset>", FailureKind.UNSUPPORTED, "the document is 'urlset'"),
        ("Not found", FailureKind.PARSE, "no XML"),
        ('{"error": "not found"}', FailureKind.UNSUPPORTED, "without items"),
        ("{", FailureKind.PARSE, "no JSON"),
        ("{" * 100_000, FailureKind.PARSE, "no JSON"),
        ('{"a": ' + "[" * 100_000, FailureKind.PARSE, "no JSON"),
        ('<!DOCTYPE rss [<!ENTITY x "y">]><rss/>', FailureKind.BLOCKED, "not safe"),
        (gzip.compress(mtime=0, data=b'{"a":"' + b"x" * 3_000_000), FailureKind.PARSE, "no JSON"),
        (gzip.compress(mtime=0, data=b"<rss>" + b" " * 3_000_000), FailureKind.TOO_LARGE, "larger than"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_read_feed_when_it_is_none(document: str | bytes, kind: FailureKind, what: str) -> None:
    """What is no feed is a failure that says what it is."""
    with pytest.raises(TaskError, match=what) as raised:
        read(document, most_bytes=2_500_000)
    assert raised.value.kind is kind


def test_read_feed_when_cut_short() -> None:
    """What is whole before the cut is read, with a note."""
    for document in (RSS_20, ATOM_10, json.dumps(JSON_FEED)):
        whole, _ = read(document)
        for cut in (document[:-20], gzip.compress(document.encode())[:-12]):
            entries, notes = read(cut)
            assert entries == whole[: len(entries)]
            assert len(entries) >= len(whole) - 1
            assert "ends before its end" in notes[-1]


@given(st.binary(max_size=200) | st.text(alphabet='<>/&;[]{}:,"items relnkhf=#', max_size=80).map(str.encode))
def test_read_feed_when_it_is_anything(data: bytes) -> None:
    """Whatever stands there: entries, or a failure with its reason."""
    for document in (data, b"<rss><channel><item><link>" + data, b'{"items": [' + data):
        with suppress(TaskError):
            list(read_feed(document, URL))
