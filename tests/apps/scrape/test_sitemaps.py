"""What sitemaps name, in every form that servers give them, and what is refused."""

from __future__ import annotations

import gzip
import io
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.apps.scrape import sitemaps
from toolkit.apps.scrape.records import Note
from toolkit.apps.scrape.sitemaps import NestedSitemap, SitemapEntry, announced, read_sitemap
from toolkit.core.errors import FailureKind, TaskError

packed = partial(gzip.compress, mtime=0)
URL = "https://example.org/maps/sitemap.xml"
NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
HEAD = f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset {NAMESPACE}>'
PAGES = ["https://example.org/a", "https://example.org/b?x=1&y=2"]
PLAIN = f"{HEAD}<url><loc>{PAGES[0]}</loc></url>\n<url><loc> {PAGES[1].replace('&', '&amp;')}\n</loc></url></urlset>"


def founds(document: str | bytes, **options: Any) -> list[Any]:
    data = document.encode() if isinstance(document, str) else document
    return list(read_sitemap(data, URL, **options))


def pages(document: str | bytes, **options: Any) -> list[str]:
    return [found.url for found in founds(document, **options) if not isinstance(found, Note)]


def notes(document: str | bytes, **options: Any) -> list[str]:
    return [found.text for found in founds(document, **options) if isinstance(found, Note)]


def urlset(*locs: str) -> str:
    return HEAD + "".join(f"<url><loc>{loc}</loc></url>" for loc in locs) + "</urlset>"


RSS_ITEMS = "".join(f"<item><link>{page}</link></item>" for page in PAGES)
FORMS = {
    "plain": PLAIN.encode(),
    "gzip": packed(PLAIN.encode()),
    "gzip twice, as some servers do": packed(packed(PLAIN.encode())),
    "gzip in two members": packed(PLAIN[:90].encode()) + packed(PLAIN[90:].encode()),
    "mark": b"\xef\xbb\xbf" + PLAIN.encode(),
    "UTF-16 with a mark": PLAIN.replace("UTF-8", "UTF-16").encode("utf-16"),
    "UTF-16 without a mark": PLAIN.replace("UTF-8", "UTF-16").encode("utf-16-le"),
    "space before the start": b" \r\n\n" + PLAIN.encode(),
    "a prefix": PLAIN.replace("<u", "<s:u")
    .replace("</u", "</s:u")
    .replace("loc>", "s:loc>")
    .replace("</s:", "</s:")
    .encode(),
    "no namespace": PLAIN.replace(NAMESPACE, "").encode(),
    "an older namespace": PLAIN.replace("www.sitemaps.org", "www.google.com").encode(),
    "a bare &": PLAIN.replace("&amp;", "&").encode(),
    "CDATA": PLAIN.replace("<loc>", "<loc><![CDATA[").replace("</loc>", "]]></loc>").replace("&amp;", "&").encode(),
    "a control character": PLAIN.replace("</url>", "\x0b</url>").encode(),
    "Latin-1": PLAIN.replace("UTF-8", "ISO-8859-1").replace("\n<url>", "<!-- \xe9 --><url>").encode("latin-1"),
    "bytes that mean nothing": PLAIN.encode().replace(b"\n<url>", b"<!-- \xff\xfe --><url>"),
    "a prefix that is bound to nothing": PLAIN.replace(
        "</loc>", "</loc><image:image><image:loc>http://i/</image:loc></image:image>"
    ).encode(),
    "a stylesheet": PLAIN.replace("<urlset", '<?xml-stylesheet href="x.xsl"?><urlset').encode(),
    "a document type from elsewhere": PLAIN.replace(
        "<urlset", '<!DOCTYPE urlset SYSTEM "http://h/x.dtd"><urlset'
    ).encode(),
    "an RSS feed": f"<rss><channel><link>x</link>{RSS_ITEMS}</channel></rss>".encode(),
    "text": "\n".join(PAGES).encode(),
    "text of Windows": b"\xef\xbb\xbf" + "\r\n\r\n".join(PAGES).encode() + b"\r\n",
    "text as gzip": packed("\n".join(PAGES).encode()),
}


