"""From a line of a list to the file that is wanted: its name, and what the line says of it."""

from __future__ import annotations

from collections.abc import Mapping

from toolkit.apps.download import names
from toolkit.apps.download.fetch import Wanted
from toolkit.apps.download.options import DownloadOptions
from toolkit.apps.download.template import Template, tree
from toolkit.core.errors import UsageError
from toolkit.core.lists import Line


class Lines:
    """Reads lines as the options say."""

    def __init__(self, options: DownloadOptions) -> None:
        """Raise UsageError for options that contradict each other."""
        if options.tree and options.name_template is not None:
            raise UsageError("--tree is a template of names, too: leave out one of --tree and --name-template")
        self._template = Template(options.name_template) if options.name_template is not None else None
        self._tree = options.tree
        self._checked = False

    def wanted(self, line: Line, key: str, url: str, index: int) -> Wanted:
        """Return what a line asks for, its name not yet claimed; raises TaskError input.

        Raises UsageError if the first line lacks a column that all names need.
        """
        columns = dict(line.columns)
        name, fixed = self._name(url, index, columns)
        return Wanted(key, name, fixed=fixed)

    def _name(self, url: str, index: int, columns: Mapping[str, str]) -> tuple[str, bool]:
        if self._tree:
            return tree(url), True
        if self._template is None:
            return names.from_url(url), False
        if not self._checked:
            self._template.check_columns(columns)
            self._checked = True
        return self._template.path(url, index, columns), True
