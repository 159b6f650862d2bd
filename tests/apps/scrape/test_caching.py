"""Pages that are kept, against a real server: what is asked, what the job sees, and what is never kept."""

from __future__ import annotations

import asyncio
import gzip
import math
import random
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.apps.scrape.caches import PAGE, Answer, Door, Fetching, Origin, Script, fetched
from tests.apps.scrape.fakes import Answer as Given
from tests.apps.scrape.fakes import FakeClient, LoopRuntime, blocking
from tests.models.fakes import FakeApp
from toolkit import models
from toolkit.apps.scrape import caching
from toolkit.apps.scrape.caching import CachingRuntime
from toolkit.apps.scrape.freshness import Entry
from toolkit.apps.scrape.pagecache import PageCache, shared
from toolkit.clients import ClientOptions
from toolkit.clients.requests import RequestsClient
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.follow import follow
from toolkit.core.http import Headers, Reply, Request
from toolkit.core.runtime import BlockingRuntime, drive
from toolkit.core.task import Success
from toolkit.options import RunOptions
from toolkit.run import Run

NOW = datetime.now(UTC).timestamp()
ETAG = ("ETag", '"1"')


def at(moment: float) -> str:
    """Return a moment as HTTP writes it."""
    return format_datetime(datetime.fromtimestamp(moment, UTC), usegmt=True)


def control(text: str) -> tuple[str, str]:
    """Return a Cache-Control field."""
    return ("Cache-Control", text)


def always(*headers: tuple[str, str], body: bytes = PAGE) -> Script:
    """Answer with a page, whatever is asked."""
    return lambda *_: Answer(body=body, headers=headers)


def by_etag(*headers: tuple[str, str], etag: str = '"1"', body: bytes = PAGE) -> Script:
    """Answer with a page, or 304 to who has it."""

    def script(fields: dict[str, str], _: int) -> Answer:
        status = 304 if fields.get("if-none-match") == etag else 200
        return Answer(status, body, (*headers, ("ETag", etag)))

    return script


def in_turn(*answers: Answer) -> Script:
    """Answer with one after the other."""
    return lambda _, count: answers[min(count, len(answers)) - 1]


