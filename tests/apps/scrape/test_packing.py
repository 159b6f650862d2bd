"""Rows in the store, and as lines again: what is spared is work, never a value."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from toolkit.apps.scrape.packing import lines_of, pack, unpack
from toolkit.apps.scrape.writers.jsonl import line

COLUMNS = ("url", 'a"b', "rows", "\u2028")
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from([', "rows": [', ",\n", "]}", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(COLUMNS), inner, max_size=3),
    max_leaves=6,
)
_whole = st.fixed_dictionaries(dict.fromkeys(COLUMNS, _values))
_partly = st.dictionaries(st.sampled_from(COLUMNS), _values)


@given(pages=st.lists(st.lists(_whole, max_size=3) | st.lists(_partly, max_size=3), max_size=4), lost=st.lists(_partly))
def test_rows_when_they_come_back(pages: list[list[dict[str, Any]]], lost: list[dict[str, Any]]) -> None:
    """They are the lines that a writer makes of them, whatever they hold and whichever columns they have."""
    texts = [pack(number, lines_of(rows), lost) for number, rows in enumerate(pages)]
    for number, (text, rows) in enumerate(zip(texts, pages, strict=True)):
        kept = json.loads(text)
        assert kept["rows"] == [json.loads(line(row)) for row in rows]
        assert (kept["bytes"], len(kept.get("lost", ()))) == (number, len(lost))
    expected = [line({name: row.get(name) for name in COLUMNS}) for rows in pages for row in rows]
    assert list(unpack(texts, COLUMNS)) == expected


def test_rows_when_their_columns_are_those_of_the_file() -> None:
    """Their lines are taken as they are, not made again."""
    text = pack(1, lines_of([{"a": 1}, {"a": 2}])).replace("2", "two", 1)
    assert list(unpack([text], ["a"])) == ['{"a": 1}', '{"a": two}']
