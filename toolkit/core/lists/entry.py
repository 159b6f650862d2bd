"""What a list is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

Columns = tuple[tuple[str, str], ...]
"""Names and values of an entry's other columns, in their order."""

LINE_LIMIT = 64 * 1024
"""Characters in a line of a text list; a longer one is no URL, and is cut so that a binary file does no harm."""
ROW_LIMIT = 1024 * 1024
"""Characters in a row of a table or an item of a JSON list."""


@dataclass(frozen=True, slots=True)
class Line:
    """One entry. where: what to call it in messages, such as "urls.txt:12", also its text if it has no URL.

    columns: what else it says. bad: why it cannot be used, or "".
    """

    text: str
    where: str
    columns: Columns = ()
    bad: str = ""


class Entry(NamedTuple):
    """One entry as a format reads it. number: of its line, or of its row where there are no lines, from 1."""

    number: int
    url: str
    columns: Columns = ()
    bad: str = ""
