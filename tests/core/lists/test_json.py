"""JSON and JSON Lines: strings and objects, broken ones, and documents larger than any buffer."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.lists.reading import quick, read, short
from toolkit.core.errors import RunStopped, UsageError
from toolkit.core.lists import ROW_LIMIT, Line, check_sources, read_urls
from toolkit.core.lists.scanner import CHUNK, Scanner

VALUES: list[tuple[Any, str, str]] = [
    ("http://h/1", "http://h/1", ""),
    ({"url": " http://h/2 "}, "http://h/2", ""),
    ("", "", "an empty string"),
    ({"url": None}, "", "no URL in 'url'"),
    ({"url": " "}, "", "no URL in 'url'"),
    ({"url": ["http://h/"]}, "", "'url' holds no URL, but [\"http://h/\"]"),
    ({"id": 1}, "", "no URL column: name one by --url-column (there is 'id')"),
    ({}, "", "no URL column: name one by --url-column (there is nothing)"),
    (7, "", "neither a URL nor an object: 7"),
    (None, "", "neither a URL nor an object: null"),
    (["http://h/"], "", 'neither a URL nor an object: ["http://h/"]'),
    ({"HREF": "http://h/3", "id": 1}, "http://h/3", ""),
    ({"url": "http://h/4", "HREF": "x"}, "http://h/4", ""),
]


@pytest.mark.parametrize("name", ["list.json", "list.jsonl", "list.ndjson", "in an object.json", "pretty.json"])
def test_read_urls_takes_strings_and_objects(tmp_path: Path, name: str) -> None:
    """What is neither, or has no URL, is an entry with the reason, and the run goes on."""
    values = [value for value, _, _ in VALUES]
    text = json.dumps(values)
    if name.endswith("l") or "nd" in name:
        text = "\n".join(map(json.dumps, values))
    elif name.startswith("in"):
        text = json.dumps({"about": {"urls": []}, "n": 1, "files": values, "end": None})
    elif name.startswith("pretty"):
        text = "\ufeff\n" + json.dumps(values, indent=2) + "\n"
    assert short(read(tmp_path, name, text)) == [(url, n, bad) for n, (_, url, bad) in enumerate(VALUES, 1)]


def test_read_urls_carries_the_other_fields_as_strings(tmp_path: Path) -> None:
    """Nothing for null, JSON for what is no string."""
    value = {
        "a": "x",
        "b": 1,
        "c": 1.5,
        "d": True,
        "e": None,
        "f": ["é", 1],
        "link": "http://h/",
        "g": {"k": "v"},
        "": 0,
    }
    columns = (
        ("a", "x"),
        ("b", "1"),
        ("c", "1.5"),
        ("d", "true"),
        ("e", ""),
        ("f", '["é", 1]'),
        ("g", '{"k": "v"}'),
        ("", "0"),
    )
    assert read(tmp_path, "list.jsonl", json.dumps(value)) == [Line("http://h/", "list.jsonl:1", columns)]
    (line,) = read(tmp_path, "list.json", json.dumps([value]), "Link")
    assert line.columns == columns


def test_read_urls_replaces_halves_of_characters(tmp_path: Path) -> None:
    """A lone surrogate cannot be written by any format."""
    (line,) = read(tmp_path, "list.jsonl", '{"url": "http://h/", "a\\ud800": "b\\udfff"}')
    assert line.columns == (("a?", "b?"),)


def test_read_urls_goes_on_when_a_line_is_no_json(tmp_path: Path) -> None:
    """Each broken line is one entry with its number; blank ones are left out."""
    text = (
        '"http://h/1"\r\n\r\n{"url": "http://h/2"\nhttp://h/3\n' + "[" * 100_000 + "\n" + "9" * 5000 + '\n"http://h/4"'
    )
    lines = short(read(tmp_path, "list.jsonl", text))
    assert [(url, number) for url, number, _ in lines] == [
        ("http://h/1", 1),
        ("", 3),
        ("", 4),
        ("", 5),
        ("", 6),
        ("http://h/4", 7),
    ]
    assert lines[1][2] == "not JSON: Expecting ',' delimiter at column 21"
    assert lines[2][2] == "not JSON: Expecting value at column 1"
    assert all("not JSON" in bad for _, _, bad in lines[3:5])


@pytest.mark.parametrize("size", [ROW_LIMIT - 20, ROW_LIMIT, 3 * ROW_LIMIT])
def test_read_urls_goes_on_when_a_line_of_json_is_huge(tmp_path: Path, size: int) -> None:
    """A line above the limit costs no more than the limit."""
    lines = short(read(tmp_path, "list.jsonl", '["' + "x" * size + '"]\n"http://h/"\n'))
    assert [number for _, number, _ in lines] == [1, 2]
    assert (lines[0][2] == "the line is longer than 1,048,576 characters") == (size > ROW_LIMIT - 4)
    assert lines[1][0] == "http://h/"


BROKEN = [
    ("[1.,2]", r"line 1: '\.' where , or"),
    ("[1.5e]", "line 1: 'e' where"),
    ("", "line 1: neither an array nor an object"),
    ('"http://h/"', "line 1: neither an array nor an object"),
    ("[", "line 1: not JSON: Expecting value"),
    ('["a"', "line 1: it ends in the middle"),
    ('["a",\n', "line 2: not JSON: Expecting value"),
    ('["a",\n\n"b" "c"]', r"line 3: '\"' where , or \] should be"),
    ('["a",\n {"url" "b"}]', "line 2: not JSON: Expecting ':' delimiter"),
    ('["a\n"]', "not JSON: Invalid control character"),
    ('["a"]\n["b"]', "line 2: more after the end; if the file has a value a line, call it .jsonl"),
    ('{"url": "a"}\n{"url": "b"}', "no array in it; if the file has an object a line, call it .jsonl"),
    ("{}", "no array in it"),
    ("{1: []}", "line 1: not JSON: the name of a field is no string"),
    ('{"a" []}', r"line 1: '\[' where : should be"),
    ('{"a": ["x"],\n"b": ["y"]}', "line 2: a second array"),
    ("[" * 100_000, "too many brackets"),
    ('["' + "x" * (ROW_LIMIT + CHUNK), "line 1: a value of more than 1,048,576 characters"),
]


@pytest.mark.parametrize(("text", "what"), BROKEN, ids=[text[:30] for text, _ in BROKEN])
def test_read_urls_raises_when_a_document_breaks_off(tmp_path: Path, text: str, what: str) -> None:
    """With the line; a document that is no JSON fails the run, never ends it quietly."""
    file = tmp_path / "list.json"
    file.write_text(text)
    with pytest.raises(UsageError, match=f"^list.json: .*{what}"):
        check_sources([str(file)])
    with pytest.raises(RunStopped, match=f"^list.json: .*{what}"):
        list(read_urls([str(file)]))


@pytest.mark.parametrize("text", ["[]", " [\n] ", '{"a": []}', '{"a": [], "b": {}, "c": []}'])
def test_read_urls_when_an_array_is_empty(tmp_path: Path, text: str) -> None:
    """No entries, and no error."""
    assert read(tmp_path, "list.json", text) == []


class Drip(io.StringIO):
    """Gives a few characters at a time, as a slow disk or pipe might."""

    def read(self, size: int | None = -1, /) -> str:
        """Return three characters at most."""
        return super().read(min(3, size) if size and size > 0 else 3)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@quick
@given(st.lists(values, max_size=5), st.sampled_from([None, 0, 2]), st.booleans())
def test_scanner_takes_the_values_that_were_written(items: list[Any], indent: int | None, ascii_only: bool) -> None:
    """Wherever blocks end: in a number, in an escape, between the digits of an exponent."""
    scanner = Scanner(Drip(json.dumps(items, indent=indent, ensure_ascii=ascii_only)))
    scanner.take("[")
    found = []
    while scanner.peek() != "]":
        found.append(scanner.value())
        if scanner.peek() == ",":
            scanner.take(",")
    assert found == items
    scanner.take("]")
    assert scanner.peek() == ""


@pytest.mark.parametrize("size", [CHUNK - 12, CHUNK - 4, CHUNK, 5 * CHUNK])
def test_read_urls_takes_items_across_blocks(tmp_path: Path, size: int) -> None:
    """An item larger than a block, one across its end, and those behind them."""
    items = ["x" * size, {"url": "http://h/", "n": 12345}, *(f"http://h/{n}" for n in range(20_000))]
    lines = read(tmp_path, "list.json", json.dumps(items))
    assert [len(lines[0].text), lines[1].columns, lines[-1].text] == [size, (("n", "12345"),), "http://h/19999"]
    assert len(lines) == 20_002
