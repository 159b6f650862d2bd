"""From a line of a list to the file that is wanted: its name, and what the line says of it."""

from __future__ import annotations

from collections.abc import Iterable

from toolkit.apps.download import names
from toolkit.apps.download.options import DownloadOptions
from toolkit.apps.download.template import Template, tree
from toolkit.apps.download.wanted import Wanted
from toolkit.core.errors import UsageError
from toolkit.core.lists import Line, sums
from toolkit.core.lists.columns import Details, read_details

DEEPEST = 32
"""Parts of a path that are compared with the names in a file of checksums."""


class Lines:
    """Reads lines as the options say."""

    def __init__(self, options: DownloadOptions) -> None:
        """Raise UsageError for options that contradict each other, and for files of checksums that cannot be read."""
        if options.tree and options.name_template is not None:
            raise UsageError("--tree is a template of names, too: leave out one of --tree and --name-template")
        self._template = Template(options.name_template) if options.name_template is not None else None
        self._tree = options.tree
        self._unchecked = self._template
        self.expected = Expected(options.checksums)

    def wanted(self, line: Line, key: str, url: str, index: int) -> Wanted:
        """Return what a line asks for, its name not yet claimed; raises TaskError input.

        Raises UsageError if the first line lacks a column that all names need.
        """
        details = read_details(line.columns)
        name, fixed = self._name(line, details, url, index)
        return Wanted(
            key,
            name,
            fixed=fixed,
            mirrors=tuple(mirror for mirror in details.mirrors if mirror != url),
            checksums=tuple(dict.fromkeys((*details.checksums, *self.expected.of(url, name)))),
            pieces=details.pieces,
            size=details.size,
            headers=details.headers,
            columns=details.rest,
        )

    def _name(self, line: Line, details: Details, url: str, index: int) -> tuple[str, bool]:
        if self._unchecked is not None:
            self._unchecked.check_columns(dict(line.columns))
            self._unchecked = None
        if details.name:
            return names.from_user(details.name), True
        if self._tree:
            return tree(url), True
        if self._template is None:
            return names.from_url(url), False
        return self._template.path(url, index, dict(line.columns)), True


class Expected:
    """The checksums in files such as SHA256SUMS, by the names in them."""

    def __init__(self, paths: Iterable[str]) -> None:
        """Raise UsageError for a file that cannot be read."""
        self._found: dict[str, list[str]] = {}
        for path in paths:
            try:
                found = sums.read(path)
            except UsageError as error:
                raise UsageError(f"--checksums: {error}") from error
            for name, digest in found.items():
                self._found.setdefault(name, []).append(digest)
        self._met: set[str] = set()

    def of(self, url: str, name: str) -> tuple[str, ...]:
        """Return what a file must have, found by its name or the end of its URL's path; the longest match counts."""
        if not self._found:
            return ()
        for path in (name, names.path_of(url)):
            parts = path.split("/")[-DEEPEST:]
            for start in range(len(parts)):
                tail = "/".join(parts[start:])
                if tail in self._found:
                    self._met.add(tail)
                    return tuple(self._found[tail])
        return ()

    @property
    def unmet(self) -> list[str]:
        """The names that no file had so far."""
        return [name for name in self._found if name not in self._met]
