"""One page in, two files out: what came, and what HTTP said of it."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path
from typing import Any

import pytest

from tests.apps.scrape.fakes import HTML, Answer, FakeClient, FakeMemory, moved, perform
from tests.apps.scrape.members import USER, club
from tests.apps.scrape.rendering.pages import browsers, needs_chromium
from tests.apps.scrape.stage import Stage, reply
from toolkit.apps.scrape.fetching import Fetching
from toolkit.apps.scrape.record import RecordApp, RecordJob, RecordOptions
from toolkit.apps.scrape.rules import load_rules, read_page, read_rules
from toolkit.apps.scrape.saved import FACTS, SavedPage, load
from toolkit.apps.scrape.visit import Visit
from toolkit.core.errors import FailureKind, UsageError
from toolkit.core.job import App
from toolkit.core.network import Network
from toolkit.core.task import Failure, Outcome, Skip, Success, Task
from toolkit.options import RunOptions
from toolkit.reporting import Summary
from toolkit.run import Run

URL = "http://me:pw@h.org/page"
PAGE = b"<!doctype html><meta charset=latin1><title>\xe4</title>"
ROBOTS = {"http://h.org/robots.txt": Answer(b"User-agent: toolkit\nDisallow: /private/\nCrawl-delay: 3")}


def record(folder: Path, answers: dict[str, Answer], run: str, **options: object) -> Outcome:
    facts = {"obey_robots": True, "max_body": 1000, "network": Network(), "run": run, **options}
    fetching = Fetching(read_rules("lexbor", []), "toolkit/1 (+x)", **facts)  # type: ignore[arg-type]
    job = pickle.loads(pickle.dumps(RecordJob(folder, fetching)))
    return perform(FakeClient(ROBOTS | answers), job, Task(URL, Visit(URL)))


def saved(folder: Path) -> SavedPage:
    (page,) = load(folder)
    return page


@pytest.mark.parametrize("status", [200, 404, 500])
def test_record_when_the_status_is_any(status: int, tmp_path: Path) -> None:
    """The bytes are those of the page, decoded from their coding and else untouched; an error page is told of."""
    wire = gzip.compress(PAGE)
    answer = Answer(wire, status, HTML | {"Content-Encoding": "gzip", "Set-Cookie": "a=secret"})
    outcome = record(tmp_path, {URL: answer}, f"record {status}")
    assert isinstance(outcome, Success), outcome
    page = saved(tmp_path)
    assert (page.body, page.url, page.status) == (PAGE, "http://h.org/page", status)
    assert (outcome.value.path, outcome.value.bytes, outcome.value.lane_delay) == (page.path, len(wire), 3.0)
    assert outcome.value.warnings == (() if status == 200 else (f"saved though the server said HTTP {status}",))


def test_record_when_redirected(tmp_path: Path) -> None:
    """The facts have where it ended; robots.txt is asked about that, too."""
    record(tmp_path, {URL: moved("http://h.org/end"), "http://h.org/end": Answer(PAGE)}, "record redirected")
    assert (saved(tmp_path).url, saved(tmp_path).final_url) == ("http://h.org/page", "http://h.org/end")
    forbidden = {URL: moved("http://h.org/private/x"), "http://h.org/private/x": Answer(PAGE)}
    outcome = record(tmp_path / "none", forbidden, "record forbidden")
    assert isinstance(outcome, Skip)
    assert outcome.reason == "robots.txt disallows it"
    assert isinstance(record(tmp_path, forbidden, "record ignored", obey_robots=False), Success)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(b"%PDF", headers={"Content-Type": "application/pdf"}), FailureKind.UNSUPPORTED),
        (Answer(b"\0\1", headers={"Content-Type": "text/plain"}), FailureKind.UNSUPPORTED),
        (Answer(b"gone", 404, {"Content-Type": "text/plain"}), FailureKind.HTTP),
        (Answer(PAGE, 429), FailureKind.THROTTLED),
        (Answer(PAGE, 503), FailureKind.HTTP),
        (Answer(b"x" * 1001), FailureKind.TOO_LARGE),
        (Answer(b"", headers=HTML | {"Content-Length": "1001"}), FailureKind.TOO_LARGE),
    ],
)
def test_record_when_it_is_no_page(answer: Answer, kind: FailureKind, tmp_path: Path) -> None:
    """Nothing is saved of what rules could not be tried on."""
    outcome = record(tmp_path, {URL: answer}, "record none")
    assert isinstance(outcome, Failure)
    assert outcome.kind is kind
    assert not [*tmp_path.iterdir()]


def test_record_when_there_is_no_body(tmp_path: Path) -> None:
    """An empty page is a page."""
    assert isinstance(record(tmp_path, {URL: Answer(b"", 204, {})}, "record empty"), Success)
    assert saved(tmp_path).body == b""


def test_app_when_planned(tmp_path: Path) -> None:
    """Its plan is that of a scrape of the same list, duplicates and all; pages on this disk are none to save."""
    (tmp_path / "urls.txt").write_text("http://h.org/a\nhttp://h.org/a\nno url\nhttp://h.org/b\n")
    app: App = RecordApp([str(tmp_path / "urls.txt")], tmp_path / "out", RecordOptions(limit=2), network=Network())
    kinds = [type(one).__name__ for one in app.plan(FakeMemory())]
    assert kinds == ["Task", "Skip", "Failure", "Task"]
    assert app.total == 4
    (tmp_path / "page.html").write_bytes(PAGE)
    with pytest.raises(UsageError, match="on this disk already"):
        RecordApp([str(tmp_path / "page.html")], tmp_path / "out", RecordOptions(), network=Network())


def run(sources: list[str], folder: Path, **options: Any) -> Summary:
    """Record over a real network."""
    recorder = RecordApp(sources, folder, RecordOptions(**options), network=Network())
    return Run(recorder, RunOptions(model="asyncio"), output=str(folder)).finish()


def test_record_when_the_rules_log_in(tmp_path: Path) -> None:
    """Members' pages are saved, with no cookie beside them; an error page behind the login is one to save, too."""
    rules = tmp_path / "rules.toml"
    with club() as site:
        rules.write_text(
            f'[fields]\nt = "title"\n[[follow]]\ncss = "a"\n[login]\nurl = "{site.login}"\nsuccess = "a.out"\n'
            f'fields = {{user = "{USER[0]}", word = "{USER[1]}"}}\n'
        )
        site.answers["GET /torn"] = (500, (), "<!doctype html><title>torn</title>")
        summary = run([f"{site.address}/inside", f"{site.address}/torn"], tmp_path / "pages", rules=rules)
        assert (summary.succeeded, summary.errors, site.asked["POST /login"]) == (2, 0, 1)
        assert summary.warnings == {"saved though the server said HTTP 500": 1}
        found = {page.url.removeprefix(site.address): page for page in load(tmp_path / "pages")}
        assert {path: page.body for path, page in found.items()} == {
            "/inside": b"<!doctype html><title>/inside</title>",
            "/torn": b"<!doctype html><title>torn</title>",
        }
        assert not any(
            session in page.path.with_suffix(FACTS).read_text()
            for session in site.sessions
            for page in found.values()
            if page.path
        )


