"""Metalink, both versions: addresses in order, digests, pieces; and documents that are attacks."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.core.lists.reading import read, short
from toolkit.core.errors import RunStopped, UsageError
from toolkit.core.lists import Line, read_urls
from toolkit.core.lists.columns import Details, read_details
from toolkit.core.lists.formats.metalink import CHUNK

FOUR = """<?xml version="1.0" encoding="UTF-8"?>
<metalink xmlns="urn:ietf:params:xml:ns:metalink">
  <published>2026-01-01T00:00:00Z</published>
  <file name="é/big.iso">
    <size>600</size>
    <identity>not a url</identity>
    <hash type="sha-256">{sha256}</hash>
    <hash type="MD5">{MD5}</hash>
    <hash type="whirlpool">00</hash>
    <pieces length="262" type="sha-1"><hash>{one}</hash><hash>{two}</hash><hash>{one}</hash></pieces>
    <url>http://last/</url>
    <url location="de" priority="2">http://second/?a=1&amp;b=2</url>
    <url priority="1">
      HTTPS://first/
    </url>
    <url priority="1">ftp://older/</url>
    <url priority="3">HTTPS://first/</url>
    <metaurl priority="1" mediatype="torrent">http://torrent/</metaurl>
  </file>
  <file name="none"><url>ftp://h/</url></file>
  <file name="plain"><url>http://plain/</url></file>
</metalink>
"""
THREE = """<metalink version="3.0" xmlns="http://www.metalinker.org/">
  <publisher><name>P</name><url>http://publisher/</url></publisher>
  <files><file name="a.iso">
    <size>5</size>
    <verification>
      <hash type="sha1">{one}</hash><signature type="pgp" file="s">x</signature>
      <pieces length="9" type="md5"><hash>{MD5}</hash></pieces>
      <pieces length="3" type="sha1"><hash piece="0">{one}</hash><hash piece="1">{two}</hash></pieces>
      <pieces length="7" type="md5"><hash>{MD5}</hash></pieces>
    </verification>
    <mm0:alternates xmlns:mm0="http://fedorahosted.org/mirrormanager"><mm0:alternate><size>9</size>
      <verification><hash type="sha256">{sha256}</hash></verification></mm0:alternate></mm0:alternates>
    <resources maxconnections="2">
      <url type="http">http://any/</url>
      <url type="http" location="us" preference="10">http://ten/</url>
      <url type="bittorrent" preference="100">http://torrent/</url>
      <url type="http" preference="90">http://ninety/</url>
    </resources>
  </file></files>
</metalink>"""
DIGESTS = {"sha256": "a" * 64, "MD5": "B" * 32, "one": "1" * 40, "two": "2" * 40}


@pytest.mark.parametrize("name", ["list.meta4", "list.METALINK", "list.meta4.gz"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_read_urls_takes_metalink_4(tmp_path: Path, name: str, encoding: str) -> None:
    """The best address is the URL, the others are mirrors; everything else is in the columns that any list may have."""
    data = FOUR.format(**DIGESTS).replace("UTF-8", encoding.upper()).encode(encoding)
    lines = read(tmp_path, name, gzip.compress(data) if name.endswith("gz") else data)
    assert short(lines) == [
        ("HTTPS://first/", 1, ""),
        ("", 2, "the file has no http or https address"),
        ("http://plain/", 3, ""),
    ]
    assert read_details(lines[0].columns) == Details(
        name="é/big.iso",
        checksums=("sha256:" + "a" * 64, "md5:" + "b" * 32),
        size=600,
        mirrors=("http://second/?a=1&b=2", "http://last/"),
        pieces=("sha1", 262, ("1" * 40, "2" * 40, "1" * 40)),
    )
    assert lines[2].columns == (("name", "plain"),)


def test_read_urls_takes_metalink_3(tmp_path: Path) -> None:
    """There a higher preference is better, torrents stand among the addresses, and some speak of older files."""
    (line,) = read(tmp_path, "list.metalink", THREE.format(**DIGESTS))
    assert line.text == "http://ninety/"
    assert read_details(line.columns) == Details(
        name="a.iso",
        checksums=("sha1:" + "1" * 40,),
        size=5,
        mirrors=("http://ten/", "http://any/"),
        pieces=("sha1", 3, ("1" * 40, "2" * 40)),
    )


BOMB = "<!DOCTYPE metalink [<!ENTITY a 'http://h/'>]><metalink><file name='x'><url>&a;</url></file></metalink>"
OUTSIDE = "<!DOCTYPE metalink SYSTEM 'file:///etc/passwd'><metalink/>"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (BOMB, "a document type"),
        (OUTSIDE, "a document type"),
        ("<html></html>", "not a Metalink document: it is about 'html'"),
        ("http://h/", "not XML: not well-formed"),
        ("", "not XML: no element found"),
        (FOUR.format(**DIGESTS)[:-20], "not XML: no element found: line 2"),
        ("<metalink><file><url>&undefined;</url></file></metalink>", "not XML: undefined entity"),
        ("<metalink><file name='x'>" + " " * 17_000_000, "more than 16,777,216 bytes about one file"),
    ],
    ids=["entity", "outside", "html", "text", "empty", "cut", "undefined", "huge"],
)
def test_read_urls_raises_when_a_metalink_is_none(tmp_path: Path, text: str, what: str) -> None:
    """Entities and document types are refused; a document that is cut short never ends quietly."""
    with pytest.raises(UsageError, match=f"^list.meta4: {what}"):
        read(tmp_path, "list.meta4", text)
    with pytest.raises(RunStopped, match=f"^list.meta4: {what}"):
        list(read_urls([str(tmp_path / "list.meta4")]))


def test_read_urls_takes_a_metalink_of_any_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is one on a file, not on the document."""
    monkeypatch.setattr("toolkit.core.lists.formats.metalink.FILE_LIMIT", CHUNK)
    text = "<metalink>" + "<file><url>http://h/</url></file>" * 10_000 + "</metalink>"
    assert len(text) > 4 * CHUNK
    assert len(read(tmp_path, "list.meta4", text)) == 10_000


def test_read_urls_when_a_metalink_is_empty(tmp_path: Path) -> None:
    """No files, no entries."""
    assert read(tmp_path, "list.meta4", "<metalink/>") == []


def test_read_urls_takes_the_best_when_a_metalink_has_hundreds_of_addresses(tmp_path: Path) -> None:
    """No file fails because too many have it."""
    urls = "".join(f"<url priority='{n}'>http://h{n}/</url>" for n in range(300, 0, -1))
    (line,) = read(tmp_path, "list.meta4", f"<metalink><file>{urls}</file></metalink>")
    assert line.text == "http://h1/"
    assert read_details(line.columns).mirrors == tuple(f"http://h{n}/" for n in range(2, 102))


@pytest.mark.parametrize("priority", ["", "x", "-1", "9" * 30, "²"])
def test_read_urls_takes_odd_priorities_for_the_last(tmp_path: Path, priority: str) -> None:
    """What is no number does not break the list."""
    text = (
        f"<metalink><file><url priority='{priority}'>http://a/</url><url priority='9'>http://b/</url></file></metalink>"
    )
    assert read(tmp_path, "list.meta4", text) == [Line("http://b/", "list.meta4:1", (("mirrors", '["http://a/"]'),))]
