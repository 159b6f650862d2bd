"""The scraper against a real server, with a real client, under the models of this house."""

from __future__ import annotations

import gzip
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import toolkit
from tests.apps.scrape.stage import Raw, Stage, reply
from toolkit.apps.scrape import robots
from toolkit.apps.scrape.job import ScrapeApp
from toolkit.apps.scrape.options import ScrapeOptions
from toolkit.options import RunOptions
from toolkit.reporting import Summary
from toolkit.run import Run

PAGES = {
    "/robots.txt": b"User-agent: toolkit\nDisallow: /private/\n",
    "/one": b"<!doctype html><title>One</title><a href=two>2</a>",
    "/two": b"<!doctype html><title>Two</title>" + b"<p>words</p>" * 10_000,
    "/private/x": b"<!doctype html><title>No</title>",
}


class Site(BaseHTTPRequestHandler):
    """A small site: gzip for all pages, one redirect, one page that fails once."""

    protocol_version = "HTTP/1.1"
    asked: list[str]

    def do_GET(self) -> None:
        """Answer."""
        self.asked.append(self.path)
        if self.path == "/old":
            self._reply(301, b"", ("Location", "/two"))
        elif self.path == "/shy" and self.asked.count("/shy") == 1:
            self._reply(503, b"")
        elif (body := PAGES.get("/one" if self.path == "/shy" else self.path)) is None:
            self._reply(404, b"gone")
        else:
            self._reply(200, gzip.compress(body), ("Content-Encoding", "gzip"), ("Content-Type", "text/html"))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def _reply(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def site() -> Iterator[tuple[str, list[str]]]:
    """Return the address of a running site, and what it was asked for."""
    asked: list[str] = []
    handler = type("Asked", (Site,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def scrape(sources: list[str], out: Path, model: str) -> Summary:
    app = ScrapeApp(sources, out, ScrapeOptions(field=("t=title", "l[]=a@href")))
    return Run(app, RunOptions(model=model, workers=4), output=str(out), sources=sources).finish()


@pytest.mark.parametrize("model", ["sequential", "threads"])
def test_scrape_when_run_for_real(site: tuple[str, list[str]], tmp_path: Path, model: str) -> None:
    """Rows, skips and failures are those of the site; robots.txt is read once; a second run fetches nothing."""
    address, asked = site
    names = ["one", "old", "private/x", "two", "shy", "none", "one"]
    out = tmp_path / "rows.jsonl"
    (tmp_path / "urls.txt").write_text("\n".join(f"{address}/{name}" for name in names))
    summary = scrape([str(tmp_path / "urls.txt")], out, model)
    assert (summary.succeeded, summary.errors, summary.skips) == (4, 1, 2)
    assert asked.count("/robots.txt") == 1
    assert "/private/x" not in asked
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert all(datetime.fromisoformat(row.pop("fetched_at")) <= datetime.now(UTC) for row in rows)
    link = [f"{address}/two"]
    assert rows == [
        {"url": f"{address}/one", "final_url": f"{address}/one", "status": 200, "t": "One", "l": link},
        {"url": f"{address}/old", "final_url": f"{address}/two", "status": 200, "t": "Two", "l": []},
        {"url": f"{address}/two", "final_url": f"{address}/two", "status": 200, "t": "Two", "l": []},
        {"url": f"{address}/shy", "final_url": f"{address}/shy", "status": 200, "t": "One", "l": link},
    ]
    before = out.read_bytes()
    count = len(asked)
    again = scrape([str(tmp_path / "urls.txt")], out, model)
    assert (again.succeeded, again.skipped["already scraped"]) == (0, 4)
    assert set(asked[count:]) == {"/robots.txt", "/none"}
    assert out.read_bytes() == before


MODELS = ["sequential", "threads", "processes", "asyncio", "hybrid"]
SEVERAL = ("processes", "hybrid")
"""Models with more processes than one, each of which asks for itself."""
COUNT = 60
LATER = reply(b"", status="503 Later")


@pytest.fixture
def host() -> Iterator[Stage]:
    """Return a running server with many pages."""
    with Stage({f"/{number}": b"<title>page</title>" for number in range(COUNT)}) as stage:
        yield stage


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch, model: str) -> None:
    """Shorten the waits for a robots.txt that cannot be read, where that can be done from here."""
    if model not in SEVERAL:
        monkeypatch.setattr(robots, "WAITS", (0.05, 0.2, 30.0, 300.0))


def run_all(host: Stage, tmp_path: Path, model: str, **options: Any) -> Summary:
    sources = [host.url(f"/{number}") for number in range(COUNT)]
    workers = 2 if model in SEVERAL else 8
    fixed: dict[str, Any] = {"field": ["t=title"], "workers": workers, "per_host": 8, "model": model}
    return toolkit.scrape(sources, tmp_path / "rows.jsonl", **fixed | options)


@pytest.mark.parametrize("model", MODELS)
def test_robots_when_many_pages_ask_at_once(host: Stage, tmp_path: Path, model: str) -> None:
    """One fetch in each process, while the others wait: also among the tasks of one loop."""
    host.answers["/robots.txt"] = reply(b"User-agent: *\nDisallow: /7\n", kind="text/plain")
    summary = run_all(host, tmp_path, model)
    assert (summary.succeeded, summary.skipped) == (COUNT - 1, {"robots.txt disallows it": 1})
    assert 1 <= host.asked["/robots.txt"] <= (2 if model in SEVERAL else 1)


@pytest.mark.parametrize("model", ["sequential", "threads", "asyncio"])
@pytest.mark.usefixtures("hurry")
def test_robots_when_it_stays_unreadable(host: Stage, tmp_path: Path, model: str) -> None:
    """No page is fetched, all end as failures that say why, and the host is asked for its rules a few times only."""
    host.answers["/robots.txt"] = LATER
    summary = run_all(host, tmp_path, model)
    assert summary.failed == {"blocked": COUNT}
    (group,) = summary.failures
    assert group.message == f"robots.txt of 127.0.0.1:{host.port} cannot be read (HTTP 503 Later)"
    assert set(host.asked) == {"/robots.txt"}
    assert host.asked["/robots.txt"] == robots.PATIENCE + 1


@pytest.mark.parametrize("model", ["threads", "asyncio"])
@pytest.mark.usefixtures("hurry")
def test_robots_when_it_disallows_what_failed_before(host: Stage, tmp_path: Path, model: str) -> None:
    """The page has failed no longer: nothing is left to try again."""
    host.answers["/robots.txt"] = LATER
    assert run_all(host, tmp_path, model).failed == {"blocked": COUNT}
    host.answers["/robots.txt"] = reply(b"User-agent: *\nDisallow: /7\n", kind="text/plain")
    summary = run_all(host, tmp_path, model)
    assert (summary.succeeded, summary.skipped) == (COUNT - 1, {"robots.txt disallows it": 1})
    summary = run_all(host, tmp_path, model, retry_failed=True)
    assert (summary.succeeded, summary.errors, summary.skips) == (0, 0, 0)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.usefixtures("hurry")
def test_robots_when_it_recovers(host: Stage, tmp_path: Path, model: str) -> None:
    """Pages wait for the next attempt, and all are there in the end."""
    failing = 2 if model in SEVERAL else robots.PATIENCE
    host.answers["/robots.txt"] = lambda turn: LATER if turn <= failing else reply(b"", kind="text/plain")
    summary = run_all(host, tmp_path, model)
    assert (summary.succeeded, summary.errors) == (COUNT, 0)
    assert host.asked["/robots.txt"] <= failing + (2 if model in SEVERAL else 1)


@pytest.mark.parametrize("model", ["threads", "asyncio"])
@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Raw(b"", "reset"), "connect"),
        (Raw(b"", "close"), "connect"),
        (Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nUser-agent: *", "close"), "blocked"),
        (reply(b"", status="429 Slow down"), "blocked"),
        (Raw(b"what?\r\n\r\n", "close"), "blocked"),
    ],
)
def test_robots_when_the_answer_is_none(host: Stage, tmp_path: Path, model: str, answer: Raw, kind: str) -> None:
    """No answer, half of one, or one that makes no sense lets no page through; trouble on the way keeps its name."""
    host.answers["/robots.txt"] = answer
    sources = [host.url(f"/{number}") for number in range(5)]  # fewer than would open the circuit breaker
    summary = toolkit.scrape(sources, tmp_path / "rows.jsonl", model=model, workers=4)
    assert summary.failed == {kind: 5}
    assert set(host.asked) == {"/robots.txt"}


