"""Filters run in the order written; what is missing stays missing, what is wrong is told and null."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.apps.scrape.rules import Reading, patterns, read_page, read_rules
from toolkit.apps.scrape.rules.short import parse_field
from toolkit.core.errors import FailureKind, TaskError, UsageError

PAGE = """<!doctype html><h1> Big  Title </h1><i>3</i><i> x</i><i></i><i>5</i><b>a, b,,c </b><s>yes</s>
<a href="/x y">l</a><p data-j='{"a": {"b": [1, "two"]}, "t": true}'>12:30</p><em></em><cite href="http://">x</cite><var href="http://[::1">x</var><q>mailto:a@b.c</q>"""


def reading(field: str, page: str = PAGE) -> Reading:
    return read_page(page.encode(), "utf-8", "http://h.org/d/", read_rules("lexbor", [field]))


def value(field: str) -> Any:
    found = reading(field)
    assert found.problems == ()
    return next(iter(found.rows[0].values()))


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("v=h1 | lower", "big title"),
        ("v=h1 | upper | replace:BIG:small", "small TITLE"),
        ("v=h1 | re:T(.)t", "i"),
        ("v=h1 | re:T.t", "Tit"),
        ("v=h1 | re:nothing", None),
        ("v=h1::pre | strip", "Big  Title"),
        ("v=h1 | strip:'eB '", "ig Titl"),
        ("v=i | int", 3),
        ("v=i | last | int", 5),
        ("v=i | nth:2", "x"),
        ("v=i | nth:-2", ""),
        ("v=i | nth:9", None),
        ("v=i | first | float", 3.0),
        ("v=i | join:', '", "3, x, , 5"),
        ("v=i | re:\\d+ | join:+", "3+5"),
        ("v[]=i | re:\\d+ | int", [3, 5]),
        ("v=b | split:,", ["a", "b", "c"]),
        ("v=b | split:, | nth:2", "b"),
        ("v=s | bool", True),
        ("v=h1 | bool:(?i)small", False),
        ("v=a@href", "http://h.org/x%20y"),
        ("v=a@href | url", "http://h.org/x%20y"),
        ("v=a | url", "http://h.org/d/l"),
        ("v=p@data-j | json", {"a": {"b": [1, "two"]}, "t": True}),
        ("v=p@data-j | json:a.b.1", "two"),
        ("v=p@data-j | json:a.b.7", None),
        ("v=p@data-j | json:a.b.0 | float", 1.0),
        ("v=p@data-j | json:t | bool", True),
        ("v=p | replace:\\::.", "12.30"),
        ("v=em | int", None),
        ("v=nope | int", None),
        ("v=nope | default:none", "none"),
        ("v=em | int | default:7", 7),
        ("v[]=nope | default:x", ["x"]),
        ("v=nope | float | default:1,5", 1.5),
        ("v=i::exists", True),
        ("v=nope::exists", False),
        ("v=nope | price", None),
    ],
)
def test_filters_when_in_a_row(field: str, expected: Any) -> None:
    """Known answers."""
    assert value(field) == expected


@pytest.mark.parametrize(
    ("field", "expected", "where", "reason"),
    [
        ("v=h1 | int", None, "v", "'Big Title' is not a whole number"),
        ("v=h1 | int | default:3", None, "v", "'Big Title' is not a whole number"),
        ("v=h1 | int | required", None, "v", "'Big Title' is not a whole number"),
        ("v[]=i | int", [3, None, 5], "v[1]", "'x' is not a whole number"),
        ("v=h1 | bool", None, "v", "is not yes or no"),
        ("v=q | url", None, "v", "is not an http or https URL"),
        ("v=cite@href | url", None, "v", "is not an http or https URL"),
        ("v=var@href | url", None, "v", "is not an http or https URL"),
        ("v=h1 | json", None, "v", "is not JSON"),
        ("v=p@data-j | json:a | int", None, "v", "is not a text"),
        ("v=h1 | date", None, "v", "is not a date such as"),
        ("v=nope | required", None, "v", "required, and missing"),
        ("v=em | required", "", "v", "required, and missing"),
        ("v[]=nope | required", [], "v", "required, and missing"),
        ("v=h1::table", None, "v", "not a table: it is <h1>"),
    ],
)
def test_filters_when_a_value_is_wrong(field: str, expected: Any, where: str, reason: str) -> None:
    """The problem names the field and quotes the text; a default does not hide it."""
    found = reading(field)
    assert found.rows == ({"v": expected},)
    assert len(found.problems) == 1
    assert (found.problems[0].row, found.problems[0].field) == (0, where)
    assert reason in found.problems[0].reason


def test_problem_when_the_text_is_long() -> None:
    """It is quoted in part."""
    found = reading("v=h1 | int", f"<h1>{'x' * 5000}</h1>")
    assert len(found.problems[0].reason) < 120


@pytest.mark.parametrize(
    ("field", "what"),
    [
        ("v=p | nope", "no filter is called 'nope': there are int, float"),
        ("v=p | lower:x", "lower takes nothing"),
        ("v=p | re", "re needs something after a colon, as in re:"),
        ("v=p | re:(", "not a regular expression"),
        ("v=p | nth:0", "no place"),
        ("v=p | nth:x", "no place"),
        ("v=p | split:", "needs a sign"),
        ("v=p | replace:a", "replace:OLD:NEW"),
        ("v=p | float:x", "float:x is unknown"),
        ("v=p | price:XX", "price:XX is unknown"),
        ("v=p | date:d.m.Y", "no form of a date"),
        ("v=p | int | default:x", "the default 'x' does not fit: 'x' is not a whole number"),
        ("v[]=p | first", "a list cannot come out"),
        ("v=p::nope", "what is ::nope"),
    ],
)
def test_filters_when_misused(field: str, what: str) -> None:
    """What cannot work is an error before anything is fetched."""
    with pytest.raises(UsageError, match="'v'") as caught:
        read_rules("lexbor", [field])
    assert what in str(caught.value)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("v=p", str), ("v=p | int", int), ("v=p | float", float), ("v=p | price", dict), ("v=p | date", str),
        ("v=p | bool", bool), ("v=p | json", object), ("v[]=p | int", list), ("v=p | split:,", list),
        ("v=p | split:, | first", str), ("v=p | int | join:-", str), ("v=p | int | upper", str), ("v=p::table", list),
        ("v=p::exists", bool), ("v=p | re:(.) | int | default:3", int), ("v=p | lower | float", float),
    ],
)  # fmt: skip
def test_types_when_filtered(field: str, expected: type) -> None:
    """The last cast decides; what is done to text after it makes it text."""
    rules = read_rules("lexbor", [field])
    assert rules.types == {"url": str, "final_url": str, "status": int, "v": expected}


CASTS = ["int", "float", "price", "date", "bool", "url", "json", "json:a.0", "float:,", "price:USD:,", "date:%d.%m.%Y"]


@given(st.text(max_size=60), st.sampled_from(CASTS))
def test_casts_when_given_anything(text: str, cast: str) -> None:
    """A cast never raises; its value is of the declared type, or null and told of."""
    rules = read_rules("lexbor", [f"v=p@title | {cast}"])
    body = f'<p title="{text.replace("&", "&amp;").replace(chr(34), "&quot;")}">'.encode("utf-8", "replace")
    found = read_page(body, "utf-8", "http://h.org/", rules)
    result = found.rows[0]["v"]
    assert result is None or isinstance(result, rules.types["v"])
    assert parse_field(f"v=p | {cast}").name == "v"


@pytest.mark.parametrize("field", ["v=p | re:(a|aa)+$", "v=p | bool:(a|aa)+$"])
def test_pattern_that_takes_for_ever(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page fails, and nothing else: Python's own engine would not come back, nor let anybody stop it."""
    monkeypatch.setattr(patterns, "LONG", 0.05)
    with pytest.raises(TaskError, match=r"field 'v': the pattern '\(a\|aa\)\+\$' took more than 0.05 s") as caught:
        reading(field, f"<!doctype html><p>{'a' * 60}!")
    assert caught.value.kind is FailureKind.OVERDUE
    assert reading(field, "<!doctype html><p>xaa").rows == ({"v": "a" if "re:" in field else True},)
