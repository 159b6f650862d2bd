"""Pages as they came over the wire, kept in one SQLite file that several threads, processes and runs use at once.

It never fails a page: what the file refuses is not kept, the first refusal ends the writing for this process, and
`complaint` says so. A kill at any moment loses the last page, never the file.
"""

from __future__ import annotations

import atexit
import os
import re
import sqlite3  # noqa: TID251 - the store is one run's, the page cache is for many at once
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from toolkit.apps.scrape import pagetable
from toolkit.apps.scrape.freshness import Entry

LIMIT = 1_000_000_000
"""Bytes of all pages together, unless said otherwise."""
USES = 200
"""Pages that were used, and of which the file is not told yet, at most: which of them goes first does not matter."""

T = TypeVar("T")


class PageCache:
    """One open cache: a page for each URL, as it goes on the wire; the least recently used make room for others.

    limit: bytes of all pages with their fields. complaint: what this process has to tell of the cache, or "". It is
    safe to use from several threads; another process unpickles it as its own cache of the same file.
    """

    def __init__(self, path: str, limit: int = LIMIT) -> None:
        """Open or make the file; raises UsageError if it is not a page cache, or if a newer toolkit wrote it.

        Whatever else the file system refuses is a complaint, and nothing is kept.
        """
        self.path, self.limit = path, limit
        self.complaint = ""
        self.closed = self._told = False
        self._uses: list[int] = []
        self._reads, self._writes = threading.Lock(), threading.Lock()  # where both are held, writes comes first
        self._reader: sqlite3.Connection | None = None
        self._writer: sqlite3.Connection | None = None
        try:
            self._writer = pagetable.open_writer(path)
            self._reader = pagetable.open_reader(path)
            if self.size > limit:
                self._write(lambda database: pagetable.make_room(database, limit))
            pagetable.shrink(self._writer)
        except sqlite3.Error as error:
            self._refused(error)

    def find(self, url: str) -> Entry | None:
        """Return what is known of a URL's page."""
        return self._read(lambda database: pagetable.entry_at(database, _bare(url)), None)

    def body(self, entry: Entry) -> bytes | None:
        """Return an entry's body as it came over the wire, or None if it is no longer there."""
        stored = self._read(lambda database: pagetable.stored_body(database, entry.number), None)
        body = None if stored is None else pagetable.unpacked(stored)  # nobody waits for that
        if body is not None and not self.complaint:
            with self._reads:
                self._uses.append(entry.number)
        return body

    def keep(self, entry: Entry, body: bytes) -> None:
        """Keep a page in place of an older one of its URL; one larger than the whole cache is not kept."""
        self._write(pagetable.keeping(_bare(entry.url), entry, body, self.limit))

    def confirm(self, entry: Entry) -> None:
        """Keep what a page's fields and times have become; its body stays."""
        self._write(pagetable.confirming(entry))

    def forget(self, url: str) -> None:
        """Keep nothing of a URL."""
        self._write(lambda database: pagetable.remove(database, "url", [_bare(url)]))

    @property
    def crowded(self) -> bool:
        """Whether it is time to note which pages were used."""
        return len(self._uses) >= USES

    def note_uses(self) -> None:
        """Write down which pages were used; every other writing does so, too."""
        self._write(lambda _: None)

    def __len__(self) -> int:
        return self._read(lambda database: pagetable.number_of(database, "SELECT count(*) FROM pages"), 0)

    def __bool__(self) -> bool:
        """Tell that it is one, even when it is empty."""
        return True

    @property
    def size(self) -> int:
        """The bytes of all pages with their fields, as they count towards the limit."""
        return self._read(pagetable.weight_of, 0)

    def complain(self) -> str:
        """Return the complaint when it is asked for the first time, then "": a run is told once."""
        with self._reads:
            told, self._told = self._told, bool(self.complaint)
        return "" if told else self.complaint

    def close(self) -> None:
        """Close the file; safe to call twice. Nothing is found or kept any more."""
        if self._uses:
            self.note_uses()
        with self._writes, self._reads:
            self.closed = True
            for database in (self._reader, self._writer):  # the last to close has the log put into the file
                if database is not None:
                    with suppress(sqlite3.Error):
                        database.close()
            self._reader = self._writer = None

    def __reduce__(self) -> tuple[Callable[..., PageCache], tuple[str, int]]:
        """Be the other process's own."""
        return shared, (self.path, self.limit)

    def _read(self, look: Callable[[sqlite3.Connection], T], nothing: T) -> T:
        """Look something up; readers wait for no writer."""
        with self._reads:
            if self._reader is None:
                return nothing
            try:
                return look(self._reader)
            except sqlite3.Error as error:
                self._refused(error)
                self._reader.close()
                self._reader = None
                return nothing

    def _write(self, change: pagetable.Change) -> None:
        """Change the file, in a transaction."""
        with self._writes:
            if (database := self._writer) is None or self.complaint:
                return
            with self._reads:
                uses, self._uses = self._uses, []
            try:
                database.execute("BEGIN IMMEDIATE")
                pagetable.note_used(database, uses)
                change(database)
                database.execute("COMMIT")
            except sqlite3.Error as error:
                self._refused(error)
            finally:
                with suppress(sqlite3.Error):  # what refuses may have undone it
                    if database.in_transaction:
                        database.execute("ROLLBACK")

    def _refused(self, error: sqlite3.Error) -> None:
        self.complaint = self.complaint or f"no pages are kept in {self.path} from now on: {error}"


def shared(path: str, limit: int = LIMIT) -> PageCache:
    """Return this process's cache for a file, opened if need be; raises UsageError as PageCache."""
    key = (os.getpid(), path)  # no connection may be used across a fork
    with _LOCK:
        cache = _SHARED.get(key)
        if cache is None or cache.closed:
            for old in [each for each, cache in _SHARED.items() if cache.closed]:
                del _SHARED[old]
            cache = _SHARED[key] = PageCache(path, limit)
        cache.limit = limit
        return cache


def _bare(url: str) -> str:
    """Return a URL as it goes on the wire: without user name, password and fragment."""
    return re.sub(r"\A([^:/?#]+://)[^/?#]*@", r"\1", url.partition("#")[0])


def _close_all() -> None:
    for (process, _), cache in list(_SHARED.items()):
        if process == os.getpid():
            cache.close()


_LOCK = threading.Lock()
_SHARED: dict[tuple[int, str], PageCache] = {}
atexit.register(_close_all)
