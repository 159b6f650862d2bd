"""The user's own columns: all of them, in their order, under names of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.apps.scrape.owncolumns import MOST, OwnColumns
from toolkit.core.errors import TaskError, UsageError

TAKEN = ("url", "status", "title")


def test_own_columns_when_names_collide() -> None:
    """A column called as one of ours gets in_ before its name, and two never share one; values stay as they are."""
    own = OwnColumns(TAKEN)
    columns = (
        ("id", "1"),
        ("title", "theirs"),
        ("Status", "new"),
        ("in_title", "odd"),
        ("ID", "2"),
        ("", ""),
        ("a\tb", "x"),
    )
    named = own.of(columns)
    assert [name for name, _ in named] == ["id", "in_title", "in_Status", "in_title_2", "ID_2", "column", "a b"]
    assert [value for _, value in named] == [value for _, value in columns]
    assert own.of(columns) == named
    assert own.names == tuple(name for name, _ in named)


def test_own_columns_when_entries_differ() -> None:
    """A name means the same column in every entry, whatever came between."""
    own = OwnColumns(TAKEN)
    own.of((("a", "1"), ("A", "2")))
    assert own.of((("A", "3"),)) == (("A_2", "3"),)
    assert own.of((("b", ""), ("a", ""))) == (("b", ""), ("a", ""))
    assert own.names == ("a", "A_2", "b")


@given(st.lists(st.text(alphabet="aAé_2in tile\t", max_size=8), unique=True, max_size=12))
def test_own_columns_when_names_are_anything(names: list[str]) -> None:
    """No two columns are the same to SQLite, and none is ours."""
    own = OwnColumns(TAKEN)
    found = [name.lower() if name.isascii() else name for name, _ in own.of(tuple((name, "") for name in names))]
    assert len(set(found)) == len(names)
    assert not {*found} & {*TAKEN}


def test_own_columns_when_a_number_is_taken() -> None:
    """A name that is made up is none of ours, either."""
    assert OwnColumns((*TAKEN, "a_2")).of((("a", ""), ("A", ""))) == (("a", ""), ("A_3", ""))


def test_own_columns_when_there_is_no_end_of_them() -> None:
    """A list of objects with ever new names is a failure, not a table of a million columns."""
    own = OwnColumns(TAKEN)
    own.of(tuple((f"c{n}", "") for n in range(MOST)))
    own.of((("c1", ""),))
    with pytest.raises(TaskError, match="more than 1,000 different columns"):
        own.of((("new", ""),))


def test_meet_when_lists_are_given(tmp_path: Path) -> None:
    """All names are known before a row is written: those of tables, and those of the first objects of JSON lists."""
    (tmp_path / "a.csv").write_text("id,url,title\n1,http://h/1,x\n")
    (tmp_path / "b.jsonl").write_text("".join(json.dumps({"url": "http://h/", key: 1}) + "\n" for key in ("x", "y")))
    (tmp_path / "c.txt").write_text("http://h/\n")
    sources = ["http://h/0", *(str(tmp_path / name) for name in ("a.csv", "b.jsonl", "c.txt")), "-"]
    assert OwnColumns(TAKEN).meet(sources) == ("id", "in_title", "x", "y")
    many = {"url": "http://h/"} | {f"c{n}": "" for n in range(MOST + 1)}
    (tmp_path / "d.jsonl").write_text(json.dumps(many) + "\n")
    with pytest.raises(UsageError, match=r"d\.jsonl:1: the list has more than 1,000"):
        OwnColumns(TAKEN).meet([str(tmp_path / "d.jsonl")])
