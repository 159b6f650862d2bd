"""The scraper against a real server, with a real client, under the models of this house."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

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
