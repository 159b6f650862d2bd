"""What `toolkit scrape test` prints: values cut to the terminal, and nothing that a page could do to it."""

from __future__ import annotations

import json

import pytest
from rich.cells import cell_len

from toolkit.apps.scrape.rules import Problem, read_rules
from toolkit.apps.scrape.trial import Difference, PageTrial, Totals, totals_of
from toolkit.cli._trial import cut, trial_json, trial_lines

RULES = read_rules(None, ["name=h1", "price=.p"])
HOSTILE = "\x1b[2J\x1b]0;owned\x07 \u202egnp.exe \x9b1m\r\n\tnext"
ONE = PageTrial("one", "http://h.org/1?token=abc", "page", ({"name": HOSTILE, "price": None},))
MANY = PageTrial("many", "http://h.org/2", "page", tuple({"name": "\u6587" * 99, "price": n} for n in range(15)))
WRONG = PageTrial(
    "wrong",
    "http://h.org/3",
    "",
    problems=(Problem(0, "price", "not a number: \x1b[1m"),),
    expected=True,
    differences=(Difference(0, "price", 1, "\x1b"), Difference(2, "", {"a": 1}, "absent")),
)
FAILED = PageTrial("failed", "http://h.org/4", error="cannot \x1b be read")


def printed(*trials: PageTrial, width: int = 60, threshold: float | None = None) -> tuple[list[str], Totals]:
    totals = totals_of(RULES)
    return list(trial_lines(trials, totals, width=width, threshold=threshold)), totals


@pytest.mark.parametrize("width", [40, 60, 200])
def test_trial_lines_when_hostile(width: int) -> None:
    """No control character gets through, no secret of a URL, and no line is wider than the terminal."""
    lines, _ = printed(ONE, MANY, WRONG, FAILED, width=width, threshold=0.9)
    assert all(line.isprintable() for line in lines)
    assert max(map(cell_len, lines[:-1])) <= width
    assert not any("abc" in line or "\u202e" in line for line in lines)


def test_trial_lines_when_read() -> None:
    """One row is a list of its fields, several are a table, and the end has coverage and totals."""
    lines, totals = printed(
        PageTrial("p", "http://h.org/", "page", ({"name": "A", "price": None},)), WRONG, threshold=0.5
    )
    assert lines == [
        "p: http://h.org/",
        "  page type page: 1 row, 0 links to follow",
        "  name   A",
        "  price  -",
        "",
        "wrong: http://h.org/3",
        "  no page type takes this URL: 0 rows, 0 links to follow",
        "  problem: row 1, price: not a number: \\x1b[1m",
        '  differs: row 1, price: expected 1, found "\\u001b"',
        '  differs: row 3: expected {"a": 1}, found "absent"',
        "",
        "  field  covered  rows",
        "  name   100.0%   1 of 1",
        "  price  0.0%     0 of 1",
        "below 0.5: price is covered in 0.0% of the rows",
        "2 pages, 1 row, 1 problem, 2 differences, 0 failed, 1 of no page type",
    ]
    assert not totals.good


def test_trial_lines_when_there_are_many_rows() -> None:
    """The first ones are shown, and it says how many more there are."""
    lines, _ = printed(MANY)
    assert lines[1:3] == ["  page type page: 15 rows, 0 links to follow", "  name" + " " * 47 + "price"]
    assert lines[13] == "  … and 5 more rows"


def test_trial_lines_when_there_are_many_columns() -> None:
    """Those that fit are shown."""
    rows = ({str(n): "long text" for n in range(30)},) * 2
    lines, _ = printed(PageTrial("p", "http://h.org/", "page", rows), width=40)
    assert lines[2].split() == ["0", "1", "2", "3", "4", "5"]
    assert lines[3].split() == ["lon…"] * 4 + ["long…"] * 2
    assert lines[5] == "  … and 24 more columns"


def test_trial_json_when_read() -> None:
    """One document of pages and totals, whatever the pages hold."""
    totals = totals_of(RULES)
    told = json.loads("".join(trial_json([ONE, WRONG, FAILED], totals, threshold=None)))
    assert [page["name"] for page in told["pages"]] == ["one", "wrong", "failed"]
    assert told["pages"][0]["rows"][0]["name"] == HOSTILE
    assert (told["totals"]["pages"], told["totals"]["errors"]) == (3, 1)
    assert json.loads("".join(trial_json([], totals_of(RULES), threshold=None)))["pages"] == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("short", "short"),
        ("longer than ten", "longer th…"),
        (None, "-"),
        ([1, "a"], '[1, "a"]'),
        ("\u6587" * 6, "\u6587" * 4 + "…"),
        ("e" + "\u0301" * 99, "e" + "\u0301" * 39 + "…"),
    ],
)
def test_cut_when_long(value: object, text: str) -> None:
    """Columns are counted, not characters; signs of no width come to an end."""
    assert cut(value, 10) == text
