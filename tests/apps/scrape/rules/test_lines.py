"""Keys are found in a TOML text as people write it."""

from __future__ import annotations

import pytest

from toolkit.apps.scrape.rules.lines import Lines, Path

TEXT = '''# [no]
top = 1
long = """
top2 = 2
[no]
"""
[[page]]
name = "a"  # name
[page.fields]
x = "p"
"y[]" = { css = "b", fields = { z = 1 } }
[page.fields.deep]
css = "q"
[[page.follow]]
a.b = 1
[[page]]
[[page.follow]]
[[page.follow]]
  css = "a"
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("top",), 2),
        (("top2",), 1),
        (("page", 0), 7),
        (("page", 0, "name"), 8),
        (("page", 0, "fields", "x"), 10),
        (("page", 0, "fields", "y[]", "fields", "z"), 11),
        (("page", 0, "fields", "deep", "css"), 13),
        (("page", 0, "fields", "none"), 9),
        (("page", 0, "follow", 0, "a", "b"), 15),
        (("page", 1), 16),
        (("page", 1, "follow", 1, "css"), 19),
        (("page", 2, "x"), 1),
    ],
)
def test_line_when_of_a_key(path: Path, line: int) -> None:
    """A key's own line, else that of the table it would stand in."""
    assert Lines(TEXT).of(path) == line