class Bench:
    """A server, a cache, and a runtime whose clock can be set; each get is one request of a job."""

    def __init__(self, origin: Origin, cache: PageCache, runtime: BlockingRuntime) -> None:
        self.origin, self.cache, self.runtime = origin, cache, runtime
        self.now = NOW

    def get(
        self,
        path: str = "/a",
        *headers: tuple[str, str],
        limit: int = 1_000_000,
        addresses: Any = "any",
        **options: Any,
    ) -> tuple[str, bytes]:
        """Fetch a page; return whether it was kept, and the page."""
        reply, body = self.ask(path, *headers, limit=limit, addresses=addresses, **options)
        return reply.kept, body

    def ask(
        self, path: str, *headers: tuple[str, str], limit: int = 1_000_000, addresses: Any = "any", **options: Any
    ) -> tuple[Reply, bytes]:
        """Fetch a page; return the reply, and the page."""
        runtime = CachingRuntime(self.runtime, self.cache, clock=lambda: self.now, **options)
        request = Request(self.origin.url(path), headers=headers, addresses=addresses)
        return drive(fetched(runtime, request, limit))

    def fails(self, path: str = "/a", **options: Any) -> FailureKind:
        """Fetch a page in vain, and return the failure's kind."""
        with pytest.raises(TaskError) as caught:
            self.get(path, **options)
        return caught.value.kind

    def serve(self, script: Script, path: str = "/a") -> None:
        """Have a path answered by a script from now on."""
        self.origin.scripts[path] = script
        self.origin.paths()

    def sent(self, name: str) -> list[str | None]:
        """Return a field of every request since the last script."""
        return [fields.get(name) for _, fields in self.origin.asked]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Return a server with an empty cache before it."""
    with ExitStack() as stack:
        origin = stack.enter_context(Origin({}))
        cache = stack.enter_context(closing(PageCache(str(tmp_path / "pages"))))
        runtime = BlockingRuntime(
            lambda: RequestsClient(ClientOptions()), received=lambda _: None, cancelled=lambda: False
        )
        stack.enter_context(closing(runtime))
        yield Bench(origin, cache, runtime)


@pytest.mark.parametrize("model", models.names())
def test_three_runs_under_every_model(model: str, tmp_path: Path) -> None:
    """The first fetches, the second takes what is fresh and confirms the rest, a later one confirms all but the new."""
    changing = iter(range(100))
    coded = (("Content-Encoding", "gzip"),)
    scripts: dict[str, Script] = {
        "/fresh": by_etag(control("max-age=3600")),
        "/etag": by_etag(*coded, body=gzip.compress(PAGE)),
        "/new": lambda *_: Answer(body=b"version %d" % next(changing)),
        "/gone": in_turn(Answer(headers=(control("max-age=60"),)), Answer(410, b"")),
    }
    with Origin(scripts) as origin:

        def run(**how: Any) -> dict[str, tuple[str, int, bytes] | str]:
            urls: list[Any] = [origin.url(path) for path in scripts]
            app = FakeApp(urls, job=Fetching(str(tmp_path / "pages"), **how))
            app.network = True
            found = {}
            for outcome in Run(app, RunOptions(model=model, workers=2), output="").outcomes():
                path = list(scripts)[int(outcome.task.key)]
                found[path] = outcome.value if isinstance(outcome, Success) else str(getattr(outcome, "kind", outcome))
            shared(str(tmp_path / "pages")).close()
            return found

        assert run() == {
            **dict.fromkeys(["/fresh", "/etag", "/gone"], ("", 200, PAGE)),
            "/new": ("", 200, b"version 0"),
        }
        assert run() == {
            **dict.fromkeys(["/fresh", "/gone"], ("fresh", 200, PAGE)),
            "/etag": ("confirmed", 200, PAGE),
            "/new": ("", 200, b"version 1"),
        }
        assert run(later=7200) == {
            **dict.fromkeys(["/fresh", "/etag"], ("confirmed", 200, PAGE)),
            "/new": ("", 200, b"version 2"),
            "/gone": "http",
        }
        assert origin.paths().count("/fresh") == 2
    with closing(PageCache(str(tmp_path / "pages"))) as cache:
        assert len(cache) == 3


# What is asked


def test_a_fresh_page_is_not_asked_for(bench: Bench) -> None:
    """Until its time is over; then it is asked whether it is the same, and is fresh again."""
    bench.serve(by_etag(control("max-age=100"), ("Date", at(NOW))))
    assert bench.get() == ("", PAGE)
    bench.now = NOW + 98
    reply, body = bench.ask("/a")
    assert (reply.kept, reply.received, reply.head.status, body) == ("fresh", 0, 200, PAGE)
    assert (reply.head.headers.get("content-length"), reply.head.headers.get("etag")) == (str(len(PAGE)), '"1"')
    bench.now = NOW + 101
    bench.origin.scripts["/a"] = by_etag(control("max-age=100"), ("Date", at(NOW + 101)), ("X-News", "yes"))
    reply, body = bench.ask("/a")
    assert (reply.kept, reply.received, reply.head.status, body) == ("confirmed", 0, 200, PAGE)
    assert reply.head.headers.get("x-news") == "yes"
    bench.now = NOW + 200
    assert bench.get() == ("fresh", PAGE)
    assert bench.sent("if-none-match") == [None, '"1"']


def test_always_asks_for_fresh_pages_too(bench: Bench) -> None:
    """With its validator, if it has one; max_age does not matter then."""
    bench.serve(by_etag(control("max-age=100")))
    bench.serve(always(control("max-age=100")), "/b")
    for path, kept in (("/a", "confirmed"), ("/b", "")):
        bench.get(path)
        assert bench.get(path, always=True, max_age=math.inf) == (kept, PAGE)


def test_max_age_decides_alone(bench: Bench) -> None:
    """What is younger is not asked for, though the server says no-cache; what is older is, though it says an hour."""
    bench.serve(by_etag(control("no-cache")))
    bench.serve(by_etag(control("max-age=3600")), "/b")
    bench.get("/a")
    bench.get("/b")
    bench.now += 50
    assert [bench.get(path, max_age=60)[0] for path in ("/a", "/b")] == ["fresh", "fresh"]
    assert [bench.get(path, max_age=40)[0] for path in ("/a", "/b")] == ["confirmed", "confirmed"]
    assert bench.get("/a")[0] == "confirmed"


def test_a_weak_etag_and_a_date_are_asked_by(bench: Bench) -> None:
    """In the server's own words; a date only where there is no tag."""
    bench.serve(by_etag(("Last-Modified", at(NOW - 5000)), etag='W/"x"'))
    assert [bench.get()[0], bench.get()[0]] == ["", "confirmed"]
    assert (bench.sent("if-none-match")[1], bench.sent("if-modified-since")[1]) == ('W/"x"', None)
    odd = "Sunday, 06-Nov-94 08:49:37 GMT"
    bench.serve(
        lambda fields, _: Answer(
            304 if fields.get("if-modified-since") == odd else 200, PAGE, (("Last-Modified", odd),)
        )
    )
    bench.cache.forget(bench.origin.url("/a"))
    assert [bench.get()[0], bench.get()[0]] == ["", "confirmed"]


