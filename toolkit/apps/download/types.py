"""What a file is, by what the server says and by its first bytes: no login page is kept as a PDF."""

from __future__ import annotations

import mimetypes
import re
from fnmatch import fnmatchcase

from toolkit.core.errors import FailureKind, TaskError, UsageError
from toolkit.core.http import Head, media_type

VAGUE = frozenset(
    {
        "", "application/octet-stream", "binary/octet-stream", "application/binary", "application/download",
        "application/x-download", "application/force-download", "application/unknown", "unknown/unknown", "text/plain",
    }
)  # fmt: skip
"""What servers say of files that they know nothing of; then the bytes alone decide."""

MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF-", "application/pdf"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"BM", "image/bmp"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (8, b"AVI ", "video/x-msvideo"),
    (8, b"WAVE", "audio/wav"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS", "audio/ogg"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"PK\x05\x06", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\0", "application/x-xz"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (257, b"ustar", "application/x-tar"),
    (0, b"PAR1", "application/vnd.apache.parquet"),
    (0, b"SQLite format 3\0", "application/vnd.sqlite3"),
    (0, b"\x7fELF", "application/x-executable"),
)
"""Where a sort of file has which bytes, and its media type; the first that fits counts."""

_MARKUP = re.compile(
    rb"(?i)\A(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)*<(?:!doctype html|html|head|body|script|title)\b", re.DOTALL
)
_SVG = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*(?:<[?!][^>]*>\s*)*<svg\b")
_XML = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<\?xml\b")
_SAME = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "application/x-pdf": "application/pdf",
    "application/x-gzip": "application/gzip",
    "application/x-zip-compressed": "application/zip",
    "application/x-zip": "application/zip",
    "application/x-rar-compressed": "application/vnd.rar",
    "application/x-zstd": "application/zstd",
    "application/xhtml+xml": "text/html",
    "application/xml": "text/xml",
    "application/x-bzip": "application/x-bzip2",
    "application/x-sqlite3": "application/vnd.sqlite3",
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/x-flac": "audio/flac",
    "application/ogg": "audio/ogg",
    "video/ogg": "audio/ogg",
    "audio/mp4": "video/mp4",
    "video/x-m4v": "video/mp4",
    "video/x-matroska": "video/webm",
}
"""Other names of types, and types whose first bytes cannot tell them apart."""
_OWN = {
    "zst": "application/zstd", "xz": "application/x-xz", "bz2": "application/x-bzip2", "gz": "application/gzip",
    "webp": "image/webp", "avif": "image/avif", "heic": "image/heic", "7z": "application/x-7z-compressed",
    "rar": "application/vnd.rar", "parquet": "application/vnd.apache.parquet", "html": "text/html", "htm": "text/html",
    "json": "application/json", "xml": "text/xml", "tgz": "application/gzip", "jpg": "image/jpeg",
    "md": "text/markdown", "sqlite": "application/vnd.sqlite3", "mp3": "audio/mpeg", "mp4": "video/mp4",
    "flac": "audio/flac",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text", "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "epub": "application/epub+zip", "apk": "application/vnd.android.package-archive",
}  # fmt: skip
"""Extensions that Python's own table may not know, or names otherwise on some systems."""
_PACKED = ("application/vnd.openxmlformats", "application/vnd.oasis.opendocument", "application/epub+zip",
           "application/java-archive", "application/vnd.android.package-archive")  # fmt: skip
"""Types that are zip files within."""


def pattern_of(text: str) -> str:
    """Return the media type or pattern that a user means by `pdf`, `.zip`, `image/*`; raises UsageError."""
    name = text.strip().lower()
    if "/" in name:
        if not re.fullmatch(r"[a-z0-9.+*-]+/[a-z0-9.+*-]+", name):
            raise UsageError(f"--expect-type {text!r}: write it as pdf, .zip, image/png or image/*")
        return _SAME.get(name, name)
    if name in ("image", "audio", "video", "text"):
        return f"{name}/*"
    extension = name.rpartition(".")[2]
    found = _OWN.get(extension) or mimetypes.types_map.get(f".{extension}")
    if found is None:
        raise UsageError(f"--expect-type {text!r}: no type is known by that name; write it as image/png, say")
    return _SAME.get(found, found)


def sniffed(start: bytes) -> str:
    """Return the media type that a file's first bytes (some hundred) tell, or "" if they tell nothing."""
    for offset, mark, kind in MAGIC:
        if start.startswith(mark, offset):
            return kind
    if _MARKUP.match(start):
        return "text/html"
    if _SVG.search(start):
        return "image/svg+xml"
    return "text/xml" if _XML.match(start) else ""


def check_head(head: Head, expected: tuple[str, ...]) -> None:
    """Raise TaskError content_type if what the server says is none of the expected types."""
    said = media_type(head.headers)[0]
    if expected and said not in VAGUE and not _is_one_of(_SAME.get(said, said), expected):
        raise _unexpected(expected, said)


def check_start(start: bytes, expected: tuple[str, ...]) -> None:
    """Raise TaskError content_type if a file's first bytes tell that it is none of the expected types."""
    found = sniffed(start)
    if found and not _is_one_of(found, expected):
        raise _unexpected(expected, found + (" (a web page)" if found == "text/html" else ""))
    known = {kind for _, _, kind in MAGIC}
    if not found and all(pattern in known for pattern in map(pattern_of, expected)):
        raise _unexpected(expected, "something else, by its first bytes" if start else "an empty file")


def _is_one_of(kind: str, expected: tuple[str, ...]) -> bool:
    return any(_fits(kind, pattern_of(text)) for text in expected)


def _fits(kind: str, pattern: str) -> bool:
    if kind == "application/zip" and pattern.startswith(_PACKED):
        return True  # by its bytes an office document is a zip file
    return fnmatchcase(kind, pattern) or (
        kind == "text/xml" and (pattern.endswith(("+xml", "/xml")) or pattern == "text/html")
    )


def _unexpected(expected: tuple[str, ...], found: str) -> TaskError:
    return TaskError(FailureKind.CONTENT_TYPE, f"expected {' or '.join(expected)}, got {found}")
