"""One page in, one row, skip or failure out."""

from __future__ import annotations

import asyncio
import gzip
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import toolkit
from tests.apps.scrape.fakes import HTML, Answer, FakeClient, LoopRuntime, moved, perform
from toolkit.apps.scrape.fetching import Fetching
from toolkit.apps.scrape.page import ScrapeJob
from toolkit.apps.scrape.responses import looks_like_html
from toolkit.apps.scrape.result import Page
from toolkit.apps.scrape.rules import Follow, load_rules, read_rules
from toolkit.apps.scrape.visit import Visit
from toolkit.core.errors import FailureKind
from toolkit.core.task import Failure, Outcome, Skip, Success, Task

URL = "http://h.org/page"
PAGE = b"<!doctype html><title>T</title><a href=x>l</a>"
RULES = read_rules("lexbor", ["t=title", "l=a@href"])
NOTHING = {"t": None, "l": None}


@pytest.fixture
def run(request: pytest.FixtureRequest) -> str:
    """Return a name that no other test's cache has."""
    return str(request.node.name)


def scrape(answers: dict[str, Answer], run: str, url: str = URL, **options: Any) -> Outcome:
    ours = {name: options.pop(name) for name in ("obey_robots", "max_body") if name in options}
    job = pickle.loads(pickle.dumps(ScrapeJob(Fetching(RULES, "toolkit/1 (+x)", run=run, **ours), **options)))
    return perform(FakeClient(answers), job, Task(url, Visit(url)))


def page_of(outcome: Outcome) -> Page:
    assert isinstance(outcome, Success), outcome
    assert isinstance(outcome.value, Page)
    return outcome.value


def test_job_when_all_is_well(run: str) -> None:
    """The row has what the page has, and the same whenever the page is the same."""
    page = page_of(scrape({URL: Answer(PAGE)}, run))
    assert page.row() == {"url": URL, "final_url": URL, "status": 200, "t": "T", "l": "http://h.org/x"}
    assert (page.bytes, page.crawl_delay) == (len(PAGE), None)


def test_job_when_links_are_no_urls(run: str) -> None:
    """What looks like a URL and is none is not followed; the page has its row and its other links."""
    hrefs = ("http://[x/y", "http://h.org:x/", "http://h.org:99999/", "http://[::1", "x")
    body = b"<!doctype html><title>T</title>" + "".join(f"<a href='{href}'>l</a>" for href in hrefs).encode()
    rules = replace(RULES, follow=(Follow("all"),))
    job = ScrapeJob(Fetching(rules, "toolkit/1 (+x)", run=run), follows=True)
    page = page_of(perform(FakeClient({URL: Answer(body)}), job, Task(URL, Visit(URL))))
    assert page.fields["t"] == "T"
    assert [key for key, _ in page.found] == ["http://h.org/x"]
    assert page.refused == (("not a URL", 4),)


def test_job_when_compressed(run: str) -> None:
    """Wire bytes are counted as they came."""
    wire = gzip.compress(PAGE)
    page = page_of(scrape({URL: Answer(wire, headers=HTML | {"Content-Encoding": "gzip"})}, run))
    assert (page.fields["t"], page.bytes) == ("T", len(wire))


def test_job_when_it_asks(run: str) -> None:
    """It says who it is, to robots.txt too, and what it can decode."""
    client = FakeClient({URL: Answer(PAGE)})
    perform(client, ScrapeJob(Fetching(RULES, "toolkit/1 (+x)", run=run)), Task(URL, Visit(URL)))
    assert client.urls == ["http://h.org/robots.txt", URL]
    for request in client.asked:
        headers = dict(request.headers)
        assert (headers["User-Agent"], headers["Accept-Encoding"]) == ("toolkit/1 (+x)", "gzip, deflate")


def test_job_when_redirected(run: str) -> None:
    """The row has both URLs, and links are relative to the last."""
    answers = {URL: moved("/d/one"), "http://h.org/d/one": moved("//o.org/e/"), "http://o.org/e/": Answer(PAGE)}
    row = page_of(scrape(answers, run)).row()
    assert (row["url"], row["final_url"], row["l"]) == (URL, "http://o.org/e/", "http://o.org/e/x")


