"""What is in pages, in the form in which tools are compared, and who has it wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from _scrape_judge import Judge
from _scrape_pages import Row, Rows, came, compared, found, paths, reached, read
from _tools import Tool

from toolkit.core.errors import UsageError

BASE = "http://127.0.0.1:1"
TOOL = Tool("a tool", "tool", "", lambda *_: [])


def row(number: int, *links: str) -> Row:
    return compared(f"Title {number}", f"Heading {number}", [f"code {number}"], list(links), f"{BASE}/{number}.html")


def site(count: int = 200) -> Rows:
    return {f"{BASE}/{number}.html": row(number, f"{number + 1}.html#part") for number in range(count)}


def written(folder: Path, rows: Rows, **other: Any) -> Path:
    """Return a folder with rows as a tool writes them; other: values that the first has instead."""
    lines = [
        {"url": url, "title": each.title, "h1": each.h1, "code": each.code, "links": each.links}
        for url, each in rows.items()
    ]
    lines[0] |= other
    (folder / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_pages_are_read(tmp_path: Path) -> None:
    """Text is that of all elements inside; links are absolute; pages in folders have their own base."""
    (tmp_path / "in").mkdir()
    text = "<title> A\n page</title><h1>It<i>self</i></h1><pre>\n a <b>b</b>\n</pre><a href='x.html#p'></a><a></a>"
    (tmp_path / "in" / "a b.html").write_text(text)
    (tmp_path / "none.txt").touch()
    assert paths(found(tmp_path, tmp_path)) == ["in/a b.html"]
    rows = read(tmp_path, ["in/a b.html"], BASE)
    assert rows == {f"{BASE}/in/a%20b.html": Row("A page", "Itself", ("a b",), (f"{BASE}/in/x.html#p",))}


@pytest.mark.parametrize(
    ("link", "same"),
    [("#", ""), (" b.html ", "b.html"), ("é.html", "%C3%A9.html"), ("http://h.test", "http://h.test/")],
)
def test_links_that_parsers_write_in_their_own_way(link: str, same: str) -> None:
    """An empty fragment, white space around, escapes and a lone host make no difference."""
    assert row(1, link) == row(1, same)


def test_other_links_are_others() -> None:
    """Case, fragments, queries and order do."""
    links = ["b.html", "B.html", "b.html#c", "b.html?c"]
    assert len({row(1, link) for link in links}) == len(links)
    assert row(1, *links) != row(1, *reversed(links))


def test_pages_that_are_reached() -> None:
    """Whoever follows all links comes to these, and to no other."""
    rows = {**site(3), f"{BASE}/alone.html": row(9, "0.html")}
    assert list(reached(rows, f"{BASE}/1.html")) == [f"{BASE}/1.html", f"{BASE}/2.html"]


def test_folder_without_pages(tmp_path: Path) -> None:
    """A wrong folder is told."""
    with pytest.raises(UsageError, match=r"--pages .*: there are no files below it whose names end in \.html"):
        found(tmp_path, tmp_path)


def test_rows_without_some_fields(tmp_path: Path) -> None:
    """Who was not asked for code has none."""
    (tmp_path / "rows.jsonl").write_text(json.dumps({"url": BASE, "title": None, "h1": "x", "links": []}) + "\n")
    assert list(came(tmp_path / "rows.jsonl")) == [(BASE, Row("", "x", (), ()))]


def test_the_same_rows(tmp_path: Path) -> None:
    """All is well in whatever order rows come."""
    rows = site()
    judge = Judge(rows)
    out = written(tmp_path, dict(reversed(rows.items())))
    assert (judge(TOOL, out, True), judge(TOOL, out, False), judge.odd) == ("", "", {})


def test_few_other_rows_are_counted(tmp_path: Path) -> None:
    """A parser may differ in one page of a hundred: the page is named, and so is the field."""
    judge = Judge(site())
    assert judge(TOOL, written(tmp_path, site(), h1="other", code=[]), True) == ""
    assert judge.odd == {"a tool": f"1 pages (h1 in 1, code in 1): {BASE}/0.html"}
    judge = Judge(site(50))
    told = judge(TOOL, written(tmp_path, site(50), links=[]), True)
    assert told == f"other rows in 1 pages (links in 1): {BASE}/0.html"


def test_missing_and_doubled_rows(tmp_path: Path) -> None:
    """A page that is not there, and one that is there twice, have no excuse."""
    judge = Judge(site())
    assert judge(TOOL, tmp_path, True) == "no rows, though it said that all is well"
    out = written(tmp_path, site(), url=f"{BASE}/1.html")
    assert judge(TOOL, out, True) == f"1 pages are missing, 1 too many, such as {BASE}/0.html"
    assert judge(TOOL, written(tmp_path, site(199)), False) == "199 of 200 rows"