@pytest.mark.parametrize("form", FORMS)
def test_read_sitemap_in_every_form(form: str) -> None:
    """The pages are found, in their order; from bytes and from a file."""
    assert pages(FORMS[form]) == PAGES
    assert pages(io.BytesIO(FORMS[form]).read()) == PAGES
    assert [
        found.url for found in read_sitemap(io.BytesIO(FORMS[form]), URL) if isinstance(found, SitemapEntry)
    ] == PAGES


def test_read_sitemap_when_http_names_the_encoding() -> None:
    """HTTP's charset goes before the document's own, as RFC 7303 says."""
    document = urlset("https://example.org/\u044f").replace("UTF-8", "ISO-8859-1").encode("koi8-r")
    assert pages(document, charset="koi8-r") == ["https://example.org/%D1%8F"]
    assert pages(document, charset="no-such-thing") == ["https://example.org/%C3%91"]


def test_read_sitemap_when_it_is_an_index() -> None:
    """An index names sitemaps, with the time when each changed."""
    document = f"<sitemapindex {NAMESPACE}><sitemap><loc>http://h/1.xml.gz</loc><lastmod>2025-01-02</lastmod></sitemap>"
    document += "<sitemap><lastmod/><loc>/2.xml</loc></sitemap></sitemapindex>"
    assert founds(document) == [
        NestedSitemap("http://h/1.xml.gz", datetime(2025, 1, 2, tzinfo=UTC)),
        NestedSitemap("https://example.org/2.xml"),
    ]


def test_read_sitemap_when_pages_have_dates() -> None:
    """Since a time: what changed later, on that very day, or does not say; a wrong date is a note."""
    ages = ["2025-05-01", "2025-05-02", "2025-05-02T11:59Z", "2025-05-02T12:00:30+00:00", "2024", "2025", "", "soon"]
    records = "".join(f"<url><loc>http://h/{n}</loc><lastmod>{age}</lastmod></url>" for n, age in enumerate(ages))
    since = datetime(2025, 5, 2, 12, tzinfo=UTC)
    assert pages(HEAD + records + "</urlset>", since=since) == [f"http://h/{n}" for n in (1, 3, 5, 6, 7)]
    assert notes(HEAD + records + "</urlset>") == ["no date: 'soon'"]
    assert founds(HEAD + records + "</urlset>")[3] == SitemapEntry(
        "http://h/3", datetime(2025, 5, 2, 12, 0, 30, tzinfo=UTC)
    )


def test_read_sitemap_when_pages_have_alternates() -> None:
    """Pages in other languages come behind theirs, if asked for; the page's own language is not told twice."""
    links = "".join(
        f'<xhtml:link rel="alternate" hreflang="{language}" href="http://h/{language}"/>'
        for language in ("de", "en", "x-default")
    )
    links += (
        '<xhtml:link rel="alternate" href="http://h/no"/><xhtml:link rel="canonical" hreflang="fr" href="http://h/fr"/>'
    )
    document = f"{HEAD}<url><loc>http://h/en</loc>{links}<lastmod>2025-01-01</lastmod></url></urlset>"
    changed = datetime(2025, 1, 1, tzinfo=UTC)
    assert pages(document) == ["http://h/en"]
    assert founds(document, alternates=True) == [
        SitemapEntry("http://h/en", changed),
        SitemapEntry("http://h/de", changed, "de"),
        SitemapEntry("http://h/x-default", changed, "x-default"),
    ]


def test_read_sitemap_when_what_it_names_is_no_page() -> None:
    """Only http and https, of any host; what is something else is a note, and of many notes some stand for all."""
    document = urlset(
        "ftp://h/", "javascript:1", "http://other.example/", "", "//third.example/x", "page.html", "http://"
    )
    assert pages(document) == ["http://other.example/", "https://third.example/x"]
    assert notes(document) == [
        "no URL: 'ftp://h/'",
        "no URL: 'javascript:1'",
        "no URL: a <url> without <loc>",
        "no URL: 2 more",
    ]


