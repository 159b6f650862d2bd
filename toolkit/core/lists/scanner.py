"""JSON taken in a value at a time, so that a document of any size costs the memory of one value."""

from __future__ import annotations

import json
import re
from typing import Any, TextIO

from toolkit.core.errors import RunStopped
from toolkit.core.lists.entry import ROW_LIMIT

CHUNK = 64 * 1024
HALF = ("", ".", "e", "E")
"""What may stand behind a number of which only the first half has been read."""
_SPACE = re.compile(r"[ \t\r\n]*")
_decode = json.JSONDecoder().raw_decode


class Scanner:
    """A place in a JSON document. Raises RunStopped, with the line, for what is no JSON."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._buffer = ""
        self._place = 0
        self._line = 1
        self._over = False

    def peek(self) -> str:
        """Return the next character that is no white space; "" at the end."""
        while True:
            found = _SPACE.match(self._buffer, self._place)
            assert found is not None  # noqa: S101 - it matches nothing, too
            self._pass(found.end())
            if self._place < len(self._buffer):
                return self._buffer[self._place]
            if not self._more():
                return ""

    def take(self, wanted: str) -> str:
        """Pass the next character that is no white space, which must be one of those wanted, and return it."""
        found = self.peek()
        if not found or found not in wanted:
            raise self.stopped(f"{found!r} where {' or '.join(wanted)} should be" if found else "it ends in the middle")
        self._place += 1
        return found

    def value(self) -> Any:
        """Pass a whole value and return it."""
        self.peek()
        while True:
            error: ValueError | None = None
            try:
                value, end = _decode(self._buffer, self._place)
            except ValueError as raised:  # there may be more of it to come
                error = raised
            except RecursionError:
                raise self.stopped("too many brackets, one in the other") from None
            else:
                if self._over or self._buffer[end : end + 1] not in HALF:
                    self._pass(end)
                    return value
            if len(self._buffer) - self._place > ROW_LIMIT:
                raise self.stopped(f"a value of more than {ROW_LIMIT:,} characters, or one that is broken", error)
            if not self._more() and error is not None:
                raise self.stopped("not JSON", error)

    def stopped(self, what: str, error: ValueError | None = None) -> RunStopped:
        """Return what to raise for a document that cannot be read on."""
        if isinstance(error, json.JSONDecodeError):
            what = f"{what}: {error.msg}"
            self._pass(min(error.pos, len(self._buffer)))
        return RunStopped(f"line {self._line}: {what}")

    def _pass(self, end: int) -> None:
        self._line += self._buffer.count("\n", self._place, end)
        self._place = end

    def _more(self) -> bool:
        """Read as much as is held once more; False at the end."""
        held = self._buffer[self._place :]
        chunk = self._text.read(max(CHUNK, len(held)))
        self._buffer, self._place = held + chunk, 0
        self._over = not chunk
        return bool(chunk)
