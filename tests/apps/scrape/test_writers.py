"""What is written reads back as it was."""

from __future__ import annotations

import csv
import io
import json

from toolkit.apps.scrape.writers import Row
from toolkit.apps.scrape.writers import csv as csv_writer
from toolkit.apps.scrape.writers import jsonl as jsonl_writer
from toolkit.core import plugins

COLUMNS = ("url", "status", "title", "links")
ROWS: list[Row] = [
    {"url": "http://h/1", "status": 200, "title": 'He said "é, 日本\u2028"', "links": ["http://h/a,b", 'x"y']},
    {"url": "http://h/2", "status": 200, "title": "two\nlines\r\nand\rmore", "links": []},
    {"url": "http://h/3", "status": 204, "title": None, "links": []},
    {"url": "http://h/4", "status": 200, "title": "", "links": ["\U0001f600"]},
]


def test_writers_when_listed() -> None:
    """The folder is the list of suffixes."""
    assert plugins.names("toolkit.apps.scrape.writers") == ["csv", "jsonl"]


def test_jsonl_when_read_back() -> None:
    """One object a line, nothing lost, letters readable."""
    file = io.BytesIO()
    jsonl_writer.write(file, COLUMNS, iter(ROWS))
    lines = file.getvalue().decode("utf-8").split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == ROWS
    assert "日本" in lines[0]


def test_csv_when_read_back() -> None:
    """RFC 4180: every cell comes back, None as nothing, lists as JSON."""
    file = io.BytesIO()
    csv_writer.write(file, COLUMNS, iter(ROWS))
    assert file.getvalue().startswith(b"url,status,title,links\r\nhttp://h/1,200,")
    found = list(csv.DictReader(io.StringIO(file.getvalue().decode("utf-8"), newline="")))
    assert [row["title"] for row in found] == [row["title"] or "" for row in ROWS]
    assert [json.loads(row["links"]) for row in found] == [row["links"] for row in ROWS]
    assert not file.closed


def test_writers_when_there_is_no_row() -> None:
    """Without rows, CSV has its header, and JSON Lines nothing."""
    csv_file, jsonl_file = io.BytesIO(), io.BytesIO()
    csv_writer.write(csv_file, COLUMNS, iter(()))
    jsonl_writer.write(jsonl_file, COLUMNS, iter(()))
    assert (csv_file.getvalue(), jsonl_file.getvalue()) == (b"url,status,title,links\r\n", b"")
