"""How pages are fetched, through whole runs: with cookies, logged in, from what is kept, and with their scripts run."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import toolkit
from tests.apps.scrape.members import USER, Club, club
from tests.apps.scrape.rendering.pages import needs_chromium
from toolkit.core.errors import UsageError

MODELS = ["sequential", "threads", "processes", "asyncio", "hybrid"]
PAGE = "<!doctype html><title>{}</title>"


@dataclass
class Shop:
    """A running site. asked: each request's path and fields, in order; cookies: what each path sets."""

    address: str = ""
    pages: dict[str, str] = field(default_factory=dict)
    fields: dict[str, tuple[str, str]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def paths(self) -> Counter[str]:
        """Return how often each page was asked for since the last look."""
        paths = Counter(path for path, _ in self.asked if path != "/robots.txt")
        self.asked.clear()
        return paths


@contextmanager
def shop() -> Iterator[Shop]:
    """Run it."""
    site = Shop()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Answer; with 304 if the page is what it was."""
            site.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            body = site.pages.get(self.path)
            tag = f'"{hash(body)}"'
            status = 404 if body is None else 304 if self.headers["If-None-Match"] == tag else 200
            data = body.encode() if body is not None and status == 200 else b""
            self.send_response(status)
            if body is not None:
                self.send_header("ETag", tag)
                self.send_header("Content-Type", "text/html; charset=utf-8")
            for name, value in [site.fields[self.path]] if self.path in site.fields else []:
                self.send_header(name, value)
            if status != 304:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def site() -> Iterator[Shop]:
    """Return a running site."""
    with shop() as running:
        yield running


@pytest.fixture
def members() -> Iterator[Club]:
    """Return a running site for members."""
    with club() as running:
        yield running


def rows_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_text().splitlines()]


def test_cookies_in_a_crawl_and_in_a_list(site: Shop, tmp_path: Path) -> None:
    """A crawl sends back what its host has set; pages of a list know nothing of each other."""
    site.pages = {"/": PAGE.format("start") + '<a href="/next">n</a>', "/next": PAGE.format("next")}
    site.fields = {"/": ("Set-Cookie", "basket=7")}
    common: dict[str, Any] = {"field": ["t=title"], "model": "sequential"}
    toolkit.scrape(site.address, tmp_path / "crawl.jsonl", follow=["a"], **common)
    assert [fields.get("cookie") for path, fields in site.asked if path == "/next"] == ["basket=7"]
    site.asked.clear()
    toolkit.scrape([f"{site.address}/", f"{site.address}/next"], tmp_path / "list.jsonl", **common)
    assert [fields.get("cookie") for path, fields in site.asked if path == "/next"] == [None]


@pytest.mark.parametrize("model", MODELS)
def test_login_by_rule(members: Club, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str) -> None:
    """Pages for members come once the form was sent; the password stands in none of our files."""
    monkeypatch.setenv("CLUB_WORD", USER[1])
    rules = tmp_path / "rules.toml"
    rules.write_text(f"""
[fields]
t = "title"
[login]
url = "{members.login}"
success = "a.out"
[login.fields]
user = "{USER[0]}"
word = "env:CLUB_WORD"
""")
    out = tmp_path / "rows.jsonl"
    urls = [f"{members.address}/inside/{number}" for number in range(4)]
    summary = toolkit.scrape(urls, out, rules=rules, model=model, workers=2, manifest=tmp_path / "m.jsonl")
    assert (summary.succeeded, summary.errors) == (4, 0)
    assert len(rows_of(out)) == 4
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.name != "rules.toml")
    assert USER[1].encode() not in written


def test_login_when_it_is_refused(members: Club, tmp_path: Path) -> None:
    """The run stops with one clear line: no page is asked for as nobody."""
    rules = tmp_path / "rules.toml"
    rules.write_text(f"""
[fields]
t = "title"
[login]
url = "{members.login}"
success = "a.out"
[login.fields]
user = "{USER[0]}"
word = "wrong, I am afraid"
""")
    urls = [f"{members.address}/inside/{number}" for number in range(40)]
    summary = toolkit.scrape(urls, tmp_path / "rows.jsonl", rules=rules, retries=0)
    assert summary.succeeded == 0
    assert "failed: 'a.out' is not on the page that came back" in summary.reason
    assert "afraid" not in repr(summary)
    assert summary.exit_code == 3


@pytest.mark.parametrize("model", MODELS)
def test_cache(site: Shop, tmp_path: Path, model: str) -> None:
    """What is fresh is not asked for, what may be stale is confirmed; with other rules, too."""
    site.pages = {f"/{name}": PAGE.format(name) for name in ("fresh", "stale")}
    site.fields = {"/fresh": ("Cache-Control", "max-age=1000")}
    urls = [f"{site.address}{path}" for path in site.pages]
    options: dict[str, Any] = {"model": model, "workers": 2, "cache": tmp_path / "pages", "ignore_robots": True}
    for name in ("t", "u"):
        toolkit.scrape(urls, tmp_path / "rows.jsonl", field=[f"{name}=title"], **options)
        assert [row[name] for row in rows_of(tmp_path / "rows.jsonl")] == ["fresh", "stale"]
    assert site.paths() == {"/fresh": 1, "/stale": 2}
    toolkit.scrape(urls, tmp_path / "rows.jsonl", field=["v=title"], max_age=1000.0, **options)
    assert site.paths() == {}
    assert {path.name for path in tmp_path.iterdir() if "wal" in path.name or "shm" in path.name} == set()


def test_incremental_asks_whether_pages_are_the_same(site: Shop, tmp_path: Path) -> None:
    """Pages that the server confirms are not sent again, and their links are followed all the same."""
    site.pages = {"/": PAGE.format("start") + '<a href="/a">a</a>', "/a": PAGE.format("a")}
    site.fields = {"/": ("Cache-Control", "max-age=1000")}  # asked all the same: who looks for changes wants to know
    out = tmp_path / "rows.jsonl"
    for change in ("new", "unchanged"):
        summary = toolkit.scrape(site.address, out, field=["t=title"], follow=["a"], incremental=True)
        assert [(row["t"], row["change"]) for row in rows_of(out)] == [("start", change), ("a", change)]
    assert summary.received == 0
    assert summary.remarks == ("rows: 2 unchanged", "pages that were kept: 2 confirmed by their server")
    asked = [fields.get("if-none-match") is not None for path, fields in site.asked if path != "/robots.txt"]
    assert asked == [False, False, True, True]


def test_cache_when_it_cannot_be(site: Shop, tmp_path: Path) -> None:
    """A file that is none, a folder that is not there, an age without a cache: said before anything is fetched."""
    (tmp_path / "mine").write_text("my diary")
    for options in ({"cache": tmp_path / "mine"}, {"cache": tmp_path / "no" / "pages"}, {"max_age": 5.0}):
        with pytest.raises(UsageError, match=r"page cache|--cache|--max-age"):
            toolkit.scrape(site.address, tmp_path / "rows.jsonl", **options)
    assert not site.asked
    assert (tmp_path / "mine").read_text() == "my diary"


def test_render_when_rules_and_option_differ(site: Shop, tmp_path: Path) -> None:
    """A browser is started for nobody who has not asked for one, and for nothing."""
    rules = tmp_path / "rules.toml"
    rules.write_text('[[page]]\nname = "shop"\nrender = true\n[page.fields]\nt = "title"\n')
    with pytest.raises(UsageError, match=r"page type .shop. is to be rendered.*give --render"):
        toolkit.scrape(site.address, tmp_path / "rows.jsonl", rules=rules)
    rules.write_text('[[page]]\nname = "shop"\n[page.fields]\nt = "title"\n')
    with pytest.raises(UsageError, match="no page type of the rules asks for it"):
        toolkit.scrape(site.address, tmp_path / "rows.jsonl", rules=rules, render=True)
    assert not site.asked


@needs_chromium
@pytest.mark.timeout(110)
def test_render(site: Shop, tmp_path: Path) -> None:
    """Pages whose type asks for it are read as their scripts leave them, their links too; others as they come."""
    script = "<script>document.title += '!'; document.body.innerHTML += '<a href=/b>b</a>'</script>"
    site.pages = {f"/{name}": f"<!doctype html><title>{name}</title><body>{script}" for name in "ab"}
    rules = tmp_path / "rules.toml"
    rules.write_text("""
[[page]]
name = "first"
glob = "/a"
render = true
wait = "a[href='/b']"
[page.fields]
t = "title"
[[page.follow]]
css = "a"
[[page]]
name = "second"
[page.fields]
t = "title"
""")
    out = tmp_path / "rows.jsonl"
    summary = toolkit.scrape(f"{site.address}/a", out, rules=rules, render=True)
    assert (summary.errors, sorted(row["t"] for row in rows_of(out))) == (0, ["a!", "b"])
    assert site.paths() == {"/a": 1, "/b": 1}


LISTING = """
[[page]]
name = "listing"
glob = "/list"
rows = "li"
[page.fields]
n = "b | int"
[[page.follow]]
css = "a"
join = true
page = "item"
[[page]]
name = "item"
[page.fields]
name = "h1"
"""


def test_rows_that_share_a_detail_page(site: Shop, tmp_path: Path) -> None:
    """Each row of a listing ends as a row: two with one detail page, one whose link is not followed, one without."""
    links = ("/item", "/item", "http://elsewhere.invalid/", None)
    items = "".join(
        f"<li><b>{n}</b>" + (f'<a href="{link}">more</a>' if link else "") + "</li>" for n, link in enumerate(links)
    )
    site.pages = {"/list": f"<!doctype html><ul>{items}</ul>", "/item": "<!doctype html><h1>One</h1>"}
    rules = tmp_path / "rules.toml"
    rules.write_text(LISTING)
    out = tmp_path / "rows.jsonl"
    summary = toolkit.scrape(f"{site.address}/list", out, rules=rules)
    found = sorted(((row["n"], row["name"]) for row in rows_of(out)), key=lambda pair: pair[0])
    assert found == [(0, "One"), (1, "One"), (2, None), (3, None)]
    assert "1 links were not followed: out of scope" in summary.warnings
    few = tmp_path / "few.jsonl"
    toolkit.scrape(f"{site.address}/list", few, rules=rules, max_per_host=1)
    assert sorted((row["n"], row["name"]) for row in rows_of(few))[2:] == [(2, None), (3, None)]
    assert Counter(row["name"] for row in rows_of(few)) == {"One": 1, None: 3}
    again = toolkit.scrape(f"{site.address}/list", out, rules=rules)
    assert again.succeeded == 0
    assert len(rows_of(out)) == 4
