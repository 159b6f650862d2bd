"""IPTC records are kept as they are, or without those that name a place."""

from __future__ import annotations

import io

from PIL import Image

from toolkit.apps.resize import iptc


def record(dataset: int, value: bytes, number: int = 2) -> bytes:
    return bytes([0x1C, number, dataset]) + len(value).to_bytes(2, "big") + value


CHARSET = record(90, b"\x1b%G", number=1)
WHO = record(80, b"Ada") + record(116, b"(c) Ada") + record(120, b"A bridge")
WHERE = (
    record(90, b"Paris") + record(92, b"Pont Neuf") + record(101, b"France") + record(27, b"Seine") + record(26, b"FRA")
)


def test_records_of_a_jpeg_and_of_none() -> None:
    """What segment() writes is what is read again."""
    for records in (CHARSET + WHO, WHO + record(5, b"odd")):
        memory = io.BytesIO()
        Image.new("L", (8, 8)).save(memory, "JPEG", extra=iptc.segment(records))
        with Image.open(memory) as image:
            assert iptc.records_of(image.info) == records
    for info in ({}, {"photoshop": None}, {"photoshop": {0x0404: "text"}}, {"photoshop": {0x0404: b"junk"}}):
        assert iptc.records_of(info) == b""


def test_silent_records() -> None:
    """Who, what and by what right stay; where goes."""
    assert iptc.silent_about_place(CHARSET + WHO + WHERE + WHO) == CHARSET + WHO + WHO
    assert iptc.silent_about_place(WHERE) == b""
    assert iptc.silent_about_place(CHARSET + WHERE) == b""
    assert iptc.silent_about_place(b"") == b""


def test_silent_records_of_damaged_data() -> None:
    """What comes before the damage stays; nothing behind it is trusted."""
    assert iptc.silent_about_place(WHO + b"\x1c\x02\x78\xff\xffabc") == WHO
    assert iptc.silent_about_place(WHO + b"junk" + WHERE) == WHO
    whole = CHARSET + WHO + WHERE
    for cut in range(len(whole)):
        assert b"Paris" not in iptc.silent_about_place(whole[:cut])