def test_record_when_the_rules_do_not_fit(tmp_path: Path) -> None:
    """What a scrape by these rules would refuse is refused here, and nothing is saved without it."""
    rules = tmp_path / "rules.toml"
    rules.write_text('[[page]]\nname = "list"\nglob = "**"\nrender = true\nfields = { t = "title" }\n')
    with pytest.raises(UsageError, match=r"page type 'list' is to be rendered.*give --render"):
        run(["http://127.0.0.1:9/"], tmp_path / "pages", rules=rules)
    assert not (tmp_path / "pages").exists()


@needs_chromium
def test_record_when_pages_are_rendered(tmp_path: Path) -> None:
    """They are saved as their scripts leave them, so that rules find the same in both; error pages as they came."""
    rules = tmp_path / "rules.toml"
    rules.write_text('[[page]]\nname = "list"\nglob = "/*"\nrender = true\nrows = "li"\nfields = { name = "b" }\n')
    page = b"<!doctype html><ul></ul><script>document.querySelector('ul').innerHTML = '<li><b>x</b>'</script>"
    with Stage() as stage:
        stage.answers |= {"/live": reply(page), "/torn": reply(page, status="500 Torn")}
        summary = run([stage.url("/live"), stage.url("/torn")], tmp_path / "pages", rules=rules, render=True)
        assert (summary.succeeded, summary.errors) == (2, 0)
    found = {page.status: page for page in load(tmp_path / "pages")}
    assert found[500].body == page
    rows = {
        status: read_page(page.body, page.charset, page.final_url, load_rules(rules)).rows
        for status, page in found.items()
    }
    assert rows == {200: ({"name": "x"},), 500: ()}
    assert not browsers()