@pytest.mark.parametrize(
    "headers",
    [
        (("Expires", "0"),),
        (("Expires", at(NOW - 10)), ("Date", at(NOW))),
        (("Expires", at(NOW + 100)), ("Date", at(NOW + 200))),
        (("Date", at(NOW - 5000)), control("max-age=60")),
        (("Age", "61"), control("max-age=60")),
        (control("s-maxage=600"),),
        (control("max-age=oops"),),
        (),
    ],
)
def test_pages_with_wrong_dates_are_asked_for(bench: Bench, headers: tuple[tuple[str, str], ...]) -> None:
    """What is not surely fresh is stale; without a validator, the page comes again."""
    bench.serve(always(*headers))
    assert [bench.get()[0], bench.get()[0]] == ["", ""]
    assert len(bench.cache) == 1


def test_a_page_that_varies_is_kept_for_the_same_request_only(bench: Bench) -> None:
    """The latest one is kept; Vary: * is for nobody."""
    bench.serve(
        lambda fields, _: Answer(body=fields["accept"].encode(), headers=(control("max-age=60"), ("Vary", "Accept")))
    )
    assert bench.get("/a", ("Accept", "x/y")) == ("", b"x/y")
    assert bench.get("/a", ("ACCEPT", "x/y")) == ("fresh", b"x/y")
    assert bench.get("/a", ("Accept", "z/z")) == ("", b"z/z")
    assert bench.get("/a", ("Accept", "x/y")) == ("", b"x/y")
    bench.serve(always(control("max-age=60"), ("Vary", "*")))
    bench.get("/a", ("Accept", "z/z"))
    assert len(bench.cache) == 0


def test_a_private_page_is_kept_and_one_with_no_store_is_not(bench: Bench) -> None:
    """The cache is one user's; what was kept before no-store goes, too."""
    bench.serve(in_turn(Answer(headers=(control("private, max-age=60"),)), Answer(headers=(control("no-store"), ETAG))))
    assert [bench.get()[0], bench.get()[0]] == ["", "fresh"]
    bench.now += 100
    bench.get()
    assert len(bench.cache) == 0


def test_requests_that_are_somebodys_pass_by(bench: Bench) -> None:
    """With a login, a range or a condition of their own, nothing is kept or found."""
    bench.serve(always(control("max-age=60")))
    for field in (("Authorization", "Basic eDp5"), ("Range", "bytes=0-"), ("If-Match", "*"), control("no-store")):
        assert bench.get("/a", field)[0] == ""
    assert len(bench.cache) == 0
    bench.get()
    assert bench.get("/a", ("Authorization", "Basic eDp5"))[0] == ""


