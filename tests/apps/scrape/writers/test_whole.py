"""What is written reads back as it was."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.apps.scrape.writers.reading import COLUMNS as ALL
from tests.apps.scrape.writers.reading import FORMS, TYPES, as_read, read, row
from toolkit.apps.scrape.writers import Row, check_output, form_of, replacing, writer
from toolkit.apps.scrape.writers import csv as csv_writer
from toolkit.apps.scrape.writers import jsonl as jsonl_writer
from toolkit.core import plugins
from toolkit.core.errors import UsageError

COLUMNS = ("url", "status", "title", "links")
ROWS: list[Row] = [
    {"url": "http://h/1", "status": 200, "title": 'He said "é, 日本\u2028"', "links": ["http://h/a,b", 'x"y']},
    {"url": "http://h/2", "status": 200, "title": "two\nlines\r\nand\rmore", "links": []},
    {"url": "http://h/3", "status": 204, "title": None, "links": []},
    {"url": "http://h/4", "status": 200, "title": "", "links": ["\U0001f600"]},
]


def test_writers_when_listed() -> None:
    """The folder is the list of suffixes."""
    assert plugins.names("toolkit.apps.scrape.writers") == ["csv", "db", "jsonl", "parquet", "sqlite", "tsv"]


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


TEXTS = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    ['"', '""', ",", "\r\n", "\n", "\r", "a\tb", "\ufeff", "\u2028", "=1+1", "'", "null", "\x0b", "\U0001f600"]
)
JSON = st.recursive(TEXTS | st.booleans() | st.integers(-(2**70), 2**70) | st.none(), st.lists, max_leaves=4)
ROW = st.fixed_dictionaries(
    {
        "url": TEXTS,
        "status": st.none() | st.integers(-(2**63), 2**63 - 1),
        "title": st.none() | TEXTS,
        "price": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "stock": st.none() | st.booleans(),
        "links": st.none() | st.lists(TEXTS, max_size=3),
        "brand": st.none() | st.dictionaries(TEXTS, JSON, max_size=2),
        "any": st.none() | TEXTS | st.lists(JSON, max_size=2),
    }
)


def written(path: Path, rows: list[Row], columns: tuple[str, ...] = ALL, **options: Any) -> Path:
    """Write rows as the app does when a run ends."""
    with replacing(path) as file:
        writer(form_of(path))(file, columns, iter(rows), types=TYPES, **options)
    return path


@pytest.mark.parametrize("form", ["jsonl", "csv", "sqlite", "parquet"])
@settings(max_examples=25, deadline=None)
@given(rows=st.lists(ROW, max_size=4))
def test_whole_files_when_read_back(form: str, rows: list[Row], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Every value comes back as it was; in CSV as text, None and "" alike; a NUL, which CSV cannot hold, as U+FFFD."""
    path = written(tmp_path_factory.mktemp("rows") / f"rows.{form}", rows)
    wanted = [as_read(path, each) for each in rows]
    if form == "csv":
        wanted = [{name: cell.replace("\0", "\ufffd") for name, cell in each.items()} for each in wanted]
    assert read(path) == wanted


@pytest.mark.parametrize("form", FORMS)
def test_whole_files_when_values_are_hard(form: str, tmp_path: Path) -> None:
    """Halves of characters, numbers that JSON has not, huge numbers and lists of lists: written, if need be as null."""
    rows = [
        row(1, title="a\ud800b", price=float("nan"), links=["\udfff"], any=[float("inf"), [1]]),
        row(2, status=2**64, price=None, links=[], stock=None),
        {"url": "http://h/3"},
    ]
    found = read(written(tmp_path / f"rows.{form}", rows))
    assert [each["url"] for each in found] == ["http://h/1", "http://h/2", "http://h/3"]
    assert found[0]["title"] == "a?b"
    assert found[0]["price"] in (None, "")
    assert found[0]["any"] in ([None, [1]], "[null, [1]]")
    assert found[1]["status"] in (2**64, str(2**64), None)
    assert (found[1]["status"] is None) == (form == "parquet")


def test_none_is_told_from_nothing_where_the_form_can(tmp_path: Path) -> None:
    """JSON lines, SQLite and Parquet tell null from the empty text; CSV has one empty cell for both."""
    for form in FORMS:
        found = read(written(tmp_path / f"rows.{form}", [row(1, title=None), row(2, title="")]))
        expected = ["", ""] if form in ("csv", "tsv") else [None, ""]
        assert [each["title"] for each in found] == expected, form


