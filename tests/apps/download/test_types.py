"""What a file must be, against what it says it is and what its bytes are."""

from __future__ import annotations

import io
import zipfile

import pytest

from toolkit.apps.download.types import MAGIC, check_head, check_start, pattern_of, sniffed
from toolkit.core.errors import FailureKind, TaskError, UsageError
from toolkit.core.http import Head, Headers

PAGE = b"\n<!DOCTYPE html><title>Log in</title>"
PDF = b"%PDF-1.7\n..."
PNG = b"\x89PNG\r\n\x1a\n...."


def zipped() -> bytes:
    """Return an office document, as far as anybody can tell by its beginning."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
    return made.getvalue()


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("pdf", "application/pdf"),
        (".PDF", "application/pdf"),
        ("image/*", "image/*"),
        ("image", "image/*"),
        ("image/jpg", "image/jpeg"),
        (".zip", "application/zip"),
        (".tar.gz", "application/gzip"),
        ("tgz", "application/gzip"),
        ("html", "text/html"),
        ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("svg", "image/svg+xml"),
        ("csv", "text/csv"),
    ],
)
def test_pattern_of_what_people_write(text: str, pattern: str) -> None:
    """An extension, a type, a family."""
    assert pattern_of(text) == pattern


@pytest.mark.parametrize("text", ["", "nonsense", "image/", "/", "image/png/x"])
def test_pattern_of_nonsense(text: str) -> None:
    """Is a usage error that says how to write it."""
    with pytest.raises(UsageError, match="--expect-type"):
        pattern_of(text)


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (PDF, "application/pdf"),
        (PNG, "image/png"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"\0\0\0\x18ftypmp42", "video/mp4"),
        (zipped(), "application/zip"),
        (b"\x1f\x8b\x08", "application/gzip"),
        (b"x" * 257 + b"ustar", "application/x-tar"),
        (PAGE, "text/html"),
        (b"\xef\xbb\xbf<!-- x --> <HTML lang=en>", "text/html"),
        (b"<?xml version='1.0'?><rss>", "text/xml"),
        (b"<?xml version='1.0'?>\n<!-- x --><svg xmlns='x'>", "image/svg+xml"),
        (b"<svg viewBox='0'>", "image/svg+xml"),
        (b"name,price\n", ""),
        (b"", ""),
    ],
)
def test_sniffed_by_first_bytes(start: bytes, kind: str) -> None:
    """What a beginning tells."""
    assert sniffed(start) == kind


def test_magic_is_within_what_is_looked_at() -> None:
    """The first 512 bytes."""
    assert all(offset + len(mark) <= 512 for offset, mark, _ in MAGIC)


@pytest.mark.parametrize(
    ("said", "start", "expected", "found"),
    [
        ("application/pdf", PDF, "pdf", None),
        ("application/octet-stream", PDF, "pdf", None),
        ("", PDF, "pdf", None),
        ("application/pdf", PAGE, "pdf", r"expected pdf, got text/html \(a web page\)"),
        ("text/html; charset=utf-8", PAGE, "pdf", "expected pdf, got text/html"),
        ("text/html", PDF, "pdf", "expected pdf, got text/html"),
        ("application/octet-stream", b"MZ...", "pdf", "something else"),
        ("application/octet-stream", b"", "pdf", "an empty file"),
        ("image/png", PNG, "image/*", None),
        ("image/png", PDF, "image/*", "got application/pdf"),
        ("application/octet-stream", PNG, "pdf", "got image/png"),
        ("application/octet-stream", zipped(), ".zip", None),
        ("application/vnd.oasis.opendocument.text", zipped(), "application/vnd.oasis.opendocument.text", None),
        ("application/octet-stream", zipped(), "docx", None),
        ("text/plain", b"a,b\n", "csv", None),
        ("text/csv", b"a,b\n", "csv", None),
        ("text/csv", PAGE, "csv", "a web page"),
        ("application/json", b"{}", "json", None),
        ("text/html", PAGE, "html", None),
        ("application/rss+xml", b"<?xml ?><rss>", "application/rss+xml", None),
        ("image/svg+xml", b"<svg>", "image/*", None),
    ],
)
def test_a_file_is_what_was_expected(said: str, start: bytes, expected: str, found: str | None) -> None:
    """By its header where that says something, and by its bytes where they do."""
    head = Head("http://h/", 200, Headers([("Content-Type", said)] if said else []))

    def check() -> None:
        check_head(head, (expected,))
        check_start(start, (expected,))

    if found is None:
        check()
        return
    with pytest.raises(TaskError, match=found) as caught:
        check()
    assert (caught.value.kind, caught.value.retryable) == (FailureKind.CONTENT_TYPE, False)


def test_one_of_several_types_is_enough() -> None:
    """They are alternatives."""
    check_start(PNG, ("pdf", "image/*"))
    with pytest.raises(TaskError, match=r"expected pdf or image/\*, got text/html"):
        check_start(PAGE, ("pdf", "image/*"))