@pytest.mark.parametrize("model", ["threads", "asyncio"])
def test_robots_when_it_is_silent(host: Stage, tmp_path: Path, model: str) -> None:
    """A page that may take a second loses one to a robots.txt that never comes; the other pages lose nothing more."""
    host.answers["/robots.txt"] = Raw(b"", "hang")
    summary = run_all(host, tmp_path, model, max_time=1.2, retries=0)
    assert summary.failed == {"overdue": COUNT}
    assert summary.seconds < 6
    assert host.asked["/robots.txt"] <= 3


@pytest.mark.parametrize("model", ["sequential", "asyncio", "processes"])
def test_crawl_delay_when_pages_fail(host: Stage, tmp_path: Path, model: str) -> None:
    """It is kept to from the first page on, whatever becomes of the pages: rows, errors, or nothing to be listed."""
    came: list[float] = []

    def answer(body: bytes, status: str = "200 OK") -> Callable[[int], Raw]:
        def noted(_: int) -> Raw:
            came.append(time.monotonic())
            return reply(body, status=status)

        return noted

    noindex = b"<!doctype html><meta name=robots content=noindex>"
    host.answers |= {f"/{number}": answer(b"none", "404 None") for number in range(3)}
    host.answers |= {
        "/3": answer(noindex),
        "/4": answer(noindex),
        "/5": answer(PAGES["/one"]),
        "/6": answer(PAGES["/one"]),
    }
    host.answers["/robots.txt"] = reply(b"User-agent: *\nCrawl-delay: 0.3\n", kind="text/plain")
    sources = [host.url(f"/{number}") for number in range(7)]
    summary = toolkit.scrape(sources, tmp_path / "rows.jsonl", field=["t=title"], model=model, workers=4)
    assert (summary.succeeded, summary.errors, summary.skips) == (2, 3, 2)
    gaps = [after - before for before, after in itertools.pairwise(sorted(came))]
    assert len(gaps) == 6
    assert min(gaps) > 0.2


def test_crawl_delay_when_it_is_absurd(host: Stage, tmp_path: Path) -> None:
    """A delay that is no number, or negative, is none."""
    host.answers["/robots.txt"] = reply(b"User-agent: *\nCrawl-delay: -5\nCrawl-delay: nan\n", kind="text/plain")
    summary = run_all(host, tmp_path, "asyncio")
    assert summary.succeeded == COUNT
    assert summary.seconds < 10
