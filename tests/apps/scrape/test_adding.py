"""Rows that are added as they come, in order, and with their changes: through whole runs, kills among them."""

from __future__ import annotations

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import toolkit
from tests.apps.scrape.fakes import FakeMemory
from tests.apps.scrape.site import LEAVES, Served, page, serving
from toolkit.apps.scrape.output import Batch, Output, Shape
from toolkit.core.errors import FailureKind, TaskError, UsageError
from toolkit.core.task import Success

FORMS = ("jsonl", "csv", "sqlite", "parquet")
LEAF = [f"leaf {number}" for number in range(LEAVES)]


@pytest.fixture
def site() -> Iterator[Served]:
    """Return a running site."""
    with serving() as served:
        yield served


def titles(out: Path) -> list[str]:
    """Return a column of the file, in order."""
    match out.suffix:
        case ".jsonl":
            return [json.loads(line)["t"] for line in out.read_text().splitlines()]
        case ".csv":
            with out.open(newline="") as file:
                return [row["t"] for row in csv.DictReader(file)]
        case ".sqlite":
            with closing(sqlite3.connect(out)) as database:
                return [title for (title,) in database.execute("SELECT t FROM rows ORDER BY rowid")]
        case _:
            found: list[str] = pq.read_table(out)["t"].to_pylist()
            return found


def leaves(site: Served, tmp_path: Path, numbers: range, name: str = "urls.txt") -> str:
    """Return a list of pages."""
    path = tmp_path / name
    path.write_text("".join(f"{site.address}/leaf/{number}\n" for number in numbers))
    return str(path)


def scrape(sources: Any, out: Path, **options: Any) -> toolkit.Summary:
    return toolkit.scrape(sources, out, field=["t=title"], per_host=8, **options)


@pytest.mark.parametrize("form", FORMS)
def test_append_when_run_again(site: Served, tmp_path: Path, form: str) -> None:
    """What is in the file stays; what is new comes behind it; nothing comes twice."""
    out = tmp_path / f"rows.{form}"
    scrape(leaves(site, tmp_path, range(5)), out)
    assert titles(out) == LEAF[:5]
    for numbers, expected in ((range(5), 5), (range(8), 8), (range(8), 8), (range(3, 12), 12)):
        summary = scrape(leaves(site, tmp_path, numbers), out, append=True)
        assert summary.exit_code == 0
        assert titles(out)[:5] == LEAF[:5]
        assert sorted(titles(out)) == sorted(LEAF[:expected])
    scrape(leaves(site, tmp_path, range(3)), out, append=True, fresh=True)
    assert sorted(titles(out)) == sorted(LEAF[:12] + LEAF[:3])


def test_append_when_rows_of_others_are_there(site: Served, tmp_path: Path) -> None:
    """They stay as they are; a last line without its end gets it."""
    out = tmp_path / "rows.jsonl"
    out.write_text('{"t": "mine"}')
    scrape(leaves(site, tmp_path, range(2)), out, append=True)
    assert titles(out)[0] == "mine"
    assert sorted(titles(out)[1:]) == LEAF[:2]


def test_append_while_the_run_goes_on(site: Served, tmp_path: Path) -> None:
    """Each row is in the file by the time its outcome is told."""
    out = tmp_path / "rows.jsonl"
    stream = toolkit.scrape.stream(leaves(site, tmp_path, range(6)), out, field=["t=title"], append=True)
    for outcome in stream:
        assert isinstance(outcome, Success)
        assert outcome.value.rows[0]["t"] in titles(out)
    assert sorted(titles(out)) == LEAF[:6]


@pytest.mark.parametrize("ordered", [True, False])
def test_append_when_the_file_is_gone(site: Served, tmp_path: Path, *, ordered: bool) -> None:
    """All rows that are known come back: the file is to hold what was scraped."""
    out = tmp_path / "rows.csv"
    scrape(leaves(site, tmp_path, range(4)), out, append=True, ordered=ordered)
    out.unlink()
    scrape(leaves(site, tmp_path, range(6)), out, append=True, ordered=ordered)
    assert sorted(titles(out)) == LEAF[:6]
    assert titles(out)[:4] == LEAF[:4]