def test_other_cookies_ask_for_the_page(bench: Bench) -> None:
    """By its tag; the set cookies of each reply are seen by the job, and those of old ones are not."""
    bench.serve(by_etag(control("max-age=60"), ("Set-Cookie", "s=2"), ("Vary", "Accept")))
    assert bench.ask("/a", ("Cookie", "s=1"))[0].head.headers.get("set-cookie") == "s=2"
    reply, _ = bench.ask("/a", ("Cookie", "s=1"))
    assert (reply.kept, reply.head.headers.get("set-cookie")) == ("fresh", None)
    reply, _ = bench.ask("/a", ("Cookie", "s=2"))
    assert (reply.kept, reply.head.headers.all("set-cookie")) == ("confirmed", ["s=2"])
    assert bench.get("/a", ("Cookie", "s=2"))[0] == "fresh"


def test_a_guarded_request_is_not_answered_with_what_stands_behind_the_guard(bench: Bench) -> None:
    """A stranger's redirect cannot have what the user once got from this machine."""
    bench.serve(by_etag(control("max-age=60")))
    bench.get()
    assert bench.fails(addresses="public") is FailureKind.BLOCKED
    assert bench.fails(addresses="public", max_age=math.inf) is FailureKind.BLOCKED
    assert bench.get()[0] == "fresh"


# What is kept


@pytest.mark.parametrize(
    ("answer", "limit"),
    [
        (Answer(cut=10), 1_000_000),
        (Answer(framed=False), 1_000_000),
        (Answer(framed=False, headers=(("Content-Encoding", "gzip"),), body=gzip.compress(PAGE)[:-9]), 1_000_000),
        (Answer(headers=(("Content-Encoding", "gzip"),), body=gzip.compress(PAGE)[:-9]), 1_000_000),
        (Answer(headers=(("Transfer-Encoding", "chunked"),), body=b"5\r\nab", framed=False), 1_000_000),
        (Answer(), 1000),
        (Answer(headers=(("Content-Type", "application/pdf"),)), 1000),
    ],
)
def test_a_page_that_is_torn_or_refused_is_not_kept(bench: Bench, answer: Answer, limit: int) -> None:
    """Nor is what was kept before it: the server has another by now."""
    bench.serve(always(ETAG))
    bench.get()
    assert len(bench.cache) == 1
    bench.serve(always(*answer.headers))
    bench.origin.scripts["/a"] = lambda *_: answer
    try:
        bench.get(limit=limit)
    except TaskError:
        pass
    else:
        assert not answer.framed, "the end of the connection may be the page's, but nobody knows"
    assert len(bench.cache) == 0


@pytest.mark.parametrize(
    "answer",
    [
        Answer(headers=(("Transfer-Encoding", "chunked"), ETAG), body=b"3\r\nabc\r\n0\r\n\r\n"),
        Answer(headers=(("Content-Encoding", "gzip"), ETAG), body=gzip.compress(b"abc"), framed=False),
        Answer(
            headers=(("Content-Encoding", "x-gzip, deflate"), ETAG),
            body=zlib.compress(gzip.compress(b"abc")),
        ),
    ],
)
def test_a_page_that_surely_ended_is_kept(bench: Bench, answer: Answer) -> None:
    """By the end of its chunks, or of its coding."""
    bench.serve(lambda fields, _: Answer(304) if "if-none-match" in fields else answer)
    assert [bench.get(), bench.get()] == [("", b"abc"), ("confirmed", b"abc")]


@pytest.mark.parametrize(("status", "left"), [(404, 0), (410, 0), (500, 1), (503, 1), (403, 1), (429, 1)])
def test_pages_that_are_gone_are_forgotten(bench: Bench, status: int, left: int) -> None:
    """Other failures pass through, and the page stays for the next attempt; it is never served in their stead."""
    bench.serve(by_etag())
    bench.get()
    bench.serve(lambda *_: Answer(status, b"sorry"))
    assert bench.fails() in (FailureKind.HTTP, FailureKind.THROTTLED)
    assert len(bench.cache) == left
    bench.serve(by_etag())
    assert bench.get()[0] == ("confirmed" if left else "")


