"""The file that keeps pages: what goes in comes out, within its limit, whoever else writes, and whatever kills it."""

from __future__ import annotations

import gzip
import os
import pickle
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from toolkit.apps.scrape import pagecache, pagetable
from toolkit.apps.scrape.freshness import Entry
from toolkit.apps.scrape.pagecache import PageCache, shared
from toolkit.core.errors import UsageError
from toolkit.core.http import Headers

PLAIN = Headers([("Content-Type", "text/html"), ("ETag", '"1"')])
CODED = Headers([("Content-Encoding", "gzip")])


def entry(name: str, headers: Headers = PLAIN) -> Entry:
    """Return a page to keep."""
    return Entry(
        f"http://site.test/{name}", headers, 1.5, 2.5, reason="Fine", vary="v", cookie="c", address="93.184.216.34"
    )


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Return where a cache may be."""
    return str(tmp_path / "pages.sqlite")


@pytest.fixture
def cache(path: str) -> Iterator[PageCache]:
    """Return a new cache."""
    with closing(PageCache(path)) as cache:
        yield cache
        assert not cache.complaint


def kept(cache: PageCache, name: str) -> bytes | None:
    """Return what is kept of a page."""
    found = cache.find(f"http://site.test/{name}")
    return None if found is None else cache.body(found)


def check(path: str) -> int:
    """Return how many pages a file has, all of which are whole, and their weight is the one noted."""
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        total = database.execute("SELECT weight FROM total").fetchall()
        assert total == [(database.execute("SELECT coalesce(sum(weight), 0) FROM pages").fetchone()[0],)]
        bodies = database.execute("SELECT body, packed, crc FROM pages").fetchall()
        assert all(pagetable.unpacked(stored) is not None for stored in bodies)
        return len(bodies)


def test_a_page_when_found_again_is_what_was_kept(cache: PageCache, path: str) -> None:
    """In this process and in the next one; fields, times and bytes, with the length that the body has."""
    body = b"<p>words</p>" * 1000
    coded = gzip.compress(body)
    cache.keep(entry("a"), body)
    cache.keep(entry("b", CODED), coded)
    cache.keep(entry("empty"), b"")
    with closing(PageCache(path)) as other:
        for each in (cache, other):
            found = each.find("http://site.test/a")
            assert found is not None
            assert list(found.headers) == [*PLAIN, ("content-length", str(len(body)))]
            assert (found.asked, found.answered, found.reason, found.size) == (1.5, 2.5, "Fine", len(body))
            assert (found.vary, found.cookie, found.address) == ("v", "c", "93.184.216.34")
            assert each.body(found) == body
            assert kept(each, "b") == coded
            assert kept(each, "empty") == b""
            assert each.find("http://site.test/none") is None
            assert len(each) == 3
            assert len(coded) < each.size < len(body)  # what has no coding is compressed


@pytest.mark.parametrize(
    ("kept_as", "same"),
    [
        ("http://user:pw@site.test/a", True),
        ("http://site.test/a#part", True),
        ("http://site.test/A", False),
        ("http://site.test/a?", False),
        ("https://site.test/a", False),
        ("http://site.test/x//user@site.test/a", False),
    ],
)
def test_the_key_is_the_url_as_it_goes_on_the_wire(cache: PageCache, path: str, kept_as: str, same: bool) -> None:
    """No password is written down, no fragment matters, and everything else does."""
    cache.keep(Entry(kept_as, PLAIN, 0, 0), b"x")
    assert (cache.find("http://site.test/a") is not None) == same
    assert cache.find(kept_as) is not None
    cache.close()
    assert b":pw@" not in Path(path).read_bytes()


def test_a_page_when_kept_again_takes_the_old_ones_place(cache: PageCache, path: str) -> None:
    """An entry that was found before it does not get the new one's body."""
    cache.keep(entry("a"), b"old")
    old = cache.find("http://site.test/a")
    assert old is not None
    cache.keep(entry("a"), b"new and longer")
    assert cache.body(old) is None
    assert kept(cache, "a") == b"new and longer"
    cache.confirm(old)
    cache.forget("http://site.test/a")
    cache.forget("http://site.test/a")
    assert (len(cache), cache.size, check(path)) == (0, 0, 0)


def test_a_page_when_confirmed_has_new_fields_and_its_body(cache: PageCache, path: str) -> None:
    """Fields and times change."""
    cache.keep(entry("a"), b"body")
    old = cache.find("http://site.test/a")
    assert old is not None
    fields = Headers([("etag", '"2"'), ("x", "long " * 100), ("content-length", "4")])
    cache.confirm(Entry(old.url, fields, 7, 8, number=old.number))
    new = cache.find(old.url)
    assert new is not None
    assert (list(new.headers), new.asked, new.answered, new.address) == (list(fields), 7, 8, "")
    assert cache.body(new) == b"body"
    assert check(path) == 1


