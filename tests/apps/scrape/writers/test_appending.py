"""Rows that come one at a time: behind those that are there, none lost or doubled by a kill."""

from __future__ import annotations

import json
import os
import random
import select
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.apps.scrape.writers.reading import COLUMNS, FORMS, TYPES, as_read, read, row
from tests.apps.scrape.writers.writing import last_note
from toolkit.apps.scrape.writers import Appender, Row, open_appender, replacing, writer
from toolkit.core.errors import TaskError, UsageError

TORN = {
    "jsonl": b'{"url": "http://h/9", "sta',
    "csv": b'http://h/9,200,"two\r\nli',
    "tsv": b"http://h/9\t200",
}

KILLED = """
import os, sys
from pathlib import Path
from tests.apps.scrape.writers.test_appending import opened, row

appender = opened(Path(sys.argv[1]), replace=True)
appender.add(row(8))
os.write(1, str(appender.mark()).encode())
appender.add(row(9))
os.kill(os.getpid(), 9)
"""


def appended(path: Path, *numbers: int, mark: int | None = None, replace: bool = False) -> int:
    """Add rows and close; return the mark before that."""
    with closing(opened(path, mark=mark, replace=replace)) as appender:
        for number in numbers:
            appender.add(row(number, title=f'"{number}",\r\n'))
        return appender.mark()


def opened(path: Path, *, mark: int | None = None, replace: bool = False) -> Appender:
    return open_appender(path, COLUMNS, types=TYPES, mark=mark, replace=replace)


def expected(path: Path, *numbers: int) -> list[Row]:
    return [as_read(path, row(number, title=f'"{number}",\r\n')) for number in numbers]


def beside(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.iterdir() if each != path)


@pytest.mark.parametrize("form", FORMS)
def test_appender_when_opened_again(form: str, tmp_path: Path) -> None:
    """Rows come behind those of earlier runs, under one header, and nothing is left beside."""
    path = tmp_path / "sub" / f"rows.{form}"
    appended(path, 1, 2)
    appended(path, 3)
    appended(path)
    assert read(path) == expected(path, 1, 2, 3)
    assert beside(path) == []


@pytest.mark.parametrize("form", FORMS)
def test_appender_when_opened_at_a_mark(form: str, tmp_path: Path) -> None:
    """What was written behind the mark is dropped: those rows will come again."""
    path = tmp_path / f"rows.{form}"
    mark = appended(path, 1, 2)
    appended(path, 8, 9)
    appended(path, 3, mark=mark)
    assert read(path) == expected(path, 1, 2, 3)
    appended(path, 4, mark=0)
    if form in ("csv", "tsv"):
        assert read(path) == expected(path, 4)
    assert read(path)[-1] == expected(path, 4)[0]


@pytest.mark.parametrize("form", FORMS)
def test_appender_when_rows_are_gone(form: str, tmp_path: Path) -> None:
    """A file that has less than the store knows of is not gone on with in silence."""
    path = tmp_path / f"rows.{form}"
    mark = appended(path, 1, 2, 3)
    path.unlink()
    appended(path, 1)
    with pytest.raises(UsageError, match="has lost rows"):
        opened(path, mark=mark)
    assert read(path) == expected(path, 1)


@pytest.mark.parametrize("form", sorted(TORN))
def test_appender_when_the_last_line_is_torn(form: str, tmp_path: Path) -> None:
    """The torn line goes, the others stay."""
    path = tmp_path / f"rows.{form}"
    appended(path, 1, 2)
    with path.open("ab") as file:
        file.write(TORN[form])
    appended(path, 3)
    assert read(path) == expected(path, 1, 2, 3)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_appender_when_cut_at_any_byte(form: str, tmp_path: Path) -> None:
    """Wherever the file ends, the rows that are whole stay, and what comes next is a row of its own."""
    path = tmp_path / f"rows.{form}"
    appended(path, 1, 2)
    whole = path.read_bytes()
    for size in range(len(whole) + 1):
        path.write_bytes(whole[:size])
        appended(path, 3)
        found = read(path)
        assert found[-1:] == expected(path, 3), size
        assert found[:-1] == expected(path, 1, 2)[: len(found) - 1], size
        if form == "jsonl":  # an object that is whole needs no line break to be known
            ends = [end for end, byte in enumerate(whole) if byte == ord("\n")]
            assert len(found) - 1 == sum(size >= end for end in ends), size


