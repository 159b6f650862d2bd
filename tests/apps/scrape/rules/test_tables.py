"""Tables become records by their header, whatever their cells span."""

from __future__ import annotations

import pytest

from toolkit.apps.scrape.auto import read_auto
from toolkit.apps.scrape.rules import read_page, read_rules, tables
from toolkit.core import plugins

PARSERS = plugins.names("toolkit.apps.scrape.parsers")


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("<tr><th>a<th>b<tr><td>1<td>2<tr><td>3", [{"a": "1", "b": "2"}, {"a": "3", "b": ""}]),
        ("<thead><tr><td>a<td>b</thead><tbody><tr><td>1<td>2</tbody>", [{"a": "1", "b": "2"}]),
        ("<tr><td>1<td>2", [{"1": "1", "2": "2"}]),
        ("<tr><th>x<td>1<tr><th>y<td>2", [{"1": "x", "2": "1"}, {"1": "y", "2": "2"}]),
        ("<tr><th>only", [{"1": "only"}]),
        ("<tr><th>a<th>a<th><tr><td>1<td>2<td>3", [{"a": "1", "a 2": "2", "3": "3"}]),
        ("<tr><th colspan=2>a<th>b<tr><td>1<td>2<td>3", [{"a": "1", "a 2": "2", "b": "3"}]),
        (
            "<thead><tr><th rowspan=2>n<th colspan=2>size<tr><th>w<th>h</thead><tr><td>x<td>1<td>2",
            [{"n": "x", "size w": "1", "size h": "2"}],
        ),
        (
            "<tr><th>a<th>b<tr><td rowspan=2>1<td>2<tr><td>3<tr><td rowspan=0>4<td>5<tr><td>6<tr><td>7",
            [{"a": a, "b": b} for a, b in ("12", "13", "45", "46", "47")],
        ),
        ("<tr><th>a<th>b<tr><td colspan=2>1", [{"a": "1", "b": "1"}]),
        ("<tr><th>a<tr><td><table><tr><td>in<tr><td>ner</table>", [{"a": "in ner"}]),
        ("<caption>c</caption><tr><th>a<tr><td> x <br> y", [{"a": "x y"}]),
        ("<tr><th>a<tr><td colspan=x rowspan=-1>1", [{"a": "1"}]),
        ("", []),
    ],
)
def test_table_when_read(parser: str, table: str, expected: list[dict[str, str]]) -> None:
    """Known answers, under every parser."""
    page = f"<!doctype html><table>{table}</table>".encode()
    found = read_page(page, "utf-8", "http://h.org/", read_rules(parser, ["t=table::table"]))
    assert found.rows == ({"t": expected},)
    assert found.problems == ()


def test_table_when_it_claims_too_much() -> None:
    """A few tags that stand for millions of cells are a problem, and no memory is taken for them."""
    rows = "<tr>" + "<td colspan=1000 rowspan=65534>x" * 100
    page = f"<table>{rows * 100}</table>".encode()
    found = read_page(page, "utf-8", "http://h.org/", read_rules("lexbor", ["t=table::table"]))
    assert found.rows == ({"t": None},)
    assert "a table of at most 200,000 cells" in found.problems[0].reason


@pytest.mark.parametrize(
    "rows",
    [
        "<tr>" + "<td>x" * 1000 + "<tr><td>x" * 1000,
        "<thead><tr>" + "<td colspan=1000 rowspan=65534>x" * 20 + "<tr>" * 20,
    ],
    ids=["short rows are padded", "cells reach down into empty rows"],
)
def test_table_when_a_few_cells_stand_for_many(rows: str) -> None:
    """What rows take from elsewhere counts, too: a thousand columns in a thousand records are a million values."""
    page = f"<table>{rows}</table>".encode()
    found = read_page(page, "utf-8", "http://h.org/", read_rules("lexbor", ["t=table::table"]))
    assert found.rows == ({"t": None},)
    assert "a table of at most 200,000 cells" in found.problems[0].reason
    auto = read_auto(page.decode(), "http://h.org/", ["tables"])
    assert auto.values == {"tables": []}
    assert "at most 200,000 cells" in auto.problems[0][1]


@pytest.mark.parametrize(("most", "rows"), [(12, 3), (11, None)])
def test_table_when_just_as_large_as_may_be(most: int, rows: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each cell counts once, those of the header with the rest."""
    monkeypatch.setattr(tables, "CELLS", most)
    page = b"<table><tr><th>a<th>b<th>c" + b"<tr><td>1<td>2<td>3" * 3 + b"</table>"
    found = read_page(page, "utf-8", "http://h.org/", read_rules("lexbor", ["t=table::table"]))
    value = found.rows[0]["t"]
    assert (value and len(value)) == rows


def test_tables_when_many() -> None:
    """Each is a list of its own."""
    page = b"<table><tr><th>a<tr><td>1</table><table><tr><td>2</table>"
    found = read_page(page, "utf-8", "http://h.org/", read_rules("lexbor", ["t[]=table::table"]))
    assert found.rows == ({"t": [[{"a": "1"}], [{"1": "2"}]]},)