def test_the_least_recently_used_go_first(path: str) -> None:
    """Within the limit; using a page keeps it."""
    body = random.Random(1).randbytes(10_000)
    with closing(PageCache(path, limit=55_000)) as cache:
        for number in range(5):
            cache.keep(entry(str(number), CODED), body)
        assert kept(cache, "0") == body
        for number in range(5, 8):
            cache.keep(entry(str(number), CODED), body)
        assert [n for n in range(8) if kept(cache, str(n))] == [0, 4, 5, 6, 7]
        cache.keep(entry("huge", CODED), bytes(60_000))
        assert (len(cache), kept(cache, "huge")) == (5, None)
        assert cache.size <= 55_000
    assert check(path) == 5
    with closing(PageCache(path, limit=25_000)) as cache:
        assert [n for n in range(8) if kept(cache, str(n))] == [6, 7]


def test_the_file_gives_back_what_it_no_longer_needs(path: str) -> None:
    """A smaller limit makes the file smaller when it is opened."""
    with closing(PageCache(path)) as cache:
        for number in range(100):
            cache.keep(entry(str(number), CODED), random.Random(number).randbytes(50_000))
    before = Path(path).stat().st_size
    with closing(PageCache(path, limit=500_000)) as cache:
        assert len(cache) == 9
    assert Path(path).stat().st_size < before / 5


def test_uses_are_noted_now_and_then(cache: PageCache, path: str) -> None:
    """Many in one go; pages that are gone meanwhile do no harm."""
    for name in "ab":
        cache.keep(entry(name), b"x")
    for _ in range(pagecache.USES - 1):
        kept(cache, "a")
    assert not cache.crowded
    kept(cache, "b")
    kept(cache, "a")
    assert cache.crowded
    cache.forget("http://site.test/b")
    assert not cache.crowded
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT url FROM pages ORDER BY used DESC").fetchone() == ("http://site.test/a",)


def test_a_body_that_the_disk_has_damaged_is_none(cache: PageCache, path: str) -> None:
    """Whether it is compressed or not."""
    cache.keep(entry("a"), b"plain " * 100)
    cache.keep(entry("b", CODED), gzip.compress(b"coded"))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE pages SET body = CAST(x'00' || substr(body, 2) AS BLOB)")
    assert kept(cache, "a") is None
    assert kept(cache, "b") is None


@pytest.mark.skipif(os.name == "nt", reason="there are no such modes")
def test_the_file_is_its_owners(cache: PageCache, path: str) -> None:
    """And so are the files beside it."""
    cache.keep(entry("a"), b"x")
    assert {each.stat().st_mode & 0o777 for each in Path(path).parent.iterdir()} == {0o600}


def test_files_that_are_not_ours_stay_as_they_are(path: str, tmp_path: Path) -> None:
    """Some other database, no database, a newer one's."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE mine (x)")
    before = Path(path).read_bytes()
    with pytest.raises(UsageError, match="some other SQLite file"):
        PageCache(path)
    assert Path(path).read_bytes() == before
    text = tmp_path / "text"
    text.write_text("this is no database " * 100)
    with pytest.raises(UsageError, match="no page cache"):
        PageCache(str(text))
    assert "no database" in text.read_text()
    newer = str(tmp_path / "newer")
    PageCache(newer).close()
    with closing(sqlite3.connect(newer)) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(UsageError, match="newer toolkit"):
        PageCache(newer)


def test_a_place_where_nothing_can_be_kept_is_a_complaint(tmp_path: Path) -> None:
    """Told once; everything else is as if nothing were kept."""
    cache = PageCache(str(tmp_path / "none" / "pages"))
    cache.keep(entry("a"), b"x")
    cache.forget("http://site.test/a")
    assert (cache.find("http://site.test/a"), len(cache), cache.size) == (None, 0, 0)
    assert cache.complaint.endswith("none/pages from now on: unable to open database file")
    assert [cache.complain(), cache.complain()] == [cache.complaint, ""]
    cache.close()


def test_a_file_that_another_program_holds_ends_the_writing(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for it twice, and what is there can still be read."""
    monkeypatch.setattr(pagetable, "PATIENCE", 0.05)
    with closing(PageCache(path)) as cache, closing(sqlite3.connect(path, isolation_level=None)) as other:
        cache.keep(entry("a"), b"x")
        assert cache.complain() == ""
        other.execute("BEGIN IMMEDIATE")
        cache.keep(entry("b"), b"x")
        assert "database is locked" in cache.complain()
        other.execute("ROLLBACK")
        cache.keep(entry("c"), b"x")
        assert [kept(cache, name) for name in "abc"] == [b"x", None, None]
        assert not cache._uses


