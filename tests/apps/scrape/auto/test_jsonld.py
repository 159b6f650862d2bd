"""JSON-LD as it is found: well written, broken in the usual ways, and hopeless."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.apps.scrape.auto.fixtures import URL, every_parser, head, part
from toolkit.apps.scrape.auto import read_auto
from toolkit.apps.scrape.auto.mending import DEEPEST, objects_in


def script(text: str, kind: str = "application/ld+json") -> str:
    return f'<script type="{kind}">{text}</script>'


@every_parser
def test_objects_when_in_several_scripts(parser: str) -> None:
    """Objects and lists of them, in order; text in strings keeps its white space; a graph stays as it is."""
    html = head(
        script('{"a": "x  y"}')
        + script('[{"b": 1}, "no object", {"b": 2.5}]', " Application/LD+JSON; charset=utf-8 ")
        + script('{"no": 1}', "application/json")
        + script('{"@graph": [{"c": "<b> &amp;"}]}')
        + script(" ")
    )
    expected = [{"a": "x  y"}, {"b": 1}, {"b": 2.5}, {"@graph": [{"c": "<b> &amp;"}]}]
    assert part("jsonld", html, parser) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1,}', [{"a": 1}]),
        ('{"a": [1, 2, ], }', [{"a": [1, 2]}]),
        ('{"a": 1,, "b": 2}', [{"a": 1, "b": 2}]),
        ('{"a": "keep ,} and // and /* */"}', [{"a": "keep ,} and // and /* */"}]),
        ('{"a": 1, // why\n "b": 2 /* not */}', [{"a": 1, "b": 2}]),
        ('{"a": 1, /* last */ }', [{"a": 1}]),
        ('{"url": "http://x/", // c\n}', [{"url": "http://x/"}]),
        ('{"a": "line\nbreak\tand \x01"}', [{"a": "line\nbreak\tand \x01"}]),
        ('\x00{"a":\x0b1}\xa0', [{"a": 1}]),
        ('\ufeff{"a": 1}', [{"a": 1}]),
        ('{"a": 1}{"b": 2}', [{"a": 1}, {"b": 2}]),
        ('{"a": 1},\n{"b": 2};', [{"a": 1}, {"b": 2}]),
        ('[{"a": 1} {"b": 2}]', [{"a": 1}, {"b": 2}]),
        ('{"a": , "b": }', [{"a": None, "b": None}]),
        (r'{"a": "it\'s \d\" \\ \u00e9"}', [{"a": "it's d\" \\ é"}]),
        ('<!--\n{"a": 1}\n-->', [{"a": 1}]),
        ('//<![CDATA[\n{"a": 1}\n//]]>', [{"a": 1}]),
        ('/*<![CDATA[*/{"a": [[1]]}/*]]>*/', [{"a": [[1]]}]),
        ('<![CDATA[{"a": [[1]]}]]>', [{"a": [[1]]}]),
        ("{&quot;a&quot;: &quot;x &amp;amp; y&quot;,}", [{"a": "x &amp; y"}]),
        ("{&#34;a&#x22;: 1}", [{"a": 1}]),
        ('{"a": NaN, "b": -Infinity}', [{"a": None, "b": None}]),
        ('{"a": 1e999, "b": 12345678901234567890}', [{"a": "1e999", "b": "12345678901234567890"}]),
        (r'{"a": "\ud83d\ude00 \ud800 \u0000"}', [{"a": "😀 \ufffd \ufffd"}]),
        ('"text"', []),
        ("12", []),
        ("", []),
    ],
)
def test_objects_in_when_mended(text: str, expected: list[Any]) -> None:
    """What people and templates break is mended, without touching what is in strings."""
    assert objects_in(text) == (expected, None)


@pytest.mark.parametrize(
    ("text", "found", "wrong"),
    [
        ('{"a": 1} {"b": x}', [{"a": 1}], "not JSON: Expecting value in line 1"),
        ('{"a": "open', [], "not JSON: "),
        ("var a = 1", [], "not JSON: Expecting value"),
        ('{"a": 1', [], "not JSON: Expecting"),
        ("[" * 100_000, [], "nested deeper than 100 levels"),
        ('{"a":' * DEEPEST + "1" + "}" * DEEPEST + '{"b": 1}', None, None),
        ('{"a":' * 101 + "{}" + "}" * 101, [], "nested deeper than 100 levels"),
        ('{"a": ' + "9" * 5000 + "}", [{"a": "9" * 5000}], None),
        ("1 " * 20_000, [], "more than 10,000 values in one script"),
        ("{&#" + "9" * 5000 + ";", [], "not JSON"),
    ],
)
def test_objects_in_when_hopeless(text: str, found: list[Any] | None, wrong: str | None) -> None:
    """What was read before the mistake stays, and the mistake has its line."""
    objects, problem = objects_in(text)
    assert found is None or objects == found
    assert (problem is None) if wrong is None else (wrong in (problem or ""))
    json.dumps(objects, allow_nan=False).encode()


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "' + r"\"" * 400_000,
        '{"a": "' + r"\"" * 400_000 + "\\",
        "/*" * 400_000,
        "{" + "," * 400_000,
        "{" + ", " * 400_000,
        "{" + " " * 800_000,
        "//" * 400_000,
        '"' * 400_001,
        "&quot;" * 300_000,
        "<!--" * 300_000,
        "]]>" * 300_000,
        "1 " * 400_000,
        '{"a":1}' * 100_000 + "x",
    ],
)
@pytest.mark.timeout(20)
def test_objects_in_when_hostile(text: str) -> None:
    """Each sign is looked at a few times at most."""
    objects_in(text)


def test_objects_when_one_script_is_broken() -> None:
    """The others are given, and the problem says which one it is."""
    auto = read_auto(head(script('{"a": 1}') + script("{oops") + script('{"b": 2}')), URL, ["jsonld"])
    assert auto.values == {"jsonld": [{"a": 1}, {"b": 2}]}
    assert [(name, why[:17]) for name, why in auto.problems] == [("jsonld", "JSON-LD script 2:")]
