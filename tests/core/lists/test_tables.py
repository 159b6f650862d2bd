"""CSV and TSV: which column, which rows, and which of them cannot be used."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.lists.reading import quick, read, short
from toolkit.core.errors import UsageError
from toolkit.core.lists import ROW_LIMIT, Line
from toolkit.core.lists.table import OTHERS, read_table
from toolkit.core.lists.urlcolumn import KNOWN, distinct, find_column, numbered_column

U = "http://h/"


@pytest.mark.parametrize(
    ("content", "column", "entries"),
    [
        ("url\nhttp://h/\n", None, [(2, {})]),
        ("id,url,x\n1,http://h/,2\n", None, [(2, {"id": "1", "x": "2"})]),
        ("id,Image URL\r\n1, http://h/ \r\n", None, [(2, {"id": "1"})]),
        ("link,url\nx,http://h/\n", None, [(2, {"link": "x"})]),
        ("link,url\nhttp://h/,x\n", "link", [(2, {"url": "x"})]),
        ("LINK,Link\nx,http://h/\n", "Link", [(2, {"LINK": "x"})]),
        ("a,b\nx,http://h/\n", "2", [(2, {"a": "x"})]),
        ("a,b\nx,http://h/\n", "B", [(2, {"a": "x"})]),
        ("2,b\nhttp://h/,x\n", "2", [(2, {"b": "x"})]),
        ("7,http://h/\n8,http://h/\n", None, [(1, {"1": "7"}), (2, {"1": "8"})]),
        ("7,http://h/\n", "2", [(1, {"1": "7"})]),
        ("http://h/\n", None, [(1, {})]),
        (
            'url,"t, u"\nhttp://h/,"say ""hi"",\nyou"\nhttp://h/,z\n',
            None,
            [(2, {"t, u": 'say "hi",\nyou'}), (4, {"t, u": "z"})],
        ),
        ("\n\nurl,a\n\n,\nhttp://h/,\n", None, [(6, {"a": ""})]),
        ("url,a,a,,a_2\nhttp://h/,1,2,3,4\n", None, [(2, {"a": "1", "a_2": "2", "column_4": "3", "a_2_2": "4"})]),
        ("id;url\n1;http://h/\n", None, [(2, {"id": "1"})]),
        ("id\turl\n1\thttp://h/\n", None, [(2, {"id": "1"})]),
        ("id;where\n1,5;http://h/\n", "where", [(2, {"id": "1,5"})]),
        ("url\rhttp://h/\r", None, [(2, {})]),
        ("\ufeffurl,a\nhttp://h/,1\n", None, [(2, {"a": "1"})]),
        ('\ufeff"url",a\nhttp://h/,1\n', None, [(2, {"a": "1"})]),
        ("url,a\nhttp://h/,\x00\x85\u2028b\n", None, [(2, {"a": "\x00\x85\u2028b"})]),
    ],
)
def test_read_urls_finds_the_column_of_a_table(
    tmp_path: Path, content: str, column: str | None, entries: list[tuple[int, dict[str, str]]]
) -> None:
    """By name, by number, or by what is known; a first row that holds a URL is no header; the others are columns."""
    expected = [Line(U, f"list.csv:{number}", tuple(columns.items())) for number, columns in entries]
    assert read(tmp_path, "list.csv", content, column) == expected


def test_read_urls_takes_tabs_only_when_a_table_is_called_so(tmp_path: Path) -> None:
    """Commas and semicolons are text there; UTF-16 is what a spreadsheet writes."""
    content = "a,b;c\turl\r\n1,2\thttp://h/x,y;z\r\n"
    for encoding in ("utf-8", "utf-16"):
        lines = read(tmp_path, "list.tsv", content.encode(encoding))
        assert lines == [Line("http://h/x,y;z", "list.tsv:2", (("a,b;c", "1,2"),))]


@pytest.mark.parametrize(
    ("content", "column", "what"),
    [
        (
            "id,where\n1,http://h/\n",
            None,
            r"^list.csv: no URL column: name one by --url-column \(there is 'id', 'where'\)$",
        ),
        ("id,url\n1,http://h/\n", "where", r"none is called 'where' \(there is 'id', 'url'\)$"),
        ("id,url\n1,http://h/\n", "3", "none is called '3'"),
        ("id,url\n1,http://h/\n", "0", "none is called '0'"),
        ("id,url\n1,http://h/\n", "²", "none is called '²'"),
        (",".join(map(str, range(99))) + "\n", None, r"'19', …\)$"),
        ("x" * 50 + "\n", None, r"'x{39}…'"),
        ('"url\nhttp://h/\n', None, "^list.csv: line 1: not a row"),
        ("x" * (ROW_LIMIT + 1), None, "line 1: the row is longer"),
    ],
)
def test_check_sources_refuses_when_no_column_holds_urls(
    tmp_path: Path, content: str, column: str | None, what: str
) -> None:
    """The message names the columns that there are."""
    with pytest.raises(UsageError, match=what):
        read(tmp_path, "list.csv", content, column)


@pytest.mark.parametrize("header", ["url,a\n", ""])
def test_read_urls_goes_on_when_a_row_is_bad(tmp_path: Path, header: str) -> None:
    """Each bad row is one entry with its line and the reason; the others are read."""
    first = 2 if header else 1
    rows = ["http://h/1,x", "http://h/2", "http://h/3,x,y", ",x", '"http://h/4"5,x', "http://h/6,y"]
    lines = read(tmp_path, "list.csv", header + "\n".join(rows) + "\n")
    column = "url" if header else "1"
    assert short(lines) == [
        ("http://h/1", first, ""),
        ("", first + 1, "1 cells, where the first row has 2"),
        ("", first + 2, "3 cells, where the first row has 2"),
        ("", first + 3, f"no URL in column '{column}'"),
        ("", first + 4, "not a row of a table: ',' expected after '\"'"),
        ("http://h/6", first + 5, ""),
    ]
    assert lines[3].columns == (("a" if header else "2", "x"),)


@pytest.mark.parametrize("size", [ROW_LIMIT - 20, ROW_LIMIT + 20, 3 * ROW_LIMIT])
def test_read_urls_goes_on_when_a_row_is_huge(tmp_path: Path, size: int) -> None:
    """A row above the limit costs no more than the limit; the next line is read."""
    cell = "x" * (size // 30 - 1)  # none is larger than the CSV reader takes
    row = ",".join(["http://h/1", *[cell] * 29, cell + "x" * (size % 30)])
    lines = read(tmp_path, "list.csv", "url" + ",a" * 30 + "\n" + row + "\nhttp://h/2" + ",b" * 30 + "\n")
    bad = "the row is longer than 1,048,576 characters, or a quoted cell in it does not end" if size > ROW_LIMIT else ""
    assert [line.bad for line in lines] == [bad, ""]
    assert (lines[1].text, lines[1].where) == ("http://h/2", "list.csv:3")


@pytest.mark.parametrize("rest", ["", "http://h/3,c\n" * 3, "http://h/3,c\n" * 20_000])
def test_read_urls_tells_when_a_quoted_cell_does_not_end(tmp_path: Path, rest: str) -> None:
    """It is never taken for a cell that holds the rest of the file."""
    lines = read(tmp_path, "list.csv", f'url,a\nhttp://h/1,b\nhttp://h/2,"b\n{rest}')
    assert lines[0].text == "http://h/1"
    assert lines[1].where == "list.csv:3"
    assert lines[1].bad
    assert lines[1].text == lines[1].where
    assert all(len(value) < ROW_LIMIT for line in lines for _, value in line.columns)


def test_read_urls_keeps_bytes_in_urls_and_replaces_them_in_columns(tmp_path: Path) -> None:
    """A URL in Latin-1 can still be sent as it is; a column must be fit for every file that is written of it."""
    (line,) = read(tmp_path, "list.csv", b"url,t\nhttp://h/\xe9,caf\xe9\n")
    assert (line.text, line.columns) == ("http://h/\udce9", (("t", "caf?"),))


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), max_size=8)


@quick
@given(
    rows=st.lists(st.tuples(st.from_regex(r"http://h/[a-z,;\" ]{0,5}[a-z]", fullmatch=True), cells, cells), max_size=6),
    delimiter=st.sampled_from([*OTHERS]),
    end=st.sampled_from(["\r\n", "\n"]),
)
def test_read_table_reads_what_was_written(rows: list[tuple[str, str, str]], delimiter: str, end: str) -> None:
    """Any cells, delimiters and line ends come back, each row with the line on which it begins."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(["a", "url", "b"])
    begins = []
    for url, one, two in rows:
        begins.append(1 + sum(1 for _ in io.StringIO(out.getvalue(), newline="")))
        writer.writerow([one, url, two])
    entries = list(read_table(io.StringIO(out.getvalue(), newline=""), OTHERS, None))
    assert [tuple(entry) for entry in entries] == [
        (number, url, (("a", one), ("b", two)), "") for number, (url, one, two) in zip(begins, rows, strict=True)
    ]


@quick
@given(st.lists(st.sampled_from(["", " ", "a", "a_2", "a_3", "column_1", "b "])))
def test_distinct_gives_every_column_its_own_name(names: list[str]) -> None:
    """None is empty and none comes twice, whatever the header says."""
    found = distinct(names)
    assert len(set(found)) == len(found) == len(names)
    assert all(found)


def test_find_column_prefers_the_best_known_name() -> None:
    """In the order of the list that is documented, not in that of the table."""
    assert [find_column([*KNOWN[:n:-1], "x"], None) for n in range(len(KNOWN) - 1)] == [
        len(KNOWN) - n - 2 for n in range(len(KNOWN) - 1)
    ]
    assert find_column(["Download-URL", "x"], None) == 0
    assert find_column([], None) is None
    assert numbered_column("12345678", 3) is None
