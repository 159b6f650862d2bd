"""Parquet: columns of any type as text, rows that cannot be used, files that cannot be read."""

from __future__ import annotations

import datetime as dt
import decimal
import gzip
import io
import os
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.core.lists.reading import read, short
from toolkit.core.errors import RunStopped, UsageError
from toolkit.core.lists import ROW_LIMIT, Line, check_sources, count_urls, read_urls
from toolkit.core.lists.formats.parquet import BATCH


def parquet(table: dict[str, Any], **options: Any) -> bytes:
    """Return a table as a Parquet file."""
    out = io.BytesIO()
    pq.write_table(pa.table(table), out, **options)
    return out.getvalue()


def test_read_urls_takes_columns_of_any_type(tmp_path: Path) -> None:
    """As text, nothing for null, JSON for lists and structures."""
    nanoseconds = pa.array([1], pa.timestamp("ns"))
    table = {
        "text": ["é"],
        "int": [7],
        "bool": [True],
        "null": pa.array([None], pa.string()),
        "nulls": pa.nulls(1),
        "date": [dt.date(2026, 1, 2)],
        "time": nanoseconds,
        "decimal": [decimal.Decimal("1.50")],
        "URL": [" http://h/ "],
        "bytes": [b"a\xff"],
        "list": [["a", "b"]],
        "struct": [{"when": dt.date(2026, 1, 2), "b": b"x"}],
        "category": pa.array(["c"]).dictionary_encode(),
    }
    expected = {
        "text": "é",
        "int": "7",
        "bool": "true",
        "null": "",
        "nulls": "",
        "date": "2026-01-02",
        "time": "1970-01-01 00:00:00.000000001",
        "decimal": "1.50",
        "bytes": "a\ufffd",
        "list": '["a", "b"]',
        "struct": '{"when": "2026-01-02", "b": "b\'x\'"}',
        "category": "c",
    }
    lines = read(tmp_path, "list.parquet", parquet(table))
    assert lines == [Line("http://h/", "list.parquet:1", tuple(expected.items()))]


@pytest.mark.parametrize("packed", [False, True])
def test_read_urls_goes_on_when_a_row_of_parquet_is_bad(tmp_path: Path, packed: bool) -> None:
    """Rows without a URL or of megabytes are entries with the reason; over several batches and row groups."""
    count = 2 * BATCH + 10
    urls: list[str | None] = [f"http://h/{n}" for n in range(count)]
    urls[3], urls[BATCH] = None, " "
    notes = ["n"] * count
    notes[5] = "x" * (ROW_LIMIT + 1)
    data = parquet({"note": notes, "page_url": urls}, row_group_size=BATCH + 7)
    lines = read(tmp_path, "list.parquet.gz" if packed else "list.parquet", gzip.compress(data, 1) if packed else data)
    assert len(lines) == count
    assert [(number, bad) for _, number, bad in short(lines) if bad] == [
        (4, "no URL in column 'page_url'"),
        (6, "the row is longer than 1,048,576 characters"),
        (BATCH + 1, "no URL in column 'page_url'"),
    ]
    assert (lines[-1].text, lines[-1].columns) == (f"http://h/{count - 1}", (("note", "n"),))


@pytest.mark.parametrize(("column", "url"), [(None, "http://h/2"), ("place", "http://h/1"), ("1", "http://h/1")])
def test_read_urls_finds_the_column_of_parquet(tmp_path: Path, column: str | None, url: str) -> None:
    """By name, by number, or by what is known."""
    (line,) = read(tmp_path, "list.parquet", parquet({"Place": ["http://h/1"], "link": ["http://h/2"]}), column)
    assert line.text == url


def test_check_sources_refuses_when_parquet_cannot_be_used(tmp_path: Path) -> None:
    """No column of URLs, no Parquet, or half of it."""
    whole = parquet({"id": [1]})
    for data, what in (
        (whole, r"^list.parquet: no URL column: .* \(there is 'id'\)$"),
        (b"url\nhttp://h/\n", "^list.parquet: not a Parquet file that can be read"),
        (whole[:-9], "^list.parquet: not a Parquet file that can be read"),
        (b"", "^list.parquet: not a Parquet file that can be read"),
    ):
        with pytest.raises(UsageError, match=what):
            read(tmp_path, "list.parquet", data)


def test_read_urls_raises_when_parquet_is_damaged(tmp_path: Path) -> None:
    """A file whose pages are broken breaks off; it never ends quietly."""
    data = bytearray(parquet({"url": [f"http://h/{n}" for n in range(999)]}, compression="gzip"))
    data[200:400] = bytes(200)
    (tmp_path / "list.parquet").write_bytes(data)
    with pytest.raises(RunStopped, match=r"^list\.parquet: not a Parquet file"):
        list(read_urls([str(tmp_path / "list.parquet")]))
    assert count_urls([str(tmp_path / "list.parquet")]) is None


def test_read_urls_takes_parquet_from_a_pipe(tmp_path: Path) -> None:
    """What is at its end is needed first, so it is copied."""
    pipe = tmp_path / "pipe.parquet"
    os.mkfifo(pipe)
    check_sources([str(pipe)])
    writer = threading.Thread(target=pipe.write_bytes, args=(parquet({"url": ["http://h/"]}),))
    writer.start()
    assert list(read_urls([str(pipe)])) == [Line("http://h/", "pipe.parquet:1")]
    writer.join()