def test_parquet_types_when_rules_say_them(tmp_path: Path) -> None:
    """Columns have the types of the rules; lists of known values are lists, others JSON texts."""
    path = written(tmp_path / "rows.parquet", [row(1)])
    names = dict(zip(ALL, pq.read_schema(path).types, strict=True))
    assert names["status"], names["price"] == (pa.int64(), pa.float64())
    assert (names["stock"], names["links"]) == (pa.bool_(), pa.list_(pa.string()))
    assert (names["brand"], names["any"]) == (pa.string(), pa.string())


def test_parquet_when_a_value_is_of_another_type(tmp_path: Path) -> None:
    """One wrong value is null and costs no other row."""
    rows = [row(1, price="n/a", status=True, stock=1, links="x"), row(2, price=3, status=2)]
    found = read(written(tmp_path / "rows.parquet", rows))
    assert [found[0][name] for name in ("price", "status", "stock", "links")] == [None] * 4
    assert [found[1][name] for name in ("price", "status")] == [3.0, 2]


def test_sqlite_types_when_rules_say_them(tmp_path: Path) -> None:
    """Numbers are numbers to SQL, and any tool sees what a column holds."""
    path = written(tmp_path / "rows.sqlite", [row(n) for n in range(4)])
    with closing(sqlite3.connect(path)) as database:
        kinds = [kind for _, _, kind, *_ in database.execute("PRAGMA table_info(rows)")]
        assert kinds == ["TEXT", "INTEGER", "TEXT", "REAL", "BOOLEAN", "TEXT", "TEXT", ""]
        assert database.execute("SELECT sum(price) FROM rows WHERE stock").fetchone() == (1.5,)
        assert database.execute("SELECT json_extract(brand, '$.name') FROM rows").fetchone() == ("x",)


FORMULAS = ["=1+1", "+A1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "+49 170 1234"]
HARMLESS = ["-12.5", "+3", "-1,234.50", "1e5", "a=b", " =1", "", "'=1"]


def test_csv_when_formulas_are_escaped(tmp_path: Path) -> None:
    """A text that a spreadsheet would run gets an apostrophe, a heading too; numbers stay numbers."""
    rows = [{"=url": text, "price": -1.5} for text in FORMULAS + HARMLESS]
    columns = ("=url", "price")
    path = written(tmp_path / "rows.csv", rows, columns, escape_formulas=True)
    found = read(path)
    assert [each["'=url"] for each in found] == [f"'{text}" for text in FORMULAS] + HARMLESS
    assert {each["price"] for each in found} == {"-1.5"}
    plain = read(written(tmp_path / "plain.csv", rows, columns))
    assert [each["=url"] for each in plain] == FORMULAS + HARMLESS


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="the sqlite3 program is not installed")
def test_csv_when_imported_by_sqlite(tmp_path: Path) -> None:
    """`.import --csv` sees the same cells: quotes, line breaks, commas."""
    rows = [row(1, title='a "b", c\nd'), row(2, title="x\r\ny"), row(3, title=None, links=["a,b", 'c"d'])]
    path = written(tmp_path / "rows.csv", rows)
    database = tmp_path / "imported.sqlite"
    subprocess.run(["sqlite3", database, f".import --csv {path} rows"], check=True, capture_output=True)
    assert read(database) == read(path)


def test_csv_when_read_by_pandas(tmp_path: Path) -> None:
    """A data frame has the columns, the rows and the numbers."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(written(tmp_path / "rows.csv", [row(n, title='"a",\nb') for n in range(3)]))
    assert list(frame.columns) == list(ALL)
    assert list(frame["title"]) == ['"a",\nb'] * 3
    assert frame["price"].sum() == 0.75


def test_replacing_when_writing_fails(tmp_path: Path) -> None:
    """The old file stays as it was, and nothing is left beside it."""
    path = written(tmp_path / "rows.sqlite", [row(1)])
    before = path.read_bytes()

    def broken() -> Any:
        yield row(2)
        raise ValueError("the source is gone")

    with pytest.raises(ValueError, match="gone"), replacing(path) as file:
        writer("sqlite")(file, ALL, broken(), types=TYPES)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["rows.sqlite"]


def test_check_output_when_a_database_is_somebody_elses(tmp_path: Path) -> None:
    """Replacing a database would cost its other tables: refused; adding to it is fine."""
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE customers (name)")
    with pytest.raises(UsageError, match=r"other tables \(customers\)"):
        check_output(path)
    assert check_output(path, replace=False) == "db"
    (tmp_path / "text.sqlite").write_text("not a database at all, but long enough to be taken for one" * 9)
    with pytest.raises(UsageError, match="no database that can be read"):
        check_output(tmp_path / "text.sqlite")
    with pytest.raises(UsageError, match=r"must end in one of \.csv, \.db, \.jsonl"):
        check_output(tmp_path / "rows.xlsx")
    assert check_output(written(tmp_path / "ours.sqlite", [])) == "sqlite"
