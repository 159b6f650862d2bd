"""Pages that are on this disk: HTML files, and folders of them, told by content; nothing outside of what was named.

A page has its file:// address. Its links are as they are written, unless it is known where it stood: by `--base-url`,
or by the remark of the browser that saved it; its own `<base>` goes before both.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_from_bytes

from toolkit.apps.scrape.responses import SNIFFED, looks_like_html
from toolkit.apps.scrape.saved import SAVED_FROM
from toolkit.apps.scrape.urls import resolve
from toolkit.core import plugins
from toolkit.core.errors import FailureKind, TaskError, UsageError
from toolkit.core.lists import is_url
from toolkit.core.lists.opening import format_of
from toolkit.core.lists.sources import FORMATS
from toolkit.core.urls import wire_url

SUFFIXES = frozenset({".html", ".htm", ".xhtml", ".xht", ".shtml"})
"""What HTML is called: such a file is a page even if it begins with plain words."""
MAGIC = (b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"\x1f\x8b", b"RIFF")
"""How files begin that are no page, whatever they are called."""
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
NOT_HTML = "not HTML"
LINK_TO_A_FOLDER = "link to a folder"
LINK_OUT = "link out of the folder"


@dataclass(frozen=True, slots=True)
class LocalPage:
    """A page at path, of size bytes. mtime_ns: nanoseconds since 1970.

    origin: its place below what was named. url: file://…; base: where it stood, or "".
    """

    path: str
    origin: str
    url: str
    base: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Passed:
    """A file that is no page; reason is one phrase for all of its sort."""

    path: str
    origin: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file or folder that cannot be read, and why."""

    path: str
    origin: str
    message: str


Finding = LocalPage | Passed | Unreadable


def is_local(source: str) -> bool:
    """Tell whether a source is a page or a folder on this disk, not a URL or a list.

    What is called as lists are is a list; what is called otherwise is a page if it looks like HTML.
    """
    if source == "-" or is_url(source):
        return False
    if os.path.isdir(source) or Path(source).suffix.lower() in SUFFIXES:
        return True
    if format_of(source) in plugins.names(FORMATS) or not os.path.isfile(source):
        return False
    try:
        return looks_like_html(_head(source))
    except OSError:
        return False


def check_base_url(text: str) -> str:
    """Return the URL that saved pages stood below; raises UsageError."""
    try:
        return wire_url(text)
    except TaskError as error:
        raise UsageError(f"--base-url {text!r}: {error}") from error


def find_pages(sources: Sequence[str], base_url: str | None = None) -> Iterator[Finding]:
    """Yield the pages in files and folders, in the order of names, holding the names of one folder at a time.

    base_url: what they stood below; one that ends in / is a folder's. Hidden files are left out; links are followed to
    files below the same folder only. Raises UsageError for a source that is not there.
    """
    base = None if base_url is None else check_base_url(base_url)
    for source in sources:
        if not os.path.exists(source):
            raise UsageError(f"there is no file or folder {source!r}")
        if os.path.isdir(source):
            yield from _below(source, base)
        else:
            yield _look(source, os.path.basename(source), base)


def holds(folder: str, path: Path) -> bool:
    """Tell whether find_pages finds a file as a page of a folder."""
    home, place = os.path.realpath(folder), os.path.realpath(path)
    if not _is_inside(place, home):
        return False
    origin = os.path.relpath(place, home)
    is_hidden = any(name.startswith(".") for name in origin.split(os.sep))
    return not is_hidden and os.path.isfile(place) and isinstance(_look(place, origin, None), LocalPage)


def read_body(page: LocalPage, limit: int) -> bytes:
    """Return a page's bytes; raises TaskError input, or too_large beyond limit bytes."""
    try:
        with open(_opened(page.path), "rb") as file:
            body = file.read(limit + 1)
    except OSError as error:
        raise TaskError(FailureKind.INPUT, f"cannot be read: {error.strerror}") from error
    if len(body) > limit:
        raise TaskError(FailureKind.TOO_LARGE, f"the page is larger than {limit:,} bytes")
    return body


def stood_at(page: LocalPage, body: bytes) -> str:
    """Return the http(s) URL that a page's links are relative to, or "" if nobody knows."""
    if page.base:
        return page.base
    found = SAVED_FROM.search(body, 0, SNIFFED)
    try:
        return wire_url(found[1].decode("ascii")) if found else ""
    except (TaskError, UnicodeDecodeError):
        return ""


def _below(root: str, base: str | None) -> Iterator[Finding]:
    home = os.path.realpath(root)
    folders = [(root, "")]
    while folders:
        folder, origin = folders.pop()
        try:
            names = sorted(name for name in os.listdir(folder) if not name.startswith("."))
        except OSError as error:
            yield Unreadable(folder, origin or root, f"the folder cannot be read: {error.strerror}")
            continue
        inner = []
        for name in names:
            path, place = os.path.join(folder, name), os.path.join(origin, name)
            is_link = os.path.islink(path)
            if not os.path.isdir(path):
                is_out = is_link and not _is_inside(os.path.realpath(path), home)
                yield Passed(path, place, LINK_OUT) if is_out else _look(path, place, base)
            elif is_link:  # it may lead round in a circle, or anywhere
                yield Passed(path, place, LINK_TO_A_FOLDER)
            else:
                inner.append((path, place))
        folders.extend(reversed(inner))


def _look(path: str, origin: str, base: str | None) -> Finding:
    try:
        facts = os.stat(path)
        if not stat.S_ISREG(facts.st_mode):  # opening a pipe would wait for ever
            return Passed(path, origin, NOT_HTML)
        head = _head(path)
    except OSError as error:
        return Unreadable(path, origin, f"cannot be read: {error.strerror}")
    if not _is_page(head, os.path.splitext(path)[1].lower()):
        return Passed(path, origin, NOT_HTML)
    place = "" if base is None else resolve(base, "/".join(map(_quoted, origin.split(os.sep))))
    return LocalPage(path, origin, _address(path), place, facts.st_size, facts.st_mtime_ns)


def _is_page(head: bytes, suffix: str) -> bool:
    if looks_like_html(head):
        return True
    is_text = head.startswith(UTF_16) or b"\0" not in head
    return suffix in SUFFIXES and is_text and not head.startswith(MAGIC)


def _head(path: str) -> bytes:
    with open(_opened(path), "rb") as file:
        return file.read(SNIFFED)


def _opened(path: str) -> int:
    """Open a file that was regular when it was looked at, without waiting if it has become a pipe."""
    file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(0, "it is no regular file")
    return file


def _is_inside(path: str, home: str) -> bool:
    return path.startswith(os.path.join(home, ""))


def _address(path: str) -> str:
    return Path(os.path.abspath(path)).as_uri()


def _quoted(name: str) -> str:
    return quote_from_bytes(os.fsencode(name), safe="")
