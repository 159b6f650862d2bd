"""Who races at scraping, with which options, and what the tables and verdicts say."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from _measure import Taken
from _results import Standing
from _scrape_results import Result, table, verdicts
from _scrape_rows import ROWS, choose
from _scrapers import Bench, Pages, contestants, find_peers, versions
from _tools import Tool

from toolkit.core.errors import UsageError

PEERS = {"scrapy": "2.19.0", "crawlee": "1.11.0", "parsel": "1.12.1", "beautifulsoup4": "4.15.0", "lxml": "6.1.3"}
BENCH = Bench(Path("toolkit"), Path("peers/bin/python"), PEERS, 7)
WORK = Pages(Path("urls.txt"), "http://127.0.0.1:1/index.html")


def names(row: str, bench: Bench = BENCH, *, variants: bool = False) -> list[str]:
    return [tool.name for tool in contestants(ROWS[row], bench, variants=variants)]


def test_all_race_at_one_number() -> None:
    """Ours race by all models and all parsers, Scrapy and crawlee in both forms, and the usual script."""
    told = names("list")
    assert {"toolkit asyncio", "toolkit hybrid bs4", "toolkit processes"} < set(told)
    assert told[-5:] == [
        "scrapy reactor",
        "scrapy aiohttp",
        "crawlee parsel",
        "crawlee soup",
        "aiohttp + BeautifulSoup",
    ]
    every = names("list", variants=True)
    assert len(every) == len(set(every)) == 15 + 2 + 5
    for tool in contestants(ROWS["crawl"], BENCH, variants=False):
        assert "7" in tool.command(WORK, Path("out"))
        assert "7" in tool.options


def test_politeness_is_off_for_us_too() -> None:
    """No delay, no robots.txt, and as many at once for the host as in all; a crawl keeps to pages."""
    command = contestants(ROWS["crawl"], BENCH, variants=False)[0].command(WORK, Path("out"))
    text = " ".join(command)
    assert "--ignore-robots --delay 0 --per-host 7 --model asyncio -j 7" in text
    assert r"--follow a --allow \.html$" in text
    assert command[:2] == ["sh", "-c"]  # its links may be dead, which is no fault of its own
    alone = contestants(ROWS["one"], BENCH, variants=False)[0].command(WORK, Path("out"))
    assert alone[-5:] == ["toolkit", "scrape", WORK.first, "-o", "-"]


def test_missing_peers_are_named() -> None:
    """Without an environment of peers, ours and the usual script race."""
    bench = replace(BENCH, python=None, peers={})
    assert names("crawl", bench) == ["toolkit asyncio", "toolkit hybrid", "aiohttp + BeautifulSoup"]
    assert versions(bench)["scrapy"].startswith("not there: left out (python -m venv FOLDER")
    assert versions(BENCH)["crawlee"] == "1.11.0 (parsel 1.12.1, lxml 6.1.3)"
    assert names("list", replace(BENCH, peers={"crawlee": "1", "parsel": "1"}))[-2] == "crawlee parsel"


def test_peers_are_asked_for_their_versions(tmp_path: Path) -> None:
    """An environment is one with an interpreter; it has what it says."""
    assert find_peers(None) == find_peers(tmp_path) == (None, {})
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (tmp_path / "bin" / "python").chmod(0o755)
    python, peers = find_peers(tmp_path)
    assert python == tmp_path / "bin" / "python"
    assert {"beautifulsoup4", "lxml"} <= set(peers)


def test_rows() -> None:
    """An unknown one is told; the frontier is no race."""
    assert choose("one, frontier") == ([ROWS["one"]], True)
    with pytest.raises(UsageError, match="--rows lists: choose from list, crawl, one, frontier"):
        choose("lists")


def standing(name: str, seconds: float, family: str = "", wrong: str = "") -> Standing:
    """Return a tool with one run, of which half is processor time."""
    tool = Tool(name, family or name.partition(" ")[0], f"`{name} options`", lambda *_: [])
    runs = [] if wrong else [Taken(seconds, seconds / 4, seconds / 4, 50_000_000, 0)]
    return Standing(tool, runs, wrong=wrong)


def result(row: str, *standings: Standing, **odd: str) -> Result:
    return Result(ROWS[row], 100, 5_000_000, list(standings), odd)


def test_table() -> None:
    """Fastest first, with the ratios to both of ours, seconds by parser, and what differs."""
    told = table(
        result(
            "list",
            standing("toolkit asyncio", 2),
            standing("toolkit hybrid", 1),
            standing("toolkit asyncio lxml", 4),
            standing("scrapy reactor", 8),
            standing("crawlee soup", 0, wrong="exit code 1"),
            scrapy="1 pages (h1 in 1): x",
        )
    )
    lines = told.splitlines()
    assert lines[0] == "### list: 100 pages of a list, 5.0 MB"
    assert lines[2].endswith("| peak MB | asyncio is | hybrid is |")
    assert lines[4].startswith(
        "| **toolkit hybrid** | `toolkit hybrid options` | 1.00 | 1.00–1.00 | 0.50 | 5.00 | 100 |"
    )
    assert lines[7].endswith("| 12 | 50 | 4.00× | 8.00× |")
    assert "exit code 1" in lines[8]
    assert len({line.count("|") for line in lines[2:9]}) == 1
    assert "| asyncio | 2.00 | 4.00 |  |" in lines
    assert lines[-1] == "- scrapy: 1 pages (h1 in 1): x"


def test_goals() -> None:
    """The fastest Scrapy counts, each of ours has its own goal, and a wrong one of ours has missed."""
    told = list(
        verdicts(
            [
                result(
                    "list",
                    standing("toolkit asyncio", 2),
                    standing("toolkit hybrid", 1),
                    standing("toolkit threads", 0, wrong="3 of 4 rows"),
                    standing("scrapy reactor", 20),
                    standing("scrapy x", 8),
                ),
                result("one", standing("toolkit", 0.5), standing("scrapy reactor", 0.9)),
                result("crawl", standing("toolkit asyncio", 1)),
            ]
        )
    )
    assert told == [
        (False, "list: toolkit threads has no figure: 3 of 4 rows"),
        (
            False,
            "list, scrapy: at least 5× as fast is the goal, 4.00× it is (toolkit asyncio 2.00 s, scrapy x 8.00 s)",
        ),
        (
            True,
            "list, scrapy: at least 7× as fast is the goal, 8.00× it is (toolkit hybrid 1.00 s, scrapy x 8.00 s)",
        ),
        (True, "one: below 0.6 s is the goal, 0.50 s it takes"),
    ]