@pytest.mark.parametrize("target", ["http://h.org/no", "http://o.org/no"])
def test_job_when_robots_forbid_the_target(run: str, target: str) -> None:
    """Each hop asks the robots.txt of where it leads."""
    rules = Answer(b"User-agent: *\nDisallow: /no")
    answers = {URL: moved(target), target: Answer(PAGE)}
    outcome = scrape(answers | {f"http://{host}/robots.txt": rules for host in ("h.org", "o.org")}, run)
    assert isinstance(outcome, Skip)
    assert outcome.reason == "robots.txt disallows it"


def test_job_when_robots_forbid_the_page(run: str) -> None:
    """A forbidden page is not fetched, unless the user says so."""
    answers = {"http://h.org/robots.txt": Answer(b"User-agent: *\nDisallow: /"), URL: Answer(PAGE)}
    assert isinstance(scrape(answers, run), Skip)
    assert page_of(scrape(answers, run, obey_robots=False)).fields["t"] == "T"


def test_job_when_robots_ask_for_a_delay(run: str) -> None:
    """The host's wish comes with the page."""
    answers = {"http://h.org/robots.txt": Answer(b"User-agent: *\nCrawl-delay: 3"), URL: Answer(PAGE)}
    assert page_of(scrape(answers, run)).crawl_delay == 3.0


@pytest.mark.parametrize(
    ("answer", "kind", "retryable"),
    [
        (Answer(PAGE, 404), FailureKind.HTTP, False),
        (Answer(PAGE, 410), FailureKind.HTTP, False),
        (Answer(PAGE, 500), FailureKind.HTTP, True),
        (Answer(PAGE, 503, {"Retry-After": "9"}), FailureKind.THROTTLED, True),
        (Answer(PAGE, 429), FailureKind.THROTTLED, True),
        (Answer(b"", 304), FailureKind.HTTP, False),
        (Answer(b"", 302, {}), FailureKind.HTTP, False),
        (moved(URL), FailureKind.REDIRECT, False),
        (moved("ftp://h.org/"), FailureKind.BLOCKED, False),
        (Answer(b"%PDF", headers={"Content-Type": "application/pdf"}), FailureKind.UNSUPPORTED, False),
        (Answer(b"{}", headers={"Content-Type": "application/json"}), FailureKind.UNSUPPORTED, False),
        (Answer(b"words", headers={"Content-Type": "text/plain"}), FailureKind.UNSUPPORTED, False),
        (Answer(b"\x89PNG", headers={}), FailureKind.UNSUPPORTED, False),
        (Answer(PAGE, headers=HTML | {"Content-Encoding": "br"}), FailureKind.UNSUPPORTED, False),
        (Answer(gzip.compress(PAGE)[:-9], headers=HTML | {"Content-Encoding": "gzip"}), FailureKind.TRUNCATED, True),
        (Answer(b"x" * 5001), FailureKind.TOO_LARGE, False),
        (Answer(b"", headers=HTML | {"Content-Length": "5001"}), FailureKind.TOO_LARGE, False),
    ],
)
def test_job_when_there_is_no_page(run: str, answer: Answer, kind: FailureKind, retryable: bool) -> None:
    """Whatever comes instead of a page is a failure of its own kind."""
    outcome = scrape({URL: answer}, run, max_body=5000)
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.retryable) == (kind, retryable), outcome


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/xhtml+xml"},
        {"Content-Type": "TEXT/HTML;charset=x"},
        {"Content-Type": "application/xml"},
    ],
)
def test_job_when_the_type_is_unsure(run: str, headers: dict[str, str]) -> None:
    """A page without a sure type is one if it begins as HTML does."""
    assert page_of(scrape({URL: Answer(PAGE, headers=headers)}, run)).fields["t"] == "T"


