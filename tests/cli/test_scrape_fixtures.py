"""`toolkit scrape record` and `toolkit scrape test`: pages are saved once, and rules are tried on them ever after."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from samples.serve import SampleServer
from tests.conftest import Toolkit

RULES = '[fields]\nname = "h1"\nprice = ".no-such-price"\n'


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """Return a file of rules, one of which finds nothing."""
    path = tmp_path / "rules.toml"
    path.write_text(RULES)
    return path


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """Return a folder with a saved page."""
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "one.html").write_text("<!doctype html><h1>One</h1>")
    return folder


def test_recorded_pages_can_be_tested_when_the_server_is_gone(
    server: SampleServer, rules: Path, tmp_path: Path, toolkit: Toolkit
) -> None:
    """What robots.txt forbids is not there; a second recording replaces the first."""
    urls = [f"{server.url}item/cat-oval.html", f"{server.url}russkij.html", f"{server.url}private/x.html"]
    for _ in range(2):
        done = toolkit("scrape", "record", *urls, "-o", tmp_path / "pages", "--json")
        assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["app"], report["succeeded"], report["skipped"]) == (
        "scrape record",
        2,
        {"robots.txt disallows it": 1},
    )
    assert "2 pages done, 1 skipped" in done.stderr
    facts = [json.loads(path.read_text()) for path in sorted((tmp_path / "pages").glob("*.json"))]
    assert sorted((one["url"], one["status"]) for one in facts) == sorted([(urls[0], 200), (urls[1], 200)])
    tried = toolkit("scrape", "test", rules, tmp_path / "pages", "--json")
    found = json.loads(tried.stdout)
    assert sorted(page["url"] for page in found["pages"]) == sorted(urls[:2])
    assert found["totals"]["pages"] == 2


def test_test_when_the_rules_change(rules: Path, pages: Path, toolkit: Toolkit) -> None:
    """What was found when somebody looked is expected from then on; what differs is told, and is exit code 1."""
    assert toolkit("scrape", "test", rules, pages, "--update").returncode == 0
    assert (pages / "one.expected.json").exists()
    assert toolkit("scrape", "test", rules, pages / "one.html").returncode == 0
    rules.write_text(RULES.replace('"h1"', '"h2"'))
    done = toolkit("scrape", "test", rules, pages)
    assert done.returncode == 1
    assert 'differs: row 1, name: expected "One", found null' in done.stdout


def test_test_when_coverage_is_asked_for(rules: Path, pages: Path, toolkit: Toolkit) -> None:
    """A selector that finds nothing is exit code 1, as text and as JSON."""
    assert toolkit("scrape", "test", rules, pages).returncode == 0
    done = toolkit("scrape", "test", rules, pages, "--coverage", "50%")
    assert (done.returncode, "below 0.5: price is covered in 0.0% of the rows" in done.stdout) == (1, True)
    done = toolkit("scrape", "test", rules, pages, "--coverage", "50%", "--json")
    assert (done.returncode, json.loads(done.stdout)["totals"]["below"]) == (1, {"price": 0.0})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["test"], "Missing argument 'RULES'"),
        (["test", "RULES"], "Missing argument"),
        (["test", "nowhere.toml", "PAGES"], "nowhere.toml"),
        (["test", "RULES", "nowhere.html"], "nowhere.html: cannot be read"),
        (["test", "RULES", "EMPTY", "--json"], "no saved pages here"),
        (["test", "RULES", "PAGES", "--page", "item"], "--page item: the rules have no such type of page"),
        (["test", "RULES", "PAGES", "--coverage", "90"], "'90' is no share of rows"),
        (["record"], "Missing argument"),
        (["record", "http://h/x"], "Missing option '-o'"),
        (["record", "http://h/x", "-o", "-"], "-o: name a folder"),
        (["record", "no-such-file", "-o", "EMPTY"], "'no-such-file' is neither a URL nor a readable file"),
        (["record", "http://h/x", "-o", "EMPTY", "--manifest", "m.csv"], "scrape record has no rows to write"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_one_line(
    arguments: list[str], words: str, rules: Path, pages: Path, tmp_path: Path, toolkit: Toolkit
) -> None:
    """Which names the command that was meant; nothing is on standard output."""
    (tmp_path / "empty").mkdir()
    places = {"RULES": rules, "PAGES": pages, "EMPTY": tmp_path / "empty"}
    done = toolkit("scrape", *(places.get(argument, argument) for argument in arguments))
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert words in done.stderr


def test_help_names_the_commands(toolkit: Toolkit) -> None:
    """Each has a page of its own, with an example; the plain form is what it was."""
    plain = toolkit("scrape", "--help").stdout
    assert "toolkit scrape [OPTIONS] URL|FILE|- ..." in plain
    assert "toolkit scrape test " in plain
    assert "toolkit scrape record " in plain
    for name in ("test", "record"):
        told = toolkit("scrape", name, "--help").stdout
        assert f"Usage: toolkit scrape {name} [OPTIONS]" in told
        assert f"  toolkit scrape {name} " in told.partition("Examples:")[2]


def test_list_that_is_called_test_is_still_read(server: SampleServer, tmp_path: Path, toolkit: Toolkit) -> None:
    """Only the very word is a command."""
    (tmp_path / "test").write_text(f"{server.url}item/cat-oval.html")
    done = toolkit("scrape", tmp_path / "test", "-o", "-", "--field", "t=title", "--coverage", "100%")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1), done.stderr


@pytest.mark.parametrize("out", ["-", "rows.jsonl"])
def test_coverage_is_a_complaint_and_exit_code_1(
    out: str, server: SampleServer, tmp_path: Path, toolkit: Toolkit
) -> None:
    """Wherever the rows go; every page did well, and yet a selector has broken."""
    page, place = f"{server.url}item/cat-oval.html", out if out == "-" else tmp_path / out
    fields = ("--field", "t=title", "--field", "x=.no-such")
    done = toolkit("scrape", page, "-o", place, *fields, "--coverage", "90%", "--report", tmp_path / "r.html")
    line = "x has a value in 0.0% of the rows, less than --coverage 90% asks for"
    assert (done.returncode, f"  complaint: {line}\n" in done.stderr) == (1, True), done.stderr
    assert "1 page done in" in done.stderr
    assert f"<li>{line}</li>" in (tmp_path / "r.html").read_text()