def test_a_host_that_is_down_fails_the_page(bench: Bench) -> None:
    """What is stale is no answer, and stays for the next attempt."""
    with Origin({}) as other:
        dead = other.url("/a")
    bench.cache.keep(Entry(dead, Headers([ETAG]), NOW, NOW), PAGE)
    with pytest.raises(TaskError) as caught:
        drive(fetched(CachingRuntime(bench.runtime, bench.cache), Request(dead)))
    assert caught.value.kind is FailureKind.CONNECT
    assert len(bench.cache) == 1


def test_redirects_pass_through_and_their_targets_are_kept(bench: Bench) -> None:
    """Each hop is asked for as long as it redirects."""
    bench.serve(lambda *_: Answer(301, b"", (("Location", "/b"), control("max-age=999"))))
    bench.serve(always(control("max-age=60")), "/b")
    for kept in ("", "fresh"):
        door = Door()
        runtime = CachingRuntime(bench.runtime, bench.cache, clock=lambda: bench.now)
        reply = drive(follow(runtime, Request(bench.origin.url("/a")), door.accept))
        assert (reply.kept, reply.redirects, door.body()) == (kept, (bench.origin.url("/a"),), PAGE)
    assert bench.origin.paths() == ["/a", "/b", "/a"]
    assert len(bench.cache) == 1