def test_jsonl_when_a_power_cut_left_zeros(tmp_path: Path) -> None:
    """Some file systems give a file its length before its bytes."""
    path = tmp_path / "rows.jsonl"
    appended(path, 1)
    with path.open("ab") as file:
        file.write(bytes(300))
    appended(path, 2)
    assert read(path) == expected(path, 1, 2)


@pytest.mark.parametrize(("form", "text"), [("jsonl", "[1, 2, 3]"), ("csv", "some notes"), ("csv", "a,b\n1,2\n")])
def test_appender_when_the_file_is_somebody_elses(form: str, text: str, tmp_path: Path) -> None:
    """What is no such file is refused, and stays as it is to the byte."""
    path = tmp_path / f"rows.{form}"
    path.write_text(text)
    with pytest.raises(UsageError, match="choose another output"):
        opened(path)
    assert path.read_text() == text


@pytest.mark.parametrize("form", ["csv", "sqlite", "parquet"])
def test_appender_when_columns_differ(form: str, tmp_path: Path) -> None:
    """The columns that differ are named; in another order they are the same."""
    path = tmp_path / f"rows.{form}"
    appended(path, 1)
    with pytest.raises(UsageError, match=r"it lacks 'colour'; it has 'price', 'stock'\)"):
        open_appender(path, ("url", "status", "title", "links", "brand", "any", "colour"), types=TYPES)
    with closing(open_appender(path, COLUMNS[::-1], types=TYPES)) as appender:
        appender.add(row(2, title='"2",\r\n'))
    assert read(path) == expected(path, 1, 2)


def test_parquet_when_types_differ(tmp_path: Path) -> None:
    """A column of another type is an error, not a column of nulls."""
    path = tmp_path / "rows.parquet"
    appended(path, 1)
    with pytest.raises(UsageError, match=r"'price' is double there, and string by these rules"):
        open_appender(path, COLUMNS, types={**TYPES, "price": str})


def test_parquet_when_killed_between_the_rename_and_the_end(tmp_path: Path) -> None:
    """A journal that the table has taken in already is not taken in again."""
    path = tmp_path / "rows.parquet"
    appender = opened(path)
    appender.add(row(1, title='"1",\r\n'))
    journal = path.with_name(".rows.parquet.journal.jsonl")
    lines = journal.read_bytes()
    appender.close()
    journal.write_bytes(lines)
    appended(path, 2)
    assert read(path) == expected(path, 1, 2)


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_appender_when_another_run_writes(form: str, tmp_path: Path) -> None:
    """Two runs never write one file."""
    path = tmp_path / f"rows.{form}"
    with closing(opened(path)), pytest.raises(TaskError, match="another run"):
        opened(path)


@pytest.mark.parametrize("form", FORMS)
def test_appender_when_it_replaces(form: str, tmp_path: Path) -> None:
    """The old file stays until the new one is whole; a run that was killed goes on with its own part, or anew."""
    path = tmp_path / f"rows.{form}"
    appended(path, 1)
    mark = int(subprocess.run([sys.executable, "-c", KILLED, path], stdout=subprocess.PIPE, check=False).stdout)
    assert read(path) == expected(path, 1)
    appended(path, 2, mark=mark, replace=True)
    assert [each["url"] for each in read(path)] == ["http://h/8", "http://h/2"]
    appended(path, 3, replace=True)
    assert read(path) == expected(path, 3)
    assert beside(path) == []


