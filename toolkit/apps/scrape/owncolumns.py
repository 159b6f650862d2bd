"""The user's own columns beside the URL, carried into the rows as text, under names that no column of ours has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from toolkit.core.errors import FailureKind, TaskError, UsageError
from toolkit.core.lists import Columns, is_url, read_urls

PREFIX = "in_"
"""What a column is called that has the name of one of ours, before that."""
MOST = 1000
"""Names that one run knows; a list of objects could have new ones without end."""
LOOK = 100
"""Entries of each list that are looked at for names; the lines of a JSON list need not all have the same."""


class OwnColumns:
    """Gives the user's columns the names that they have in the rows: the same name always the same.

    taken: the names of our own columns. Names are told apart as SQLite does, where big and small letters are one. The
    names so far are in `names`, in the order in which they were met.
    """

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = {_folded(name) for name in taken}
        self._given: dict[str, str] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the user's columns in the rows."""
        return tuple(self._given.values())

    def of(self, columns: Columns) -> Columns:
        """Return an entry's columns as they stand in its rows; raises TaskError input for more names than MOST."""
        if all(name in self._given for name, _ in columns):
            return tuple((self._given[name], value) for name, value in columns)
        return tuple((self._name(name), value) for name, value in columns)

    def meet(self, sources: Sequence[str], url_column: str | None = None) -> tuple[str, ...]:
        """Take the names in the first entries of each list, and return all: tables have a header, so these are all.

        Standard input and pipes are not touched: what is read from them is gone.
        """
        for source in sources:
            if source == "-" or is_url(source) or not Path(source).is_file():
                continue
            for line in islice(read_urls([source], url_column), LOOK):
                if line is not None:
                    try:
                        self.of(line.columns)
                    except TaskError as error:
                        raise UsageError(f"{line.where}: {error}") from error
        return self.names

    def _name(self, name: str) -> str:
        if name in self._given:
            return self._given[name]
        if len(self._given) >= MOST:
            raise TaskError(FailureKind.INPUT, f"the list has more than {MOST:,} different columns")
        candidate = re.sub(r"[\x00-\x1f\x7f]+", " ", name).strip() or "column"
        while _folded(candidate) in self._taken:
            candidate = PREFIX + candidate
        base, count = candidate, 1
        given = {_folded(each) for each in self._given.values()}
        while _folded(candidate) in given | self._taken:
            count += 1
            candidate = f"{base}_{count}"
        self._given[name] = candidate
        return candidate


def _folded(name: str) -> str:
    """Return what SQLite tells names apart by."""
    return "".join(sign.lower() if sign.isascii() else sign for sign in name)
