"""Every URL that is known ends once: as rows, a failure of a kind, a skip with its reason, or another's duplicate."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import toolkit
from tests.apps.scrape.stage import Raw, Stage, moved, reply
from toolkit.apps.scrape.keys import key_of

MODELS = ["sequential", "threads", "processes", "asyncio", "hybrid"]
GOOD = b"<!doctype html><title>good</title><p class=n>7"
NOINDEX = "skipped noindex: the page asks not to be listed"
NO_HTML = "skipped not HTML: the server calls it text/plain, and it does not begin as HTML does"
TORN = Raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5000\r\n\r\n<title>half", "close")

SITE: dict[str, tuple[Any, str]] = {  # what stands there, and what becomes of it: done, failed or skipped, and why
    "/good": (GOOD, "done"),
    "/Good": (GOOD, "done"),
    "/good?x": (GOOD, "done"),
    "/good?": (GOOD, "done"),
    "/empty": (reply(b""), "done"),
    "/nothing": (reply(b"", status="204 No Content"), "done"),
    "/old": (moved("/new"), "done"),
    "/alias": (moved("/good"), "skipped duplicate: redirected to a page that is known"),
    "/self": (moved("/self"), "failed redirect"),
    "/round/1": (moved("/round/2"), "failed redirect"),
    "/round/2": (moved("/round/1"), "failed redirect"),
    "/nowhere": (moved("http://[/"), "failed redirect"),
    "/ftp": (moved("ftp://127.0.0.1/x"), "failed blocked"),
    "/away": (moved("http://elsewhere.invalid/"), "skipped redirected: out of scope"),
    "/to-denied": (moved("/denied"), "skipped redirected: denied by a rule"),
    "/to-secret": (moved("/secret"), "skipped robots.txt disallows it"),
    "/secret": (GOOD, "skipped robots.txt disallows it"),
    "/hidden": (b"<!doctype html><meta name=robots content=noindex><title>x", NOINDEX),
    "/hidden-too": (reply(GOOD, "X-Robots-Tag: noindex"), NOINDEX),
    "/none": (reply(b"", status="404 Not Found"), "failed http"),
    "/gone": (reply(b"", status="410 Gone"), "failed http"),
    "/broken": (reply(b"", status="500 Broken"), "failed http"),
    "/shy": (lambda turn: GOOD if turn > 1 else reply(b"", status="502 Bad"), "done"),
    "/busy": (reply(b"", "Retry-After: 0", status="429 Busy"), "failed throttled"),
    "/picture": (reply(b"\x89PNG", kind="image/png"), "skipped not HTML: the server calls it image/png"),
    "/words": (reply(b"words", kind="text/plain"), NO_HTML),
    "/large": (reply(b"<title>" + b"x" * 30_000), "failed too_large"),
    "/bomb": (reply(gzip.compress(b"x" * 10**6), "Content-Encoding: gzip"), "failed too_large"),
    "/torn": (TORN, "failed truncated"),
    "/coded": (reply(b"no gzip", "Content-Encoding: gzip"), "failed coding"),
    "/cut": (reply(gzip.compress(GOOD)[:-9], "Content-Encoding: gzip"), "failed truncated"),
    "/reset": (Raw(b"", "reset"), "failed connect"),
    "/silent": (Raw(b"", "hang"), "failed timeout"),
    "/what": (Raw(b"what?\r\n\r\n", "close"), "failed protocol"),
    "/bad-row": (b"<!doctype html><title>bad</title><p class=n>seven", "failed row"),
}  # fmt: skip
REFUSED = {
    "nofollow": '<a rel=nofollow href="/vouched">x</a>',
    "out of scope": '<a href="http://elsewhere.invalid/x">x</a><a href="http://127.0.0.2/">x</a>',
    "denied by a rule": '<a href="/denied">x</a>',
    "the URL is too long": f'<a href="/{"x" * 2100}">x</a>',
    "the path repeats itself": '<a href="/a/a/a/a/a">x</a>',
}
LINES = ["not a url", "ftp://127.0.0.1/file", "http://[half/"]


@pytest.fixture
def site() -> Iterator[Stage]:
    """Return a running site on which all goes wrong that can."""
    links = "".join(f'<a href="{path}">x</a>' for path in SITE)
    with Stage({path: answer for path, (answer, _) in SITE.items()}) as stage:
        stage.answers |= {
            "/": f"<!doctype html><title>start</title>{links}{links}{''.join(REFUSED.values())}".encode(),
            "/robots.txt": reply(b"User-agent: *\nDisallow: /secret", kind="text/plain"),
            "/new": GOOD,
        }
        yield stage


def stored(out: Path) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
    """Return what became of each task by its key, and the frontier."""
    with closing(sqlite3.connect(out.parent / f".{out.name}.toolkit.sqlite")) as store:
        tasks = {
            key: f"{state} {kind or ''}".strip()
            for key, state, kind in store.execute("SELECT key, state, kind FROM tasks")
        }
        frontier = {key: json.loads(facts) for key, facts in store.execute("SELECT key, payload FROM frontier")}
    return tasks, frontier


def scrape(
    site: Stage, lines: list[str], tmp_path: Path, **options: Any
) -> tuple[toolkit.Summary, list[dict[str, Any]]]:
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    fixed: dict[str, Any] = {"field": ["t=title", "n=.n | int"], "max_body": 20_000, "timeout": 0.5, "retries": 1}
    fixed |= {"workers": 6, "per_host": 6, "manifest": tmp_path / "manifest.jsonl"}
    summary = toolkit.scrape(str(tmp_path / "urls.txt"), tmp_path / "rows.jsonl", **fixed | options)
    return summary, [json.loads(line) for line in (tmp_path / "manifest.jsonl").read_text().splitlines()]


def told(row: dict[str, Any]) -> str:
    return f"{row['outcome']} {row['reason'] or ''}".strip()


def check(summary: toolkit.Summary, manifest: list[dict[str, Any]]) -> None:
    """Compare the report with the manifest."""
    assert summary.left == 0
    assert len(manifest) == summary.succeeded + summary.errors + summary.skips
    counts = Counter(told(row) for row in manifest)
    assert counts["done"] == summary.succeeded
    assert {
        kind.removeprefix("failed "): n for kind, n in counts.items() if kind.startswith("failed")
    } == summary.failed
    assert {
        why.removeprefix("skipped "): n for why, n in counts.items() if why.startswith("skipped")
    } == summary.skipped


@pytest.mark.parametrize("model", MODELS)
def test_crawl(site: Stage, tmp_path: Path, model: str) -> None:
    """Lines and links: each is accounted for, in the report, the manifest, the store and the rows alike."""
    start = site.url("/")
    summary, manifest = scrape(site, [start, start, *LINES], tmp_path, model=model, follow=["a"], deny=["/denied"])
    check(summary, manifest)
    became = {row["url"].removeprefix(start): told(row) for row in manifest if row["url"].startswith(start)}
    expected = {path.removeprefix("/"): outcome for path, (_, outcome) in SITE.items()} | {"": "done"}
    lines = [told(row) for row in manifest if row["url"] in LINES or row["url"].startswith("urls.txt")]
    assert Counter(lines) == {"failed input": 2, "failed blocked": 1}
    assert told(manifest[0]) in {"done", "skipped duplicate", "failed input", "failed blocked"}
    assert {path: told_ for path, told_ in became.items() if expected.get(path) != told_} == {}
    assert became.keys() == expected.keys()

    tasks, frontier = stored(tmp_path / "rows.jsonl")
    aliases = {key: facts["alias"] for key, facts in frontier.items() if "alias" in facts}
    known = {
        key_of(row["url"]): told(row)
        for row in manifest
        if row["url"].startswith(start) and told(row) != "skipped duplicate"
    }
    assert known.keys() == frontier.keys() - aliases.keys()
    assert len(manifest) == len(frontier) - len(aliases) + len(LINES) + 1
    assert aliases == {key_of(site.url("/new")): key_of(site.url("/old"))}
    stored_too = {key: outcome for key, outcome in known.items() if not outcome.startswith("skipped")}
    assert {key: outcome for key, outcome in tasks.items() if key in frontier} == stored_too
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert Counter(row["url"] for row in rows) == {row["url"]: 1 for row in manifest if row["outcome"] == "done"}

    refused = {why: text.count("<a ") for why, text in REFUSED.items()}
    notes = {f"{count} links were not followed: {why}" for why, count in refused.items()}
    assert notes <= set(summary.warnings)
    assert not any(path in site.asked for path in ("/vouched", "/denied", "/secret", "/a/a/a/a/a"))


@pytest.mark.parametrize("model", ["threads", "asyncio", "hybrid"])
def test_list(site: Stage, tmp_path: Path, model: str) -> None:
    """Without links each line of a list is one task, and two that lead to one page are two rows."""
    lines = [*(site.url(path) for path in SITE), site.url("/good"), *LINES]
    summary, manifest = scrape(site, lines, tmp_path, model=model)
    check(summary, manifest)
    assert len(manifest) == len(lines)
    assert sorted(row["index"] for row in manifest) == list(range(len(lines)))
    became = {row["index"]: told(row) for row in manifest}
    listed = {"/away": "failed dns", "/to-denied": "failed http", "/alias": "done"}
    unlike = {"/picture": "failed unsupported", "/words": "failed unsupported"}
    expected = [(listed | unlike).get(path, outcome) for path, (_, outcome) in SITE.items()]
    expected += ["skipped duplicate", "failed input", "failed blocked", "failed input"]
    assert [became[index] for index in range(len(lines))] == expected
    tasks, frontier = stored(tmp_path / "rows.jsonl")
    assert frontier == {}
    assert Counter(tasks.values()) == Counter(outcome for outcome in expected if not outcome.startswith("skipped"))


@pytest.mark.parametrize("model", ["threads", "asyncio"])
def test_crawl_when_run_again(site: Stage, tmp_path: Path, model: str) -> None:
    """What is done is not drawn again; the rest is accounted for anew, and together they are the frontier."""
    options: dict[str, Any] = {"model": model, "follow": ["a"], "deny": ["/denied"]}
    scrape(site, [site.url("/")], tmp_path, **options)
    done = {key for key, outcome in stored(tmp_path / "rows.jsonl")[0].items() if outcome == "done"}
    summary, manifest = scrape(site, [site.url("/")], tmp_path, **options)
    check(summary, manifest)
    frontier = {key for key, facts in stored(tmp_path / "rows.jsonl")[1].items() if "alias" not in facts}
    assert {key_of(row["url"]) for row in manifest} == frontier - done
    assert summary.succeeded == 0


def test_crawl_with_limit(site: Stage, tmp_path: Path) -> None:
    """What a limit leaves out is in the frontier, and the next run goes on with it; in the end nothing is missing."""
    ended: set[str] = set()
    for _ in range(20):
        summary, manifest = scrape(site, [site.url("/")], tmp_path, model="asyncio", follow=["a"], limit=10)
        check(summary, manifest)
        assert sum(row["outcome"] != "skipped" for row in manifest) <= 10
        ended |= {key_of(row["url"]) for row in manifest if row["outcome"] == "done"}
        if not summary.succeeded:
            break
    good = {key_of(site.url(path)) for path, (_, outcome) in SITE.items() if outcome == "done"}
    assert ended == good | {key_of(site.url("/"))}


def test_sitemap_and_feed(site: Stage, tmp_path: Path) -> None:
    """Lists of pages are tasks like pages, those that cannot be read, too; what they name is accounted for."""
    space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    entries = "".join(f"<url><loc>{site.url(path)}</loc></url>" for path in ("/good", "/none", "/secret", "/torn"))
    nested = "".join(f"<sitemap><loc>{site.url(path)}</loc></sitemap>" for path in ("/s.xml", "/none.xml", "/torn"))
    items = "".join(f"<item><link>{link}</link></item>" for link in (site.url("/good"), "http://elsewhere.invalid/"))
    texts = {
        "/s.xml": f"<urlset {space}>{entries}</urlset>",
        "/i.xml": f"<sitemapindex {space}>{nested}</sitemapindex>",
        "/f.xml": f'<rss version="2.0"><channel>{items}</channel></rss>',
    }
    site.answers |= {path: reply(text.encode(), kind="application/xml") for path, text in texts.items()}
    options = {"sitemap": [site.url("/i.xml"), site.url("/secret")], "feed": [site.url("/f.xml")]}
    summary, manifest = scrape(site, [], tmp_path, model="asyncio", **options)
    check(summary, manifest)
    became = Counter((row["url"].removeprefix(site.url("")), told(row)) for row in manifest)
    assert became == {
        ("/i.xml", "done"): 1,
        ("/s.xml", "done"): 1,
        ("/f.xml", "done"): 1,
        ("/good", "done"): 1,
        ("/none", "failed http"): 1,
        ("/none.xml", "failed http"): 1,
        ("/secret", "skipped robots.txt disallows it"): 2,
        ("/torn", "failed truncated"): 2,
    }
    assert "1 links were not followed: out of scope" in summary.warnings
