"""Crawls of a real site: every page once, whatever leads to it, and after a kill just what was missing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import toolkit
from tests.apps.scrape.site import LEAVES, Served, page, serving
from toolkit.core.task import Failure, Skip, Success, Task


@pytest.fixture
def site() -> Iterator[Served]:
    """Return a running site."""
    with serving() as served:
        yield served


def crawl(site: Served, out: Path, start: str = "/", **options: Any) -> toolkit.Summary:
    return toolkit.scrape(site.address + start, out, follow=["a"], field=["t=title"], per_host=8, **options)


def titles(out: Path) -> list[str]:
    return sorted(json.loads(line)["t"] for line in out.read_text().splitlines())


WHOLE = sorted(
    ["start", "a", "A", "a?x", "b", "deep 1", "deep 2", "deep 3", "target", *(f"leaf {n}" for n in range(LEAVES))]
)


@pytest.mark.parametrize("model", ["sequential", "threads", "processes", "asyncio", "hybrid"])
def test_crawl_under_every_model(site: Served, tmp_path: Path, model: str) -> None:
    """Each page is fetched once and has one row; links out of the site, to files and to what robots forbid are not."""
    summary = crawl(site, tmp_path / "rows.jsonl", model=model, workers=4)
    assert titles(tmp_path / "rows.jsonl") == WHOLE
    assert (summary.succeeded, summary.errors) == (len(WHOLE), 0)
    assert {path: count for path, count in site.asked.items() if count > 1 and path != "/robots.txt"} == {}
    assert "/secret" not in site.asked
    reasons = dict(summary.skipped)
    assert reasons["robots.txt disallows it"] == 1
    assert reasons["not HTML: the server calls it application/zip"] == 1
    assert reasons["redirected: out of scope"] == 1


def test_crawl_when_run_again(site: Served, tmp_path: Path) -> None:
    """What is done is not fetched again, and the rows are the same."""
    crawl(site, tmp_path / "rows.jsonl")
    rows = (tmp_path / "rows.jsonl").read_bytes()
    site.asked.clear()
    summary = crawl(site, tmp_path / "rows.jsonl")
    assert summary.succeeded == 0
    assert set(site.asked) <= {"/robots.txt", "/file.zip", "/loop"}
    assert (tmp_path / "rows.jsonl").read_bytes() == rows


def test_crawl_when_pages_are_one_by_redirect(site: Served, tmp_path: Path) -> None:
    """A page that two URLs lead to has one row; the other is a duplicate, also when the rules change."""
    site.pages["/"] = page("start", "/moved", "/other")
    for fields in (["t=title"], ["t=title", "h=h1"]):
        summary = toolkit.scrape(site.address, tmp_path / "rows.jsonl", follow=["a"], field=fields)
        assert titles(tmp_path / "rows.jsonl") == ["start", "target"]
        assert dict(summary.skipped) == {"duplicate: redirected to a page that is known": 1}


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"max_depth": 0}, ["start"]),
        ({"max_depth": 1, "deny": [r"\?", "/b$"]}, ["A", "a", "start", "target"]),
        ({"allow": ["/deep/", "/a$"]}, ["a", "deep 1", "deep 2", "deep 3", "start"]),
        ({"limit": 1}, ["start"]),
    ],
)
def test_crawl_within_limits(site: Served, tmp_path: Path, options: dict[str, Any], found: list[str]) -> None:
    """Depth, patterns and a number of pages end it."""
    crawl(site, tmp_path / "rows.jsonl", **options)
    assert titles(tmp_path / "rows.jsonl") == found


def test_crawl_with_pages_per_host(site: Served, tmp_path: Path) -> None:
    """So many pages of a host are found by links, and no more."""
    crawl(site, tmp_path / "rows.jsonl", max_per_host=5)
    assert len(titles(tmp_path / "rows.jsonl")) <= 6


def test_robots_tags_are_heeded(site: Served, tmp_path: Path) -> None:
    """A page that asks not to be listed has no row, its links are followed; nofollow the other way round."""
    summary = crawl(site, tmp_path / "a.jsonl", "/hidden", deny=["leaf", "deep", "/$"])
    assert summary.warnings["noindex: the page asks not to be listed; its links are followed"] == 1
    assert titles(tmp_path / "a.jsonl") == ["b"]
    crawl(site, tmp_path / "b.jsonl", "/shut")
    assert titles(tmp_path / "b.jsonl") == ["shut"]
    crawl(site, tmp_path / "c.jsonl", "/shut", ignore_robots=True)
    assert "deep 3" in titles(tmp_path / "c.jsonl")


def test_detail_page_completes_its_listing_row(site: Served, tmp_path: Path) -> None:
    """By rules in one file: a listing over two pages, each record with its detail page, one row each."""
    record = "<div class=item><b>{0}</b><a class=more href=/item/{0}>more</a></div>"
    site.pages["/list"] = (
        "<!doctype html>" + record.format(1) + record.format(2) + "<a class=next href=/list2>n</a>"
    ).encode()
    site.pages["/list2"] = ("<!doctype html>" + record.format(3)).encode()
    for number in (1, 2, 3):
        site.pages[f"/item/{number}"] = f"<!doctype html><h1>Item {number}</h1><p class=price>{number},50 €".encode()
    (tmp_path / "rules.toml").write_text("""
