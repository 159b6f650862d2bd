"""XMP packets (ISO 16684-1): kept but for what is no longer true, or written anew from what tells no place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from toolkit.apps.resize.warned import note

_MOST = 1 << 20
"""Bytes of a packet that is read."""

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"

_SPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "cc": "http://creativecommons.org/ns#",
    "plus": "http://ns.useplus.org/ldf/xmp/1.0/",
}
_SILENT = {
    "dc": {"title", "creator", "rights", "description", "subject", "date", "language", "publisher", "type"},
    "xmp": {"CreateDate", "ModifyDate", "CreatorTool", "Rating", "Label"},
    "xmpRights": {"Marked", "Owner", "UsageTerms", "WebStatement", "Certificate"},
    "photoshop": {"AuthorsPosition", "CaptionWriter", "Credit", "DateCreated", "Headline", "Instructions", "Source"},
    "cc": {"license", "attributionName", "attributionURL", "morePermissions"},
    "plus": {"ImageCreator", "LicensorURL", "Version"},
}
"""Properties about who, when, what and by what right; all others, some of which say where, are left out."""
_NAMES = {f"{{{_SPACES[space]}}}{name}": f"{space}:{name}" for space, names in _SILENT.items() for name in names}

_UPRIGHT = re.compile(rb"(tiff:Orientation(?:\s*=\s*[\"']|>)\s*)\d+")
_ABOUT_OTHERS = rb"(?:hdrgm|HDRGainMap|GCamera|GDepth|GImage|GAudio):\w+"
"""Properties of the gain maps, depth maps and videos that some phones put behind the picture, which are not kept."""
_STALE_ELEMENT = re.compile(rb"<(\w+:Thumbnails|\w*[Cc]ontainer:Directory|" + _ABOUT_OTHERS + rb")(?:\s[^<>]*)?/?>")
_STALE_ATTRIBUTE = re.compile(rb"\s" + _ABOUT_OTHERS + rb"\s*=\s*(?:\"[^\"]*\"|'[^']*')")


def upright(packet: bytes) -> bytes:
    """Return a packet with the orientation set to upright, without thumbnails and what is about other pictures."""
    if len(packet) > _MOST:
        note("the XMP data is too long and was left out")
        return b""
    return _STALE_ATTRIBUTE.sub(b"", _without_stale_elements(_UPRIGHT.sub(rb"\g<1>1", packet)))


def silent_about_place(packet: bytes) -> bytes:
    """Return a packet with only those properties that do not tell where the picture was taken; maybe none."""
    root = _parsed(packet)
    if root is None:
        return b""
    parts = "".join(part for part in map(_property, _properties(root)) if part)
    if not parts:
        return b""
    spaces = "".join(f" xmlns:{name}={quoteattr(space)}" for name, space in _SPACES.items() if f"<{name}:" in parts)
    description = f'<rdf:Description rdf:about=""{spaces}>{parts}</rdf:Description>'
    rdf = f'<rdf:RDF xmlns:rdf="{_RDF}">{description}</rdf:RDF>'
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/">{rdf}</x:xmpmeta>'.encode()


def _without_stale_elements(packet: bytes) -> bytes:
    """Cut the elements out, by searches of which each begins where the last one ended: the packet may be hostile."""
    parts, start = [], 0
    while found := _STALE_ELEMENT.search(packet, start):
        parts.append(packet[start : found.start()])
        start = found.end()
        if not found[0].endswith(b"/>"):
            closing = b"</" + found[1] + b">"
            start = packet.find(closing, start) + len(closing)
            if start < len(closing):
                note("the XMP data is damaged and was left out")
                return b""
    return b"".join([*parts, packet[start:]])


def _parsed(packet: bytes) -> ET.Element | None:
    text = packet.strip(b"\0 \r\n\t")
    if not text:
        return None
    # No declaration of a document type, so no entities: the parser has nothing that a hostile packet could blow up.
    if len(text) <= _MOST and b"<!" not in text.replace(b"\0", b""):
        try:
            return ET.fromstring(text)  # noqa: S314 - as above
        except (ET.ParseError, ValueError, LookupError):
            pass
    note("the XMP data is damaged and was left out")
    return None


def _properties(root: ET.Element) -> Iterator[ET.Element]:
    """Yield the properties of all descriptions; those that are written as attributes, as elements."""
    for description in root.iter(f"{{{_RDF}}}Description"):
        for name, value in description.attrib.items():
            if name in _NAMES:
                element = ET.Element(name)
                element.text = value
                yield element
        yield from (child for child in description if child.tag in _NAMES)


def _property(element: ET.Element) -> str:
    """Return a known property as XML: a text, a link, or an array of texts; empty for what is more than that."""
    name = _NAMES[element.tag]
    resource = element.get(f"{{{_RDF}}}resource")
    if resource is not None:
        return f"<{name} rdf:resource={quoteattr(resource)}/>"
    if len(element) == 0:
        return f"<{name}>{escape(element.text)}</{name}>" if element.text and element.text.strip() else ""
    kind = element[0].tag.removeprefix(f"{{{_RDF}}}")
    items = [item for item in element[0] if len(item) == 0 and item.text]
    if kind not in {"Alt", "Bag", "Seq"} or not items:
        return ""
    return f"<{name}><rdf:{kind}>{''.join(map(_item, items))}</rdf:{kind}></{name}>"


def _item(item: ET.Element) -> str:
    language = item.get(_LANGUAGE)
    said = "" if language is None else f" xml:lang={quoteattr(language)}"
    return f"<rdf:li{said}>{escape(item.text or '')}</rdf:li>"
