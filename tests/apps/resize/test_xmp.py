"""XMP is kept without what is no longer true, or written anew from what names no place."""

from __future__ import annotations

import time

import pytest

from toolkit.apps.resize import warned, xmp

PACKET = b"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
  xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
  xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:cc="http://creativecommons.org/ns#"
  xmlns:other="http://ns.adobe.com/exif/1.0/" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
  exif:GPSLatitude="48,51.5N" tiff:Orientation="6" photoshop:City="Paris" photoshop:Credit="Ada &amp; Co"
  xmp:CreateDate="2026-01-02">
 <dc:creator><rdf:Seq><rdf:li>Ada</rdf:li><rdf:li>Bob &lt;b&gt;</rdf:li></rdf:Seq></dc:creator>
 <dc:rights><rdf:Alt><rdf:li xml:lang="x-default">(c) Ada</rdf:li></rdf:Alt></dc:rights>
 <cc:license rdf:resource="https://creativecommons.org/licenses/by/4.0/"/>
 <other:GPSLongitude>2,17.4E</other:GPSLongitude>
 <Iptc4xmpExt:LocationShown><rdf:Bag><rdf:li>Eiffel Tower</rdf:li></rdf:Bag></Iptc4xmpExt:LocationShown>
 <xmp:Thumbnails><rdf:Alt><rdf:li>THUMBNAIL</rdf:li></rdf:Alt></xmp:Thumbnails>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""

ULTRA_HDR = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:Container="http://ns.google.com/photos/1.0/container/" hdrgm:Version="1.0" dc:source="here">
 <Container:Directory><rdf:Seq><rdf:li Item:Length="5000"/></rdf:Seq></Container:Directory>
 <hdrgm:GainMapMin><rdf:Seq><rdf:li>0</rdf:li></rdf:Seq></hdrgm:GainMapMin><hdrgm:Gamma/>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


def test_silent_packet_says_who_and_by_what_right() -> None:
    """Creator, rights, credit, date and licence stay, in well-formed XML with the same values."""
    silent = xmp.silent_about_place(PACKET)
    for kept in (
        b"<rdf:li>Ada</rdf:li>",
        b"Bob &lt;b&gt;",
        b"(c) Ada",
        b"Ada &amp; Co",
        b"2026-01-02",
        b"licenses/by/4.0/",
    ):
        assert kept in silent, kept
    assert b'xml:lang="x-default"' in silent
    assert xmp.silent_about_place(silent) == silent


@pytest.mark.parametrize("secret", [b"48,51", b"2,17", b"Paris", b"Eiffel", b"GPS", b"THUMBNAIL", b"Orientation"])
def test_silent_packet_says_no_place(secret: bytes) -> None:
    """Coordinates under any prefix, city and location are gone."""
    assert secret in PACKET
    assert secret not in xmp.silent_about_place(PACKET)


def test_silent_packet_of_nothing_else() -> None:
    """Where only the place was said, nothing is."""
    assert xmp.silent_about_place(b'<a xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="1"/>') == b""
    assert xmp.silent_about_place(b"") == b""


@pytest.mark.parametrize(
    "packet",
    [
        b"no XML at all",
        PACKET[:300],
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16"),
        b"<a>" + b" " * (1 << 20) + b"</a>",
        b'<?xml version="1.0" encoding="no-such"?><a/>',
    ],
)
def test_silent_packet_of_damaged_or_hostile_data(packet: bytes) -> None:
    """It is left out with a warning; no entity is ever expanded."""
    with warned.noting() as noted:
        assert xmp.silent_about_place(packet) == b""
    assert noted == ["the XMP data is damaged and was left out"]


def test_silent_packet_of_deep_nesting() -> None:
    """Depth costs no stack."""
    depth = 100_000
    assert xmp.silent_about_place(b"<a>" * depth + b"</a>" * depth) == b""


def test_upright_packet() -> None:
    """All stays but the orientation and the thumbnail."""
    upright = xmp.upright(PACKET)
    assert b'tiff:Orientation="1"' in upright
    assert b"THUMBNAIL" not in upright
    for kept in (b"48,51.5N", b"2,17.4E", b"Paris", b"Eiffel Tower", b"Bob", b"<?xpacket"):
        assert kept in upright
    assert xmp.upright(b"<tiff:Orientation>6</tiff:Orientation>") == b"<tiff:Orientation>1</tiff:Orientation>"


def test_upright_packet_of_an_ultra_hdr() -> None:
    """What points at a gain map behind the picture goes with the gain map."""
    upright = xmp.upright(ULTRA_HDR)
    for gone in (b"hdrgm:Version", b"GainMapMin", b"Gamma", b"Directory", b"Item:"):
        assert gone not in upright
    assert b'dc:source="here"' in upright
    assert upright.endswith(b"</rdf:Description></rdf:RDF></x:xmpmeta>")


def test_upright_packet_of_hostile_data() -> None:
    """Elements that never end, or are too many, cost no time."""
    started = time.process_time()
    with warned.noting() as noted:
        assert xmp.upright(b"<a:Thumbnails>" * 70_000) == b""
        assert xmp.upright(b"<a:Thumbnails " * 70_000) == b"<a:Thumbnails " * 70_000
        assert xmp.upright(b"<hdrgm:a></hdrgm:a>" * 50_000) == b""
        assert xmp.upright(b" hdrgm:a='" * 50_001)
        assert xmp.upright(b" " * (1 << 21)) == b""
    assert noted == ["the XMP data is damaged and was left out", "the XMP data is too long and was left out"]
    assert time.process_time() - started < 5