[[page]]
name = "listing"
match = "/list"
rows = ".item"
[page.fields]
number = "b | int"
[[page.follow]]
css = "a.more"
join = true
page = "item"
[[page.follow]]
css = "a.next"
pagination = true

[[page]]
name = "item"
match = "/item/"
[page.fields]
name = "h1"
price = ".price | price"
""")
    out = tmp_path / "rows.jsonl"
    summary = toolkit.scrape(site.address + "/list", out, rules=tmp_path / "rules.toml", max_depth=1)
    rows = sorted((json.loads(line) for line in out.read_text().splitlines()), key=lambda row: row["number"])
    assert [(row["number"], row["name"]) for row in rows] == [(n, f"Item {n}") for n in (1, 2, 3)]
    assert rows[0]["url"] == f"{site.address}/item/1"
    assert summary.errors == 0


def test_stream_of_a_crawl(site: Served, tmp_path: Path) -> None:
    """Outcomes come as pages land; every one that is known ends once."""
    outcomes = list(toolkit.scrape.stream(site.address, tmp_path / "rows.jsonl", follow=["a"], field=["t=title"]))
    keys = [outcome.task.key for outcome in outcomes if isinstance(outcome, Success | Skip | Failure)]
    assert len(keys) == len(set(keys))
    assert sum(isinstance(outcome, Success) for outcome in outcomes) == len(WHOLE)


@pytest.mark.parametrize("model", ["asyncio", "threads"])
def test_crawl_when_killed(site: Served, tmp_path: Path, model: str) -> None:
    """Killed by -9 at several moments; in the end the rows are those of an undisturbed run, none lost, none twice."""
    out = tmp_path / "rows.jsonl"
    command = [
        *(sys.executable, "-m", "toolkit", "scrape", site.address, "-o", str(out), "--follow", "a"),
        *("--field", "t=title", "--model", model, "--delay", "0.02", "--workers", "2", "--quiet"),
    ]
    for pages in (3, 12, 25):
        process = subprocess.Popen(command, env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"})
        while sum(site.asked.values()) < pages and process.poll() is None:
            threading.Event().wait(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert subprocess.run(command, check=False).returncode == 0
    assert titles(out) == WHOLE


def test_dry_run_of_a_crawl_with_a_limit(site: Served, tmp_path: Path) -> None:
    """A look ahead sees the start pages, as many as the limit lets, and ends."""
    starts = [f"{site.address}/{name}" for name in ("a", "b", "A")]
    planned = list(toolkit.scrape.plan(starts, tmp_path / "rows.jsonl", follow=["a"], field=["t=title"], limit=2))
    assert [task.key for task in planned if isinstance(task, Task)] == starts[:2]
    assert not site.asked
