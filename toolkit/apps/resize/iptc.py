"""IPTC's captions and credits (IIM 4.2), as they stand in JPEG and TIFF: kept whole, or without what names a place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

RESOURCE = 0x0404
"""IPTC among Photoshop's image resources."""

_MARKER = 0x1C
_ENVELOPE, _APPLICATION = 1, 2
_EXTENDED = 0x8000

_SILENT = {
    _ENVELOPE: frozenset({0, 90}),  # version, character set
    # Version, title, priority, category, keywords, instructions, dates and times, byline and its title, headline,
    # credit, source, copyright, contact, caption, writer, rating: what EXIF and XMP may say, too. Not city (90), place
    # within it (92), state (95), country (100, 101), where it was sent from (103), and content location (26, 27).
    _APPLICATION: frozenset({0, 5, 10, 15, 20, 25, 40, 55, 60, 62, 63, 80, 85, 105, 110, 115, 116, 118, 120, 122}),
}


def records_of(info: Mapping[Any, Any]) -> bytes:
    """Return the IPTC records of a JPEG or TIFF, as Pillow's info has them; empty if there are none."""
    resources = info.get("photoshop")
    found = resources.get(RESOURCE) if isinstance(resources, dict) else None
    return found if isinstance(found, bytes) and found[:1] == bytes([_MARKER]) else b""


def silent_about_place(records: bytes) -> bytes:
    """Return the records that do not tell where the picture was taken; none if they are damaged."""
    kept = b"".join(whole for record, dataset, whole in _split(records) if dataset in _SILENT.get(record, ()))
    return kept if any(record == _APPLICATION and dataset for record, dataset, _ in _split(kept)) else b""


def segment(records: bytes) -> bytes:
    """Return the segment of a JPEG (APP13) that holds the records; they must fit: 65,000 bytes at most."""
    padded = records + b"\0" * (len(records) % 2)
    resource = b"8BIM" + RESOURCE.to_bytes(2, "big") + b"\0\0" + len(records).to_bytes(4, "big") + padded
    body = b"Photoshop 3.0\0" + resource
    return b"\xff\xed" + (len(body) + 2).to_bytes(2, "big") + body


def _split(records: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield record, data set and all bytes of each entry, until the end or the first that is damaged."""
    start = 0
    while start + 5 <= len(records) and records[start] == _MARKER:
        record, dataset = records[start + 1], records[start + 2]
        size = int.from_bytes(records[start + 3 : start + 5], "big")
        end = start + 5 + size
        if size & _EXTENDED or end > len(records):
            return
        yield record, dataset, records[start:end]
        start = end