@pytest.mark.parametrize("live", [True, False])
def test_replacing_when_an_old_log_is_left(tmp_path: Path, *, live: bool) -> None:
    """The write-ahead log of a killed run is not played into the database that takes its place."""
    path = tmp_path / "rows.sqlite"
    appender = opened(path)
    appender.add(row(1))
    appender.mark()
    old, log = path.read_bytes(), path.with_name("rows.sqlite-wal").read_bytes()
    appender.close()
    path.write_bytes(old)
    path.with_name("rows.sqlite-wal").write_bytes(log)
    if live:
        appended(path, 2, replace=True)
    else:
        with replacing(path) as file:
            writer("sqlite")(file, COLUMNS, [row(2)], types=TYPES)
    assert beside(path) == []
    assert [each["url"] for each in read(path)] == ["http://h/2"]


def test_sqlite_when_rows_have_a_key(tmp_path: Path) -> None:
    """A row of the same key takes the place of the older one; others come behind."""
    path = tmp_path / "rows.sqlite"
    for title in ("old", "new"):
        with closing(open_appender(path, COLUMNS, types=TYPES, key=("url", "status"))) as appender:
            appender.add(row(1, title=title))
            appender.add(row(2, title=title, status=None if title == "old" else 404))
    assert [(each["url"], each["title"]) for each in read(path)] == [
        ("http://h/1", "new"),
        ("http://h/2", "old"),
        ("http://h/2", "new"),
    ]


def test_sqlite_when_the_database_holds_more(tmp_path: Path) -> None:
    """Rows are added to somebody's database without touching what is in it; hostile names are names."""
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE customers (name)")
    columns = ('a"; DROP TABLE customers; --', "select")
    with closing(open_appender(path, columns)) as appender:
        appender.add({columns[0]: "1", "select": "2"})
    assert read(path) == [{columns[0]: "1", "select": "2"}]
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT count(*) FROM customers").fetchone() == (0,)


@pytest.mark.parametrize("columns", [("Title", "title"), tuple(f"c{n}" for n in range(3000))])
def test_sqlite_when_columns_cannot_be(columns: tuple[str, ...], tmp_path: Path) -> None:
    """What SQLite refuses is told in its words."""
    with pytest.raises(UsageError, match=r"duplicate column name|too many columns"):
        open_appender(tmp_path / "rows.sqlite", columns)


@pytest.mark.parametrize("form", ["jsonl", "csv", "sqlite", "parquet"])
def test_appender_when_killed_at_random(form: str, tmp_path: Path) -> None:
    """`kill -9` at random moments: after the last run, each row is there once, in order."""
    path, notes = tmp_path / f"rows.{form}", tmp_path / "notes"
    draw = random.Random(5)
    most = 40_000
    command = [sys.executable, "-m", "tests.apps.scrape.writers.writing", str(path), str(notes)]
    for _ in range(3):
        with subprocess.Popen([*command, str(most)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert select.select([process.stdout], [], [], 30)[0]
            time.sleep(draw.uniform(0, 0.05))  # the moment is random; nothing depends on it
            assert process.poll() is None, "it ended before it could be killed"
            os.kill(process.pid, signal.SIGKILL)
    done, _ = last_note(notes)
    subprocess.run([*command, str(done + 20)], check=True, stdout=subprocess.DEVNULL)
    assert [each["url"] for each in read(path)] == [f"http://h/{number}" for number in range(done + 20)]


def test_parquet_when_read_before_the_end(tmp_path: Path) -> None:
    """Until it is closed the table is as before, and the journal holds the rows as plain JSON lines."""
    path = tmp_path / "rows.parquet"
    appended(path, 1)
    with closing(opened(path)) as appender:
        appender.add(row(2))
        assert read(path) == expected(path, 1)
        lines = path.with_name(".rows.parquet.journal.jsonl").read_text().splitlines()
        assert json.loads(lines[1])["url"] == "http://h/2"
    assert pq.read_schema(path).field("links").type == pa.list_(pa.string())
