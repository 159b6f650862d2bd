"""JSON Lines: a string or an object a line (jsonlines.org)."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

from toolkit.core.lists.entry import ROW_LIMIT, Entry
from toolkit.core.lists.objects import Objects
from toolkit.core.lists.opening import as_text, is_cut, lines_of


def read(file: io.BufferedReader, url_column: str | None) -> Iterator[Entry]:
    """Yield an entry for each line that is not blank."""
    objects = Objects(url_column)
    with as_text(file) as lines:
        for number, line in enumerate(lines_of(lines, ROW_LIMIT), 1):
            if is_cut(line, ROW_LIMIT):
                yield Entry(number, "", (), f"the line is longer than {ROW_LIMIT:,} characters")
            elif text := line.strip().lstrip("\ufeff"):
                yield _entry(number, text, objects)


def _entry(number: int, text: str, objects: Objects) -> Entry:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        return Entry(number, "", (), f"not JSON: {error.msg} at column {error.colno}")
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; a thousand brackets
        return Entry(number, "", (), f"not JSON that can be read: {error}")
    return objects.entry(number, value)