def test_a_file_that_is_destroyed_meanwhile_is_a_complaint(path: str) -> None:
    """Reading ends, too."""
    with closing(PageCache(path)) as cache:
        cache.keep(entry("a"), b"x")
        with closing(sqlite3.connect(path)) as other, other:
            other.execute("DROP TABLE pages")
        assert kept(cache, "a") is None
        assert "no such table" in cache.complaint
        cache.keep(entry("a"), b"x")


def test_a_closed_cache_finds_and_keeps_nothing(path: str) -> None:
    """And says nothing; the next that is asked for is another."""
    cache = shared(path)
    assert shared(path, 5) is cache
    assert cache.limit == 5
    cache.close()
    cache.close()
    cache.keep(entry("a"), b"x")
    assert (cache.find("http://site.test/a"), cache.complaint) == (None, "")
    other = shared(path)
    assert other is not cache
    other.close()


def test_a_pickled_cache_is_the_same_processs_own(path: str) -> None:
    """A job that has it can be given to worker processes."""
    with closing(shared(path, 12345)) as cache:
        assert pickle.loads(pickle.dumps(cache)) is cache


def test_several_threads_write_and_read_at_once(cache: PageCache, path: str) -> None:
    """Each finds what it kept."""
    wrong: list[str] = []

    def work(letter: str) -> None:
        for number in range(40):
            name = f"{letter}{number}"
            cache.keep(entry(name), name.encode() * 500)
            if kept(cache, name) != name.encode() * 500:
                wrong.append(name)

    threads = [threading.Thread(target=work, args=(letter,)) for letter in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert check(path) == 160


def test_several_open_a_new_file_in_the_same_moment(tmp_path: Path) -> None:
    """One makes the tables, the others wait for it."""
    for number in range(20):
        path = str(tmp_path / str(number))
        start, told = threading.Barrier(4), list[str]()

        def work(path: str = path, start: threading.Barrier = start, told: list[str] = told) -> None:
            start.wait()
            with closing(PageCache(path)) as cache:
                cache.keep(entry(str(threading.get_ident())), b"x")
                told.append(cache.complaint)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert told == [""] * 4
        assert check(path) == 4


WRITER = """
import sys
from toolkit.apps.scrape.freshness import Entry
from toolkit.apps.scrape.pagecache import PageCache
from toolkit.core.http import Headers

path, letter, count, limit = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
cache = PageCache(path, limit)
print("open", flush=True)
for number in range(count):
    url = f"http://site.test/{letter}{number % 60}"
    cache.keep(Entry(url, Headers([("A", "b" * (number % 50))]), 1, 2), f"{letter}{number} ".encode() * 2000)
    if number % 7 == 3:
        cache.forget(url)
    if number % 5 == 2 and (found := cache.find(url)):
        cache.body(found)
        cache.confirm(found)
assert not cache.complaint, cache.complaint
cache.close()
"""


def writer(path: str, letter: str, count: int, limit: int = 1_000_000) -> subprocess.Popen[bytes]:
    """Start a process that writes."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, path, letter, str(count), str(limit)], stdout=subprocess.PIPE
    )


def test_several_processes_write_at_once(path: str) -> None:
    """They all begin with a file that is not there yet; nobody is refused, and nothing is miscounted."""
    writers = [writer(path, letter, 300) for letter in "abc"]
    for process in writers:
        process.communicate()
        assert process.returncode == 0
    with closing(PageCache(path)) as cache:
        assert len(cache) == check(path) == 3 * 60 - 3 * 9


@pytest.mark.skipif(os.name == "nt", reason="there is no such signal")
def test_a_kill_while_pages_are_written_loses_no_other(path: str) -> None:
    """The file is whole after each of ten kills, with room being made all the time, and the next writer goes on."""
    draw = random.Random(8)
    for _ in range(10):
        process = writer(path, "k", 1_000_000, limit=100_000)
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(draw.uniform(0.0, 0.06))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert check(path) <= 60
    with closing(PageCache(path, 100_000)) as cache:
        assert 0 < cache.size <= 100_000
        assert len(cache)
        assert not cache.complaint
