"""Rules held against saved pages: what they find, what is covered, what differs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from toolkit.apps.scrape.rules import Rules, load_rules, read_rules
from toolkit.apps.scrape.saved import SavedPage, load, save
from toolkit.apps.scrape.trial import ABSENT, MOST_DIFFERENCES, PageTrial, differences, totals_of, trials
from toolkit.core.errors import UsageError

RULES = read_rules(None, ["name=h1", "price=.price | float"])
GOOD = b"<h1>A</h1><p class=price>1.50</p>"
BAD = b"<h1>B</h1><p class=price>on request</p>"


def folder(tmp_path: Path, *bodies: bytes) -> Path:
    for number, body in enumerate(bodies):
        save(tmp_path, SavedPage(body, f"http://h.org/{number}", f"http://h.org/{number}"))
    return tmp_path


def tried(tmp_path: Path, rules: Rules = RULES, **more: Any) -> list[PageTrial]:
    return list(trials(rules, load(tmp_path), **more))


def test_trials_when_pages_are_read(tmp_path: Path) -> None:
    """Each page has its rows and problems; the totals have the coverage of each field."""
    found = tried(folder(tmp_path, GOOD, BAD))
    assert [one.rows for one in found] == [({"name": "A", "price": 1.5},), ({"name": "B", "price": None},)]
    assert [(one.row, one.field) for one in found[1].problems] == [(0, "price")]
    assert [one.good for one in found] == [True, False]
    totals = totals_of(RULES)
    for one in found:
        totals.add(one)
    totals.check(0.9)
    assert totals.record() == {
        "pages": 2,
        "rows": 2,
        "problems": 1,
        "differences": 0,
        "errors": 0,
        "untyped": 0,
        "coverage": {
            "name": {"share": 1.0, "with_value": 2, "rows": 2},
            "price": {"share": 0.5, "with_value": 1, "rows": 2},
        },
        "below": {"price": 0.5},
    }
    assert not totals.good


def test_trials_when_updated(tmp_path: Path) -> None:
    """What was found is expected from then on; a page that changes differs by field."""
    pages = folder(tmp_path, GOOD)
    assert [one.expected for one in tried(pages)] == [False]
    assert [(one.expected, one.differences) for one in tried(pages, update=True)] == [(True, ())]
    (one,) = tried(pages)
    assert (one.expected, one.differences) == (True, ())
    folder(tmp_path, GOOD.replace(b"1.50", b"2"))
    (one,) = tried(pages)
    assert [(d.row, d.field, d.expected, d.found) for d in one.differences] == [(0, "price", 1.5, 2.0)]
    assert len(list(load(pages))) == 1


def test_trials_when_the_rules_change(tmp_path: Path) -> None:
    """A field more or less is a difference, and so is another page type."""
    pages = folder(tmp_path, GOOD)
    tried(pages, update=True)
    (one,) = tried(pages, read_rules(None, ["name=h1", "cost=.price"]))
    told = {d.field: (d.expected, d.found) for d in one.differences}
    assert told == {"price": (1.5, ABSENT), "cost": (ABSENT, "1.50")}
    path = tmp_path / "rules.toml"
    path.write_text('[[page]]\nname = "other"\nmatch = "/nothing"\n[page.fields]\nname = "h1"\n')
    (one,) = tried(pages, load_rules(path))
    assert (one.page, one.rows) == ("", ())
    assert [d.field for d in one.differences] == ["(page type)", ""]
    (one,) = tried(pages, load_rules(path), page="other")
    assert one.rows == ({"name": "A"},)


def test_trials_when_rows_go_on_with_linked_pages(tmp_path: Path) -> None:
    """A listing's rows are shown as far as the listing has them."""
    path = tmp_path / "rules.toml"
    path.write_text(
        '[[page]]\nname = "list"\nrows = "li"\n[page.fields]\nname = "b"\n'
        '[[page.follow]]\ncss = "a"\njoin = true\npage = "item"\n[[page]]\nname = "item"\nfields = { price = ".p" }\n'
    )
    pages = folder(tmp_path / "pages", b"<ul><li><b>A</b><a href=a>a</a><li><b>B</b></ul>")
    (one,) = tried(pages, load_rules(path))
    assert (one.rows, one.going_on, one.links) == (({"name": "B"}, {"name": "A"}), 1, 1)


def test_trials_when_a_page_cannot_be_read(tmp_path: Path) -> None:
    """It is an error of its own, and the next page is read."""
    found = tried(folder(tmp_path, b"<div>" * 20_000, GOOD))
    assert sorted(one.error is None for one in found) == [False, True]
    totals = totals_of(RULES)
    for one in found:
        totals.add(one)
    assert (totals.errors, totals.good) == (1, False)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"page": null, "rows": [1]}'])
def test_trials_when_what_is_expected_cannot_be_read(tmp_path: Path, text: str) -> None:
    """The message names the file and how to write it anew."""
    (tmp_path / "p.html").write_bytes(GOOD)
    (tmp_path / "p.expected.json").write_text(text)
    with pytest.raises(UsageError, match=r"p\.expected\.json: not the expected rows .* --update"):
        tried(tmp_path)
    assert tried(tmp_path, update=True)[0].differences == ()


@pytest.mark.parametrize(
    ("expected", "found", "told"),
    [
        ({"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 1}, {"b": 3}]}, [("a[1].b", 2, 3)]),
        ({"a": [1]}, {"a": [1, 2]}, [("a", [1], [1, 2])]),
        ({"a": {"x": 1}}, {"a": {"y": 1}}, [("a.x", 1, ABSENT), ("a.y", ABSENT, 1)]),
        ({"a": 1}, {"a": 1.0}, [("a", 1, 1.0)]),
        ({"a": True}, {"a": 1}, [("a", True, 1)]),
        ({"a": None}, {"a": ""}, [("a", None, "")]),
        ({"a": None}, {"a": None}, []),
    ],
)
def test_differences_when_values_differ(expected: Any, found: Any, told: list[Any]) -> None:
    """The innermost place is named, and types count."""
    assert [(d.field, d.expected, d.found) for d in differences([expected], [found])] == told


def test_differences_when_rows_are_missing() -> None:
    """A row that is missing, or one too many, is a difference of its own; there are not too many to look at."""
    row = {"a": 1}
    assert [(d.row, d.expected, d.found) for d in differences([row, row], [row])] == [(1, row, ABSENT)]
    assert [(d.row, d.expected, d.found) for d in differences([], [row])] == [(0, ABSENT, row)]
    assert len(differences([row] * 1000, [])) == MOST_DIFFERENCES


def test_trials_when_told_as_json(tmp_path: Path) -> None:
    """Each page is JSON values."""
    (one,) = tried(folder(tmp_path, BAD))
    assert json.loads(json.dumps(one.record()))["rows"] == [{"name": "B", "price": None}]
