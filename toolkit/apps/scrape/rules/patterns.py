"""Regular expressions of the rules, held against what pages say, in time: some take for ever on texts made for them."""

from __future__ import annotations

import re
from typing import Any

from toolkit.apps.scrape.rules.model import compiled
from toolkit.core.errors import FailureKind, TaskError

LONG = 1.0
"""Seconds that one search may take: usual ones take microseconds."""


class Pattern:
    """A pattern of Python's `re`, searched by `regex`, which can be told to give up; `re` stops the whole process."""

    def __init__(self, field: str, text: str) -> None:
        """Check it; raises UsageError."""
        self._field, self._text = field, text
        self.groups = compiled(text, f"field {field!r}").groups
        self._searched: Any = None

    def search(self, text: str) -> re.Match[str] | None:
        """Return the first match; raises TaskError if that takes too long."""
        if self._searched is None:
            import regex

            self._searched = regex.compile(self._text, regex.VERSION0)
        try:
            found: re.Match[str] | None = self._searched.search(text, timeout=LONG)
        except TimeoutError:
            what = f"field {self._field!r}: the pattern {self._text!r} took more than {LONG:g} s on a text of this page"
            raise TaskError(FailureKind.OVERDUE, what) from None
        return found
