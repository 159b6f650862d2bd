"""Pages saved as fixtures: for each a file of its bytes and, beside it, one of the facts that HTTP told.

`NAME.html` is the body as it came, decoded from its transfer and content codings, never written anew; `NAME.json` has
what cannot be seen from it. A page without facts, as a browser saves it, is read as well.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from toolkit.core.errors import UsageError
from toolkit.core.http import Head, Headers, media_type
from toolkit.storage import atomic_write

KEPT = frozenset({"content-type", "content-language", "last-modified", "link", "refresh", "x-robots-tag"})
"""Header fields that are kept: what a page is read by, and no cookies."""
PAGES = frozenset({".html", ".htm", ".xhtml"})
FACTS = ".json"
LARGEST = 100_000_000
"""Bytes of one saved page."""
READABLE = 60
"""Characters of a name that tell the URL; those after them tell it from others."""
NOWHERE = "http://saved.invalid/"
"""Where a page is said to stand that does not say it itself."""
SAVED_FROM = re.compile(rb"<!-- saved from url=\(\d{1,6}\)(https?://[^\s>]{1,2000}) -->", re.IGNORECASE)
"""What browsers write into pages that they save."""


@dataclass(frozen=True, slots=True)
class SavedPage:
    """A page as it was.

    body: its bytes. url, final_url: without passwords. headers: the fields that are kept. path: its file, or None while
    it is not saved.
    """

    body: bytes
    url: str
    final_url: str
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    fetched_at: datetime | None = None
    path: Path | None = None

    @property
    def charset(self) -> str | None:
        """The label of the encoding that HTTP gave, if it did."""
        return media_type(Headers(self.headers))[1]

    @property
    def name(self) -> str:
        """The name of its file, without ending."""
        return name_of(self.url) if self.path is None else self.path.stem


def page_of(url: str, head: Head, body: bytes, fetched_at: datetime) -> SavedPage:
    """Return what is to be saved of a reply. url: what was asked for; head: that of the last reply."""
    headers = tuple((name, value) for name, value in head.headers if name in KEPT)
    return SavedPage(body, _public(url), _public(head.url), head.status, headers, fetched_at)


def name_of(url: str) -> str:
    """Return a file name for a URL, without ending: the same for the same URL, safe in every file system."""
    parts = urlsplit(url)
    readable = re.sub(r"[^a-z0-9]+", "-", f"{parts.hostname or ''}{parts.path}".lower()).strip("-")[:READABLE]
    mark = blake2b(url.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
    return f"{readable.strip('-') or 'page'}-{mark}"


def save(folder: Path, page: SavedPage) -> Path:
    """Write a page and its facts into a folder, in place of what was saved of its URL before; return the page's file.

    Raises TaskError for what the file system refuses.
    """
    path = folder / f"{name_of(page.url)}.html"
    facts = {
        "url": page.url,
        "final_url": page.final_url,
        "status": page.status,
        "headers": [list(field) for field in page.headers],
        "fetched_at": None if page.fetched_at is None else page.fetched_at.astimezone(UTC).isoformat(),
    }
    with atomic_write(path) as file:
        file.write(page.body)
    write_json(path.with_suffix(FACTS), facts)
    return path


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON that people can read and compare, whole or not at all."""
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    with atomic_write(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))


def load(path: Path) -> Iterator[SavedPage]:
    """Yield the saved page that a file is, or all in a folder and below it, in the order of their names.

    One is in memory at a time. Raises UsageError for what cannot be read, and for a folder without pages.
    """
    if not path.is_dir():
        yield _page(path)
        return
    empty = True
    for found in _files(path):
        empty = False
        yield _page(found)
    if empty:
        raise UsageError(f"{path}: no saved pages here: they end in {', '.join(sorted(PAGES))}")


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in PAGES:
                yield Path(place, name)


def _page(path: Path) -> SavedPage:
    body = _read(path)
    facts_path = path.with_suffix(FACTS)
    if not facts_path.is_file():
        found = SAVED_FROM.search(body, 0, 4096)
        url = found[1].decode("ascii", "replace") if found else NOWHERE + quote(path.name)
        return SavedPage(body, url, url, path=path)
    try:
        facts = json.loads(_read(facts_path))
        when = facts.get("fetched_at")
        return SavedPage(
            body,
            _url(facts["url"]),
            _url(facts.get("final_url", facts["url"])),
            int(facts.get("status", 200)),
            tuple((str(name), str(value)) for name, value in facts.get("headers", ())),
            None if when is None else datetime.fromisoformat(when),
            path,
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UsageError(f"{facts_path}: not the facts of a saved page: {error}") from error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            body = file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(body) > LARGEST:
        raise UsageError(f"{path}: no saved page is larger than {LARGEST:,} bytes")
    return body


def _url(text: Any) -> str:
    if not isinstance(text, str) or not text.startswith(("http://", "https://")):
        raise ValueError(f"{text!r} is no http(s) URL")
    return text


def _public(url: str) -> str:
    """Return a URL without user name and password: fixtures are passed on."""
    return re.sub(r"//[^/?#]*@", "//", url, count=1)