def test_a_body_larger_than_is_kept_passes_through(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Announced or not."""
    monkeypatch.setattr(caching, "LARGEST", 1000)
    chunks = b"".join(b"64\r\n" + bytes(100) + b"\r\n" for _ in range(20)) + b"0\r\n\r\n"
    bench.serve(always())
    bench.serve(always(("Transfer-Encoding", "chunked"), body=chunks), "/b")
    assert [bench.get("/a")[1], bench.get("/b")[1]] == [PAGE, bytes(2000)]
    assert len(bench.cache) == 0


def test_an_empty_page_is_one(bench: Bench) -> None:
    """Even if it is said to be coded."""
    bench.serve(always(control("max-age=60"), ("Content-Encoding", "gzip"), body=b""))
    assert [bench.get(), bench.get()] == [("", b""), ("fresh", b"")]


# What servers get wrong


def test_a_304_that_nobody_asked_for_is_asked_again(bench: Bench) -> None:
    """Past whoever mistook us for another; a second one is the job's to judge."""
    bench.serve(in_turn(Answer(304), Answer()))
    assert bench.get() == ("", PAGE)
    assert bench.sent("cache-control") == [None, "no-cache"]
    bench.serve(lambda *_: Answer(304))
    assert bench.fails("/a", always=True) is FailureKind.HTTP
    bench.serve(lambda *_: Answer(304), "/b")
    assert bench.fails("/b") is FailureKind.HTTP
    assert len(bench.origin.asked) == 2


def test_a_304_about_another_page_is_asked_again(bench: Bench) -> None:
    """Its tag is not the one that was asked by."""
    bench.serve(by_etag(body=b"old"))
    bench.get()
    bench.serve(
        lambda fields, _: (
            Answer(304, headers=(("ETag", '"2"'),))
            if "if-none-match" in fields
            else Answer(body=b"new", headers=(("ETag", '"2"'),))
        )
    )
    assert bench.get() == ("", b"new")
    assert bench.sent("if-none-match") == ['"1"', None]


def test_a_page_that_was_lost_meanwhile_is_asked_for_again(bench: Bench) -> None:
    """By another process, while the server was asked."""
    bench.serve(by_etag())
    bench.get()

    def script(fields: dict[str, str], count: int) -> Answer:
        bench.cache.forget(bench.origin.url("/a"))
        return by_etag()(fields, count)

    bench.serve(script)
    assert bench.get() == ("", PAGE)
    assert bench.sent("if-none-match") == ['"1"', None]
    bench.serve(by_etag())
    assert bench.get()[0] == "confirmed"


def test_a_304_may_forbid_to_keep_the_page(bench: Bench) -> None:
    """It is still the page, for the last time."""
    bench.serve(by_etag())
    bench.get()
    bench.serve(by_etag(control("no-store")))
    assert bench.get() == ("confirmed", PAGE)
    assert len(bench.cache) == 0


def test_a_fresh_page_that_is_damaged_is_fetched(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk's fault is not the page's."""
    bench.serve(by_etag(control("max-age=60")))
    bench.get()
    monkeypatch.setattr(bench.cache, "body", lambda _: None)
    assert bench.get() == ("", PAGE)
    bench.now += 100
    assert bench.get() == ("", PAGE)


def test_a_kept_page_that_is_too_large_for_this_run_fails_and_stays(bench: Bench) -> None:
    """Another run may have more room."""
    bench.serve(always(control("max-age=60")))
    bench.get()
    assert bench.fails(limit=100) is FailureKind.TOO_LARGE
    assert bench.get()[0] == "fresh"


# Where it runs


def test_uses_are_noted_while_nothing_is_written(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fresh pages only: the list of uses does not grow for ever."""
    monkeypatch.setattr("toolkit.apps.scrape.pagecache.USES", 5)
    bench.serve(always(control("max-age=60")))
    for _ in range(20):
        bench.get()
        assert len(bench.cache._uses) <= 5


def test_the_loop_is_left_for_what_takes_long(tmp_path: Path) -> None:
    """Keeping always, and large bodies; small ones are taken out in place."""
    small, large = (
        Given(b"x", headers={"Cache-Control": "max-age=9", "Content-Length": "1"}),
        Given(bytes(200_000), headers={"Cache-Control": "max-age=9", "Content-Length": "200000"}),
    )
    runtime = LoopRuntime(FakeClient({"http://h.test/s": small, "http://h.test/l": large}))

    async def work() -> list[int]:
        calls = []
        for name in "sslls":
            url = f"http://h.test/{name}"
            await fetched(CachingRuntime(runtime, cache), Request(url))
            calls.append(runtime.calls)
        assert await CachingRuntime(runtime, cache).compute(len, "four") == 4
        return calls

    with closing(PageCache(str(tmp_path / "pages"))) as cache:
        assert asyncio.run(work()) == [1, 1, 2, 4, 4]


def test_what_is_no_fetch_is_the_runtimes_beneath(bench: Bench) -> None:
    """call, compute, once and group."""
    runtime = CachingRuntime(bench.runtime, bench.cache)

    async def make() -> int:
        return 5

    async def work() -> list[int]:
        async with runtime.group():
            return [await runtime.call(len, "one"), await runtime.compute(len, "four"), await runtime.once("k", make)]

    assert drive(work()) == [3, 4, 5]


# A disk that is full


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Return a small disk of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if sys.platform != "linux" or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a disk, on Linux")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_costs_no_page(disk: Path) -> None:
    """Every page comes, what was kept is found, and it is told once."""
    noise = random.Random(3).randbytes
    answers = {
        f"http://h.test/{n}": Given(noise(50_000), headers={"Cache-Control": "max-age=9999", "Content-Length": "50000"})
        for n in range(40)
    }
    client = FakeClient(answers)
    with closing(PageCache(str(disk / "pages"))) as cache:
        runtime = CachingRuntime(blocking(client), cache)
        told = []
        for url, answer in answers.items():
            assert drive(fetched(runtime, Request(url)))[1] == answer.body
            told.append(cache.complain())
        (complaint,) = filter(None, told)
        assert "full" in complaint or "disk I/O error" in complaint
        assert 0 < len(cache) < 40
        assert drive(fetched(runtime, Request("http://h.test/0")))[0].kept == "fresh"
    with closing(PageCache(str(disk / "pages"), limit=300_000)) as cache:
        assert 0 < cache.size <= 300_000, "the next run has room again"