@pytest.mark.parametrize(
    ("document", "kind", "what"),
    [
        ("", FailureKind.PARSE, "empty"),
        (" \n ", FailureKind.PARSE, "empty"),
        (packed(b""), FailureKind.PARSE, "empty"),
        ("<!DOCTYPE html><html><body>Not found<br></html>", FailureKind.UNSUPPORTED, "the document is 'html'"),
        ("<error>no</error>", FailureKind.UNSUPPORTED, "the document is 'error'"),
        ("<<<", FailureKind.PARSE, "no XML"),
        ("Not Found", FailureKind.UNSUPPORTED, "neither XML nor"),
        ('{"a": 1}', FailureKind.UNSUPPORTED, "neither XML nor"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", FailureKind.UNSUPPORTED, "neither XML nor"),
    ],
)
def test_read_sitemap_when_it_is_none(document: str | bytes, kind: FailureKind, what: str) -> None:
    """What is no sitemap is a failure that says what it is."""
    with pytest.raises(TaskError, match=what) as raised:
        founds(document)
    assert raised.value.kind is kind


def test_read_sitemap_when_cut_short() -> None:
    """Wherever it is cut, the whole records before are read, and a note says that there should be more."""
    root = len(HEAD)
    for size in range(root - 60):
        with pytest.raises(TaskError):
            founds(PLAIN[: min(size, root - len(NAMESPACE) - 10)])
    for size in range(root, len(PLAIN)):
        assert pages(PLAIN[:size]) == PAGES[: PLAIN[:size].count("</url>")], size
        assert "ends before its end" in notes(PLAIN[:size])[-1], size


def test_read_sitemap_when_packed_and_cut_short() -> None:
    """As much as can be unpacked is read."""
    lines = [f"http://h/{n}-{n * 7919 % 104729}" for n in range(5000)]
    for text in ("\n".join(lines), urlset(*lines)):
        file = packed(text.encode())
        found = pages(file[: len(file) // 2])
        assert 1000 < len(found) < 5000
        assert found == lines[: len(found)]
        assert "ended early" in notes(file[: len(file) // 2])[-1]


def test_read_sitemap_when_broken_in_the_middle() -> None:
    """It is read as far as it goes, and the note has the line."""
    document = urlset("http://h/1", "http://h/2").replace(
        "</urlset>", "\n</wrong><url><loc>http://h/3</loc></url></urlset>"
    )
    assert pages(document) == ["http://h/1", "http://h/2"]
    assert notes(document) == ["the sitemap ends before its end (line 3: mismatched tag); what was before that is read"]


BOMB = '<!DOCTYPE u [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
FROM_A_FILE = '<!DOCTYPE u [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
DEFAULTS = '<!DOCTYPE u [<!ATTLIST url x CDATA "y">]>'
FROM_A_HOST = '<!DOCTYPE u [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x"> %x;]>'


@pytest.mark.parametrize("declared", [BOMB, FROM_A_FILE, FROM_A_HOST, DEFAULTS])
def test_read_sitemap_when_entities_are_declared(declared: str) -> None:
    """Nothing is expanded and nothing is fetched: such a document is refused."""
    with pytest.raises(TaskError, match="not safe to read") as raised:
        founds(urlset("http://h/&b;").replace("<urlset", f"{declared}<urlset"))
    assert raised.value.kind is FailureKind.BLOCKED


def test_read_sitemap_when_entities_are_not_declared() -> None:
    """What nobody declared is text, as browsers read it in URLs; a reference to no character, too."""
    document = urlset("http://h/?a&nbsp;b&#x41;&#65;&lt;c&#0;")
    assert pages(document) == ["http://h/?a&nbsp;bAA%3Cc&"]
    assert notes(document) == ["not well-formed: 2 signs, such as a bare &, were mended"]


HOSTILE: dict[str, tuple[str | bytes, str]] = {
    "depth": ("<urlset>" + "<a>" * 100_000, "one in the other"),
    "a name": ("<urlset><url " + "a" * 3_000_000, "a tag of more than"),
    "a comment": ("<urlset><!-- " + "a" * 3_000_000, "a tag of more than"),
    "an attribute": ("<urlset><url a='" + "b" * 3_000_000, "a tag of more than"),
    "a bomb": (packed(b"<urlset>" + b" " * 9_000_000), "larger than 5,000,000 bytes"),
    "a bomb in a bomb": (packed(packed(b"<urlset>" + b" " * 9_000_000)), "larger than 5,000,000 bytes"),
    "many lines": ("http://h/\n" * 2_100, "more than 2,000 URLs"),
    "many records": (urlset(*["http://h/"] * 2_100), "more than 2,000 URLs"),
}


@pytest.mark.parametrize("form", HOSTILE)
def test_read_sitemap_when_it_is_hostile(form: str) -> None:
    """Depth, tags, bytes and URLs have an end, and it is reached soon."""
    document, what = HOSTILE[form]
    began = time.process_time()
    with pytest.raises(TaskError, match=what):
        founds(document, most_bytes=5_000_000, most_urls=2_000)
    assert time.process_time() - began < 5


def test_read_sitemap_when_a_text_is_long() -> None:
    """A line or a location without end is left out, whatever it would cost to keep it."""
    assert pages("http://h/a\n" + "x" * 500_000 + "\nhttp://h/b") == ["http://h/a", "http://h/b"]
    assert pages(urlset("http://h/a", "http://h/" + "x" * 500_000, "http://h/b")) == ["http://h/a", "http://h/b"]
    with pytest.raises(TaskError, match="neither XML nor"):
        founds("some words\n" * 100_000)


class Endless(io.RawIOBase):
    """A sitemap that is made as it is read."""

    def __init__(self, records: int) -> None:
        self._pieces = self._made(records)

    def read(self, _: int = -1, /) -> bytes:
        """Return what comes next."""
        return next(self._pieces, b"")

    def _made(self, records: int) -> Iterator[bytes]:
        yield HEAD.encode()
        for start in range(0, records, 100):
            yield "".join(f"<url><loc>http://h/{n}</loc></url>" for n in range(start, start + 100)).encode()
        yield b"</urlset>"


def test_read_sitemap_when_it_is_larger_than_the_protocol_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read all the same, with a note; memory stays as it is."""
    monkeypatch.setattr(sitemaps, "PROTOCOL_URLS", 5_000)
    monkeypatch.setattr(sitemaps, "PROTOCOL_BYTES", 100_000)
    peaks = []
    for records in (1_000, 10_000):
        count, texts = 0, []
        tracemalloc.start()
        for found in read_sitemap(Endless(records), URL):  # type: ignore[arg-type]
            count += not isinstance(found, Note)
            texts += [found.text] if isinstance(found, Note) else []
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert count == records
    assert [text.partition(",")[0] for text in texts] == ["larger than 100", "more than 5"]
    assert peaks[1] - peaks[0] < 200_000  # the records themselves would take some 3 MB


@given(st.binary(max_size=200) | st.text(alphabet="<>/&;[]!CDAT-urlset loc\"'=#x?", max_size=60).map(str.encode))
def test_read_sitemap_when_it_is_anything(data: bytes) -> None:
    """Whatever stands there: findings, or a failure with its reason."""
    for document in (data, HEAD.encode() + b"<url><loc>" + data, packed(data), packed(data)[:-5]):
        with suppress(TaskError):
            list(read_sitemap(document, URL))


@given(st.lists(st.text(alphabet="abc&<>]['\"é%", max_size=12), max_size=5), st.data())
def test_read_sitemap_when_it_is_cut_into_blocks(texts: list[str], data: st.DataObject) -> None:
    """Where the blocks of a stream end makes no difference."""
    document = urlset(*(f"http://h/<![CDATA[{text}]]>x&y" for text in texts if "]" not in text)).encode()
    size = data.draw(st.integers(1, 40))

    class Slow(io.BytesIO):
        def read(self, _: int | None = -1, /) -> bytes:
            return super().read(size)

    assert list(read_sitemap(Slow(document), URL)) == founds(document)


def test_announced_when_robots_names_sitemaps() -> None:
    """Each once, in its order; relative ones and those between groups count; nothing but http and https does."""
    body = b"\xef\xbb\xbfSitemap: http://h/1.xml\nUser-agent: *\nsitemap:/2.xml # two\nDisallow: /\nSITEMAP: http://h/1.xml\n"
    body += b"Sitemap: ftp://h/x\nSitemap:\nSitemap: http://other.example/3.xml"
    assert announced(body, "https://example.org/robots.txt") == [
        "http://h/1.xml",
        "https://example.org/2.xml",
        "http://other.example/3.xml",
    ]
