"""Signs that stop a parser are mended, wherever a text is cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.apps.scrape.mending import Mend

PIECES = [
    "&amp;",
    "&",
    "&#65;",
    "&#0;",
    "&#x1F600;",
    "&nbsp;",
    "<![CDATA[",
    "]]>",
    "]]",
    "<a>",
    "<URL>",
    "x",
    "\x0b",
    ";",
]


def mended(*texts: str) -> tuple[str, int]:
    mend = Mend()
    return "".join(map(mend, texts)) + mend.end(), mend.count


@pytest.mark.parametrize(
    ("text", "wanted", "count"),
    [
        ("a=1&b=2", "a=1&amp;b=2", 1),
        ("&amp;&lt;&gt;&quot;&apos;&#65;&#x41;&#128512;", "&amp;&lt;&gt;&quot;&apos;&#65;&#x41;&#128512;", 0),
        ("&nbsp;&eacute;", "&amp;nbsp;&amp;eacute;", 2),
        (
            "&#0;&#31;&#xD800;&#xFFFF;&#9999999;&#X41;&#;",
            "".join(f"&amp;{s}" for s in ("#0;", "#31;", "#xD800;", "#xFFFF;", "#9999999;", "#X41;", "#;")),
            7,
        ),
        ("&#9;&#10;&#13;", "&#9;&#10;&#13;", 0),
        ("<![CDATA[a&b]]>&c", "<![CDATA[a&b]]>&amp;c", 1),
        ("a\x00\x0bb\tc\n\ufffe", "ab\tc\n", 3),
        ("&", "&amp;", 1),
    ],
)
def test_mend_when_signs_are_wrong(text: str, wanted: str, count: int) -> None:
    """References that XML knows stay; every other & is a plain one, but for those in CDATA."""
    assert mended(text) == (wanted, count)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.lists(st.integers(0, 60), max_size=6))
def test_mend_when_a_text_is_cut_anywhere(text: str, cuts: list[int]) -> None:
    """Pieces give what the whole gives."""
    places = [0, *sorted(cuts), len(text)]
    assert mended(*(text[a:b] for a, b in pairwise(places))) == mended(text)