@pytest.mark.parametrize("form", FORMS)
def test_append_in_order(site: Served, tmp_path: Path, form: str) -> None:
    """Rows come in the order of the list, whatever order the pages came in."""
    out = tmp_path / f"rows.{form}"
    for numbers in (range(20), range(40)):
        scrape(leaves(site, tmp_path, numbers), out, append=True, ordered=True, model="threads", workers=8)
        assert titles(out) == [LEAF[number] for number in numbers]


@pytest.mark.parametrize(("form", "ordered"), [*((form, False) for form in FORMS), ("jsonl", True), ("sqlite", True)])
def test_append_when_killed(site: Served, tmp_path: Path, form: str, *, ordered: bool) -> None:
    """Killed by -9 at several moments: in the end each row is there once, the old ones too, and no line is torn."""
    out = tmp_path / f"rows.{form}"
    scrape(leaves(site, tmp_path, range(30, 33)), out)
    urls = leaves(site, tmp_path, range(25), "more.txt")
    command = [
        *(sys.executable, "-m", "toolkit", "scrape", urls, "-o", str(out), "--field", "t=title", "--append"),
        *("--delay", "0.02", "--workers", "2", "--quiet", *(("--ordered",) if ordered else ())),
    ]
    for number in (2, 9, 16):
        process = subprocess.Popen(command, env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"})
        while not any(f"/leaf/{n}" in site.asked for n in range(number, 25)) and process.poll() is None:
            threading.Event().wait(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert subprocess.run(command, check=False).returncode == 0
    assert titles(out)[:3] == LEAF[30:33]
    assert Counter(titles(out)[3:]) == Counter(LEAF[:25])
    if ordered:
        assert titles(out)[3:] == LEAF[:25]


def test_append_after_a_run_that_was_killed_while_it_replaced(site: Served, tmp_path: Path) -> None:
    """Rows that only the store had come into the file."""
    out = tmp_path / "rows.jsonl"
    command = [
        *(sys.executable, "-m", "toolkit", "scrape", leaves(site, tmp_path, range(12)), "-o", str(out)),
        *("--field", "t=title", "--delay", "0.05", "--workers", "1", "--quiet"),
    ]
    process = subprocess.Popen(command)
    while "/leaf/5" not in site.asked and process.poll() is None:
        threading.Event().wait(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not out.exists()
    scrape(leaves(site, tmp_path, range(12)), out, append=True)
    assert sorted(titles(out)) == sorted(LEAF[:12])


def test_append_when_it_cannot_be(site: Served, tmp_path: Path) -> None:
    """A file with other columns, and standard output, are refused before anything is fetched."""
    out = tmp_path / "rows.csv"
    out.write_text("a,b\r\n1,2\r\n")
    with pytest.raises(UsageError, match=r"rows\.csv"):
        scrape(f"{site.address}/a", out, append=True)
    with pytest.raises(UsageError, match="--append: name a file"):
        scrape(f"{site.address}/a", Path("-"), append=True)
    assert not site.asked
    assert out.read_text() == "a,b\n1,2\n"


def test_dry_run_leaves_the_file_alone(site: Served, tmp_path: Path) -> None:
    """A look ahead opens nothing."""
    out = tmp_path / "rows.jsonl"
    assert len(list(toolkit.scrape.plan(leaves(site, tmp_path, range(3)), out, append=True, incremental=True))) == 3
    assert not out.exists()
    assert not list(tmp_path.glob(".*"))


class _Full:
    """An appender whose disk is full from the second row on."""

    rows = 0

    def add(self, row: dict[str, Any]) -> None:
        """Refuse all but one."""
        self.rows += 1
        if self.rows > 1:
            raise TaskError(FailureKind.DISK, "no space left", fatal=True)

    def mark(self) -> int:
        """Return what is safe."""
        return 1

    def close(self) -> None:
        """Leave nothing open."""


def test_append_when_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing comes behind a line that may be there in part, and no page is noted whose rows nobody counted."""
    full, memory = _Full(), FakeMemory()
    monkeypatch.setattr("toolkit.apps.scrape.output.open_appender", lambda *_, **__: full)
    output = Output(tmp_path / "rows.jsonl", append=True)
    output.meet(Shape(("t",), {}), memory, lambda: iter([Batch([], 0)]))
    output.take([{"t": "1"}])
    output.storing(memory)
    noted = dict(memory.notes)
    for _ in range(2):
        with pytest.raises(TaskError, match="no space left"):
            output.take([{"t": "2"}])
        with pytest.raises(TaskError, match="no space left"):
            output.storing(memory)
    assert full.rows == 2
    assert memory.notes == noted


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_append_when_somebody_cut_the_last_line(site: Served, tmp_path: Path, form: str) -> None:
    """The half is dropped, which is told, with what brings the row back."""
    out = tmp_path / f"rows.{form}"
    urls = leaves(site, tmp_path, range(2))
    options: dict[str, Any] = {"field": ["t=title"], "append": True, "workers": 1}
    assert toolkit.scrape(urls, out, **options).warnings == {}
    os.truncate(out, out.stat().st_size - 5)
    (told,) = toolkit.scrape(urls, out, **options).warnings
    assert told.startswith(f"half a line at the end of {out} was cut off: if all rows there are of these pages, remove")
    assert titles(out) == LEAF[:1]
    out.unlink()
    assert toolkit.scrape(urls, out, **options).warnings == {}
    assert titles(out) == LEAF[:2]


@pytest.mark.parametrize("ordered", [True, False])
def test_standard_output(site: Served, tmp_path: Path, *, ordered: bool) -> None:
    """Rows come as they come, or in the order of the list: the first page answers when all others have."""
    late = threading.Event()
    site.late = late
    command = [
        *(sys.executable, "-m", "toolkit", "scrape", "-", "-o", "-", "--field", "t=title", "--workers", "4"),
        *("--quiet", *(("--ordered",) if ordered else ())),
    ]
    urls = "".join(f"{site.address}/{path}\n" for path in ("late", "leaf/0", "none", "leaf/1", "leaf/0"))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(urls)
        process.stdin.close()
        early = [] if ordered else [process.stdout.readline(), process.stdout.readline()]
        while ordered and "/leaf/1" not in site.asked:
            threading.Event().wait(0.01)
        late.set()
        rows = [json.loads(line)["t"] for line in (*early, *process.stdout)]
    assert process.returncode == 1  # /none is not there
    assert (
        rows == ["late", "leaf 0", "leaf 1"] if ordered else sorted(rows[:2]) + rows[2:] == ["leaf 0", "leaf 1", "late"]
    )


def changes(out: Path) -> dict[str, str]:
    return {row["t"]: row["change"] for row in map(json.loads, out.read_text().splitlines())}


@pytest.mark.parametrize("model", ["sequential", "threads", "processes", "asyncio", "hybrid"])
def test_incremental(site: Served, tmp_path: Path, model: str) -> None:
    """Every page is visited again; the file says what became of each row, and gone ones go after that."""
    out = tmp_path / "rows.jsonl"
    site.pages |= {"/": page("start", "/1", "/2", "/3", "/4"), **{f"/{n}": page(f"page {n}") for n in range(1, 6)}}

    def crawl(**options: Any) -> dict[str, str]:
        scrape(site.address, out, follow=["a"], model=model, workers=4, retries=0, **options)
        return changes(out) if options.get("incremental") else {}

    crawl()
    asked = sum(site.asked.values())
    crawl()
    assert sum(site.asked.values()) == asked  # nothing is visited again unasked
    site.pages |= {"/": page("start", "/1", "/2", "/4", "/5"), "/2": page("page 2, new")}
    del site.pages["/4"]
    expected = {"start": "unchanged", "page 1": "unchanged", "page 2, new": "changed", "page 5": "new"}
    assert crawl(incremental=True) == expected | {"page 3": "gone", "page 4": "gone"}
    site.pages["/4"] = page("page 4")
    assert crawl(incremental=True) == dict.fromkeys(expected, "unchanged") | {"page 4": "new"}
    assert site.asked["/1"] == 3
    crawl()
    assert site.asked["/1"] == 3


def test_incremental_when_cut_short(site: Served, tmp_path: Path) -> None:
    """With --limit a round goes on where it was; rows not seen yet are told as such, and nothing is gone by that."""
    out = tmp_path / "rows.jsonl"
    urls = leaves(site, tmp_path, range(4))
    scrape(urls, out)
    for done in range(1, 5):
        scrape(urls, out, incremental=True, limit=1)
        assert Counter(changes(out).values()) == Counter({"unchanged": done, "unchecked": 4 - done})
        assert max(site.asked[f"/leaf/{n}"] for n in range(4)) == 2
    scrape(urls, out, incremental=True)
    assert min(site.asked[f"/leaf/{n}"] for n in range(4)) == 3


def test_incremental_adds_what_is_news(site: Served, tmp_path: Path) -> None:
    """With --append the file becomes a diary of changes; pages of another list are nobody's business."""
    out = tmp_path / "rows.jsonl"
    scrape(leaves(site, tmp_path, range(10, 12), "others.txt"), out, append=True, incremental=True)
    site.pages |= {f"/{n}": page(f"page {n}") for n in range(3)}
    urls = tmp_path / "mine.txt"
    urls.write_text("".join(f"{site.address}/{n}\n" for n in range(3)))
    news: list[list[tuple[str, str]]] = []
    for path, body in ((None, b""), (None, b""), ("/1", page("page 1 b")), ("/2", None)):
        if body is None:
            site.pages.pop(str(path))
        elif path:
            site.pages[path] = body
        before = out.read_text()
        scrape(urls, out, append=True, incremental=True, retries=0)
        assert out.read_text().startswith(before)
        added = map(json.loads, out.read_text()[len(before) :].splitlines())
        news.append(sorted((row["t"], row["change"]) for row in added))
    assert news == [
        [("page 0", "new"), ("page 1", "new"), ("page 2", "new")],
        [],
        [("page 1 b", "changed")],
        [("page 2", "gone")],
    ]


def test_incremental_when_nothing_is_remembered(site: Served) -> None:
    """Standard output has no memory to compare with."""
    with pytest.raises(UsageError, match="--incremental: nothing is remembered"):
        scrape(f"{site.address}/a", Path("-"), incremental=True)


KILLED_AT = """
import os, sys
from toolkit.apps.scrape.changes import Changes
from toolkit.apps.scrape.output import Output
from toolkit.cli import main
from toolkit.store import Store

name, number = sys.argv[1].split(":")
place = {"record": Store, "commit": Store, "_add": Output, "finish": Output, "end": Output, "close": Changes}[name]
real, left = getattr(place, name), [int(number)]

def until(*args, **named):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), 9)
    return real(*args, **named)

setattr(place, name, until)
sys.argv = ["toolkit", *sys.argv[2:]]
main()
"""


def killed_at(point: str, *arguments: str) -> None:
    """Run the command until it comes to a point for the nth time, and kill it there."""
    done = subprocess.run([sys.executable, "-c", KILLED_AT, point, *arguments], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize("point", ["commit:2", "commit:3", "record:1", "_add:1", "_add:3", "finish:1", "end:1"])
@pytest.mark.parametrize("ordered", [True, False])
def test_append_when_killed_at_a_point(site: Served, tmp_path: Path, point: str, *, ordered: bool) -> None:
    """Wherever the kill comes, also while a file that was removed is built anew, each row is there once."""
    out = tmp_path / "rows.jsonl"
    options: dict[str, Any] = {"append": True, "ordered": ordered, "model": "sequential"}
    flags = ["--append", *(["--ordered"] if ordered else []), "--field", "t=title", "--model", "sequential", "--quiet"]
    point = "_add:1" if ordered and point == "_add:3" and not out.exists() else point
    few, more = leaves(site, tmp_path, range(5)), leaves(site, tmp_path, range(9), "more.txt")
    killed_at(point, "scrape", few, "-o", str(out), *flags)
    scrape(few, out, **options)
    assert sorted(titles(out)) == LEAF[:5]
    out.unlink()
    killed_at("_add:2", "scrape", more, "-o", str(out), *flags)
    scrape(more, out, **options)
    assert sorted(titles(out)) == LEAF[:9]
    scrape(more, out, **options)
    assert len(titles(out)) == 9


def test_append_after_a_kill_in_the_midst_of_replacing(site: Served, tmp_path: Path) -> None:
    """Nobody knows then what the file holds: it is written whole first."""
    out = tmp_path / "rows.jsonl"
    scrape(leaves(site, tmp_path, range(2)), out)
    flags = ("--field", "t=title", "--quiet", "--model", "sequential")
    for point in ("commit:5", "end:1"):
        killed_at(point, "scrape", leaves(site, tmp_path, range(4)), "-o", str(out), *flags, "--fresh")
        scrape(leaves(site, tmp_path, range(5)), out, append=True)
        assert sorted(titles(out)) == LEAF[:5]


def test_gone_is_told_once_though_killed_at_the_end(site: Served, tmp_path: Path) -> None:
    """What was added, and that it is told, is one step."""
    out = tmp_path / "rows.jsonl"
    flags = ("--field", "t=title", "--quiet", "--append", "--incremental")
    scrape(leaves(site, tmp_path, range(6)), out, append=True, incremental=True)
    few = leaves(site, tmp_path, range(2))
    for point in ("close:1", "end:1"):
        killed_at(point, "scrape", few, "-o", str(out), *flags)
    for _ in range(2):
        scrape(few, out, append=True, incremental=True)
    assert Counter(row["change"] for row in map(json.loads, out.read_text().splitlines())) == {"new": 6, "gone": 4}


@pytest.mark.parametrize("trouble", ["broken start", "sitemap", "since", "max per host"])
def test_nothing_is_gone_that_was_only_not_reached(site: Served, tmp_path: Path, trouble: str) -> None:
    """Where a page that may lead to others cannot be read, those are unchecked, and come again as what they are."""
    out = tmp_path / "rows.jsonl"
    site.pages |= {"/": page("start", "/1", "/2"), "/1": page("page 1"), "/2": page("page 2")}
    space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    urls = "".join(f"<url><loc>{site.address}/{n}</loc><lastmod>2020-01-01</lastmod></url>" for n in (1, 2))
    site.pages["/map.xml"] = f"<urlset {space}>{urls}</urlset>".encode()
    by_map = {"sitemap": [f"{site.address}/map.xml"]}
    options: dict[str, Any] = by_map if trouble in ("sitemap", "since") else {"follow": ["a"]}
    sources = [] if trouble in ("sitemap", "since") else [site.address]
    scrape(sources, out, incremental=True, retries=0, **options)
    before = dict(site.pages)
    extra: dict[str, Any] = {}
    if trouble == "broken start":
        site.broken.add("/")
    elif trouble == "sitemap":
        site.broken.add("/map.xml")
    elif trouble == "since":
        extra = {"since": "7d"}
    else:
        extra = {"max_per_host": 1}
    summary = scrape(sources, out, incremental=True, retries=0, **options, **extra)
    assert "gone" not in changes(out).values()
    assert "pages that nothing led to are not taken for gone: not all was read" in summary.warnings
    site.pages, site.broken = before, set()
    scrape(sources, out, incremental=True, retries=0, **options)
    if trouble != "max per host":
        assert set(changes(out).values()) == {"unchanged"}


def test_plain_run_within_a_round(site: Served, tmp_path: Path) -> None:
    """It goes on with the round, and what it saw is told apart as in the others."""
    out = tmp_path / "rows.jsonl"
    urls = leaves(site, tmp_path, range(5))
    scrape(urls, out, incremental=True)
    scrape(urls, out, incremental=True, limit=2)
    assert scrape(urls, out).remarks == ("rows: 3 unchanged",)
    assert titles(out) == LEAF[:5]
    scrape(urls, out, incremental=True)
    assert set(changes(out).values()) == {"unchanged"}
    assert min(site.asked[f"/leaf/{n}"] for n in range(5)) == 3


def test_retry_within_a_closed_round(site: Served, tmp_path: Path) -> None:
    """What failed is tried again in the round that it failed in, as the report says."""
    out = tmp_path / "rows.jsonl"
    urls = leaves(site, tmp_path, range(2))
    site.broken.add("/leaf/1")
    assert scrape(urls, out, incremental=True, retries=0).errors == 1
    site.broken.clear()
    assert scrape(urls, out, incremental=True, retry_failed=True).succeeded == 1
    assert changes(out) == {"leaf 0": "new", "leaf 1": "new"}
    with pytest.raises(UsageError, match="--limit is about"):
        scrape(urls, out, retry_failed=True, limit=1)


def test_field_called_change(site: Served, tmp_path: Path) -> None:
    """It is a field as any other, but where there is a column of that name."""
    out = tmp_path / "rows.jsonl"
    site.pages["/x"] = page("unchanged")
    toolkit.scrape(f"{site.address}/x", out, field=["change=title"], append=True)
    assert [json.loads(line)["change"] for line in out.read_text().splitlines()] == ["unchanged"]
    with pytest.raises(UsageError, match="--incremental has a column 'change' of its own"):
        toolkit.scrape(f"{site.address}/x", out, field=["change=title"], incremental=True)


def test_incremental_on_standard_output(site: Served, tmp_path: Path) -> None:
    """With a store named, what is gone is told there, too."""
    told: list[list[tuple[str, str]]] = []
    for numbers in (range(3), range(1)):
        urls = leaves(site, tmp_path, numbers)
        command = [sys.executable, "-m", "toolkit", "scrape", urls, "-o", "-", "--field", "t=title", "--quiet"]
        command += ["--incremental", "--state", str(tmp_path / "state")]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        told.append(sorted((row["t"], row["change"]) for row in map(json.loads, done.stdout.splitlines())))
    assert told[0] == [(f"leaf {n}", "new") for n in range(3)]
    assert told[1] == [("leaf 0", "unchanged"), ("leaf 1", "gone"), ("leaf 2", "gone")]


def test_coverage_when_nothing_is_added(site: Served, tmp_path: Path) -> None:
    """Where there is no new row there is nothing to complain of."""
    out = tmp_path / "rows.jsonl"
    for _ in range(2):
        assert scrape(leaves(site, tmp_path, range(2)), out, append=True, coverage="90%").exit_code == 0


def test_crawl_when_redirected_pages_are_seen_afresh(site: Served, tmp_path: Path) -> None:
    """A page that one is redirected to is one page in every round."""
    out = tmp_path / "rows.jsonl"
    site.pages |= {"/": page("start", "/moved", "/1"), "/1": page("page 1", "/target")}
    for options in ({}, {"fresh": True}, {"field": ["u=title"]}, {}):
        toolkit.scrape(site.address, out, **({"field": ["t=title"], "follow": ["a"], "model": "sequential"} | options))
        assert len(out.read_text().splitlines()) == 3


def test_limits_are_remembered(site: Served, tmp_path: Path) -> None:
    """--max-per-host counts what earlier runs have taken; with another number it is another crawl."""
    out = tmp_path / "rows.jsonl"
    common: dict[str, Any] = {"follow": ["a"], "max_per_host": 7}
    for limit in (2, 3, None):
        scrape(f"{site.address}/b", out, limit=limit, **common)
    assert len(titles(out)) == 8  # the start page is not one that a link has led to
    scrape(f"{site.address}/b", out, follow=["a"], max_per_host=9)
    assert len(titles(out)) == 10
