"""A user name and password in a URL: they go with the visits of its origin, and into nothing that is passed on."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import toolkit
from tests.apps.scrape.fakes import Answer, FakeClient, moved, perform
from toolkit.apps.scrape.fetching import Fetching
from toolkit.apps.scrape.page import ScrapeJob
from toolkit.apps.scrape.result import Page
from toolkit.apps.scrape.rules import Follow, read_page, read_rules
from toolkit.apps.scrape.scope import Scope
from toolkit.apps.scrape.urls import lend_login, without_password
from toolkit.apps.scrape.visit import Visit
from toolkit.core.task import Success, Task

LOGIN = "Basic " + base64.b64encode(b"bob:s3cret").decode()
HEAD = "<!doctype html><title>{0}</title><link rel=canonical href=/{0}><meta property=og:url content=/{0}>"
BODY = HEAD + '<a href=a>a</a><a href="{1}/b">b</a><a href="{2}/other">o</a><a href=moved>m</a><img src=i.png>'
AUTO = "canonical,og,microdata,related,links,images"


@dataclass
class Site:
    """A running site that only bob may see. asked: host, path, and the login that came with it."""

    port: int = 0
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def at(self, host: str, login: str = "") -> str:
        """Return its address."""
        return f"http://{login}{host}:{self.port}"


@pytest.fixture
def site() -> Iterator[Site]:
    """Return a running site; /moved leads to its /c by an absolute URL."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer."""
            login, host = self.headers.get("Authorization", ""), self.headers["Host"].partition(":")[0]
            site.asked.append((host, self.path, login))
            own, kind = site.at("127.0.0.1"), "text/html"
            body = BODY.format(self.path[1:] or "start", own, site.at("localhost"))
            if self.path == "/map.xml":
                body, kind = f"<urlset><url><loc>{own}/a</loc></url></urlset>", "text/xml"
            self.send_response(
                404 if self.path == "/robots.txt" else 302 if self.path == "/moved" else 200 if login == LOGIN else 401
            )
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if self.path == "/moved":
                self.send_header("Location", f"{own}/c")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield site
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("model", ["sequential", "threads", "processes", "asyncio", "hybrid"])
def test_login_of_a_url_goes_to_its_origin_and_into_no_row(site: Site, tmp_path: Path, model: str) -> None:
    """Links of every form to its own origin are visited with it, each once; another host is not told, nor is a file."""
    summary = toolkit.scrape(
        site.at("127.0.0.1", "bob:s3cret@"),
        tmp_path / "rows.jsonl",
        follow=["a"],
        field=["l[]=a@href | url", "i=img@src", "t=title"],
        auto=AUTO,
        domain=["127.0.0.1", "localhost"],
        allow=[rf"^{site.at('127.0.0.1')}/", "localhost"],
        manifest=tmp_path / "done.jsonl",
        model=model,
        retries=0,
        workers=2,
    )
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert sorted(row["t"] for row in rows) == ["a", "b", "c", "start"]
    assert summary.failed == {"http": 1}  # the other host's
    visited = [asked for asked in site.asked if asked[1] != "/robots.txt"]
    assert {login for host, _, login in visited if host == "127.0.0.1"} == {LOGIN}
    assert {login for host, _, login in site.asked if host == "localhost"} == {""}
    assert len(visited) == len(set(visited)) == 6
    own = site.at("127.0.0.1")
    start = next(row for row in rows if row["t"] == "start")
    assert (start["l"][:2], start["i"], start["canonical"]) == (
        [f"{own}/a", f"{own}/b"],
        f"{own}/i.png",
        f"{own}/start",
    )
    for name in ("rows.jsonl", "done.jsonl"):
        assert "s3cret" not in (tmp_path / name).read_text()
        assert "bob" not in (tmp_path / name).read_text()


def test_login_of_a_sitemap_goes_to_its_pages(site: Site, tmp_path: Path) -> None:
    """What it lists of its own origin is behind the same door."""
    sitemap = [site.at("127.0.0.1", "bob:s3cret@") + "/map.xml"]
    summary = toolkit.scrape([], tmp_path / "rows.jsonl", sitemap=sitemap, field=["l=a@href"], retries=0)
    assert (summary.failed, "s3cret" in (tmp_path / "rows.jsonl").read_text()) == ({}, False)
    assert site.asked[-1] == ("127.0.0.1", "/a", LOGIN)


def test_login_outlasts_a_redirect_within_its_origin() -> None:
    """The Location has no login, yet the links of that page are visited with it, and its key is that of links to it."""
    rules = read_rules("lexbor", ["l=a@href"])
    rules = replace(rules, follow=(Follow("all"),))
    job = ScrapeJob(Fetching(rules, "x", obey_robots=False), follows=True)
    url, body = "http://u:p@h.org/", b"<!doctype html><a href=x>x</a><a href=//o.org/>o</a>"
    client = FakeClient({url: moved("http://h.org/to"), "http://h.org/to": Answer(body)})
    outcome = perform(client, job, Task(url, Visit(url)))
    assert isinstance(outcome, Success)
    assert isinstance(page := outcome.value, Page)
    assert [visit.url for _, visit in page.found] == ["http://u:p@h.org/x", "http://o.org/"]
    assert page.final_url == "http://u:p@h.org/to"
    assert (page.row()["final_url"], page.row()["l"]) == ("http://h.org/to", "http://h.org/x")


def test_page_is_told_by_its_url_without_login() -> None:
    """Patterns of rules and of scopes see what rows have."""
    rules = read_rules("lexbor", ["l[]=a@href"])
    reading = read_page(b"<base href=/b/><a href=x>", None, "http://u:p@h.org/y", rules)
    assert reading.rows[0]["l"] == ["http://h.org/b/x"]
    job = ScrapeJob(Fetching(rules, "x"), scope=Scope(allow=("^http://h.org/",)), follows=True)
    assert job._refusal(Visit("http://u:p@h.org/"), "http://u:p@h.org/x") == ""


@pytest.mark.parametrize(
    ("url", "owner", "expected"),
    [
        ("http://h/x", "http://u:p@h/", "http://u:p@h/x"),
        ("http://h:80/x", "http://u@h/", "http://u@h:80/x"),
        ("http://h/x@y", "http://u:p@h/", "http://u:p@h/x@y"),
        ("http://e:v@h/x", "http://u:p@h/", "http://e:v@h/x"),
        ("https://h/x", "http://u:p@h/", "https://h/x"),
        ("http://h:81/x", "http://u:p@h/", "http://h:81/x"),
        ("http://h.evil/x", "http://u:p@h/", "http://h.evil/x"),
        ("http://h/x", "http://h/a@b", "http://h/x"),
        ("http://[x/", "http://u:p@h/", "http://[x/"),
        ("http://h:x/", "http://u:p@h/", "http://h:x/"),
        ("http://h/x", "http://u:p@[x/", "http://h/x"),
    ],
)
def test_login_is_lent_within_an_origin_only(url: str, owner: str, expected: str) -> None:
    """Scheme, host and port must be the same; a login of its own stays."""
    assert lend_login(url, owner) == expected
    assert "u:p" not in without_password(expected)