@pytest.mark.parametrize(
    "answer", [Answer(b"", 204, {}), Answer(b"", 205), Answer(b""), Answer(b"", headers={}), Answer(b" ")]
)
def test_job_when_the_page_is_empty(run: str, answer: Answer) -> None:
    """A good reply without content is a row without values."""
    page = page_of(scrape({URL: answer}, run))
    assert (page.fields, page.status) == (NOTHING, answer.status)


def test_job_when_in_a_loop(run: str) -> None:
    """Where a page is read is the model's to say; the row is the same."""
    runtime = LoopRuntime(FakeClient({URL: Answer(PAGE)}))
    job = ScrapeJob(Fetching(RULES, "toolkit/1", run=run))
    page = asyncio.run(job(Task(URL, Visit(URL)), runtime))
    assert (page.fields, runtime.calls) == ({"t": "T", "l": "http://h.org/x"}, 1)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"<!DOCTYPE HTML>", True),
        (b"\xef\xbb\xbf \n<html>", True),
        (b"<?xml version='1.0'?>\n<!-- c --><html xmlns=x>", True),
        (b"<!-- a --><!-- b --><p>", True),
        (b"<rss>", False),
        (b"<paragraph>", False),
        (b"text <html>", False),
        (b"<!-- never closed", False),
    ],
)
def test_looks_like_html_when_sniffed(body: bytes, expected: bool) -> None:
    """The first tag decides."""
    assert looks_like_html(body) is expected


def test_job_when_no_type_takes_the_page(run: str, tmp_path: Path) -> None:
    """It has no row, and says why: it may be a slip in the rules."""
    rules = tmp_path / "rules.toml"
    rules.write_text('[[page]]\nname = "p"\nglob = "/typo/*"\nfields = { t = "title" }\n')
    job = ScrapeJob(Fetching(load_rules(rules), "toolkit/1 (+x)", run=run))
    page = page_of(perform(FakeClient({URL: Answer(PAGE)}), job, Task(URL, Visit(URL))))
    assert (page.rows, page.notes) == ((), ("no page type takes this page",))


def test_job_when_bytes_mean_nothing(run: str) -> None:
    """They are counted."""
    body = b"<!doctype html><title>a\xff\xfeb</title>"
    page = page_of(scrape({URL: Answer(body, headers={"Content-Type": "text/html; charset=utf-8"})}, run))
    assert page.row()["t"] == "a\ufffd\ufffdb"
    assert page.notes == ("2 bytes mean nothing in utf-8: each is U+FFFD",)


def test_rows_that_do_not_fit(tmp_path: Path) -> None:
    """They are counted, all their problems as well, and what they lack is missing to --coverage."""
    rows = "".join(f"<div class=r><b>{number}</b>{'' if number else '<i>x</i>'}</div>" for number in range(10))
    (tmp_path / "page.html").write_text(f"<!doctype html>{rows}")
    (tmp_path / "rules.toml").write_text('rows = ".r"\n[fields]\nb = "b | int"\ni = "i | required"\n')
    out = tmp_path / "rows.jsonl"
    summary = toolkit.scrape(str(tmp_path / "page.html"), out, rules=tmp_path / "rules.toml", coverage="90%")
    assert out.read_text().count("\n") == 1
    assert summary.warnings["9 rows did not fit and were left out"] == 1
    assert summary.warnings["4 more such problems in one page"] == 1
    assert summary.complaints == ("i has a value in 10.0% of the rows, less than --coverage 90% asks for",)
    assert summary.exit_code == 1


@pytest.mark.parametrize("out", ["rows.jsonl", "-"])
def test_pages_on_this_disk_that_are_named_twice(tmp_path: Path, out: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is read once, whatever way leads to it; the others are skips, as of URLs."""
    (tmp_path / "d").mkdir()
    (page := tmp_path / "d" / "one.html").write_text("<!doctype html><title>one</title>")
    sources = [str(page), f"{tmp_path}/d/../d/one.html", str(tmp_path / "d")]
    place = out if out == "-" else tmp_path / out
    summary = toolkit.scrape(sources, place, field=["t=title"], append=out != "-")
    assert (summary.succeeded, summary.skipped) == (1, {"duplicate": 2})
    if out != "-":
        assert (tmp_path / out).read_text().count("\n") == 1
