"""Where in a TOML text a key stands, for messages: a light scan, as the TOML reader does not tell."""

from __future__ import annotations

import re

Path = tuple[str | int, ...]
"""Keys and places in lists, from the top: `("page", 0, "fields", "price")`."""

HEAD = re.compile(r"\s*(\[\[|\[)\s*(.+?)\s*\]\]?\s*(?:#.*)?")
KEY = re.compile(
    r"\s*((?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*'))*)\s*=(.*)"
)
PART = re.compile(r"\"([^\"]*)\"|'([^']*)'|([A-Za-z0-9_-]+)")


class Lines:
    """The lines of a text's keys."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {(): 1}
        self._counts: dict[Path, int] = {}
        table: Path = ()
        fence = ""
        for number, line in enumerate(text.splitlines(), start=1):
            if fence:
                fence = "" if line.count(fence) % 2 else fence
                continue
            key = KEY.fullmatch(line)
            head = None if key else HEAD.fullmatch(line)
            if head is not None:
                table = self._table(_parts(head[2]), listed=head[1] == "[[")
                self._lines.setdefault(table, number)
            elif key is not None:
                path = table + _parts(key[1])
                for end in range(len(table) + 1, len(path) + 1):
                    self._lines.setdefault(path[:end], number)
            fence = next((sign for sign in ('"""', "'''") if line.count(sign) % 2), "")

    def of(self, path: Path) -> int:
        """Return the line of a key, or of what it stands in."""
        while path not in self._lines:
            path = path[:-1]
        return self._lines[path]

    def _table(self, keys: Path, *, listed: bool) -> Path:
        path: Path = ()
        for place, key in enumerate(keys):
            path = (*path, key)
            last = place == len(keys) - 1
            if listed and last:
                self._counts[path] = self._counts.get(path, -1) + 1
            if path in self._counts:
                path = (*path, self._counts[path])
        return path


def _parts(text: str) -> Path:
    return tuple(next(filter(None, found), "") for found in PART.findall(text))
