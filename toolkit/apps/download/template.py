"""Names by a template: what `--name-template` and `--tree` make of a URL, its place in the list, and its columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from string import Formatter
from urllib.parse import SplitResult, urlsplit

from toolkit.apps.download import names
from toolkit.core.errors import FailureKind, TaskError, UsageError

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Named:
    """What names can be made from. url: fit for the wire. index: place in the list, from 0."""

    url: str
    parts: SplitResult
    index: int
    columns: Mapping[str, str]


class Template:
    """A template that was checked. Slashes in it and in {path} and {dir} make folders; no other value does."""

    def __init__(self, text: str) -> None:
        """Raise UsageError for a template that cannot be one."""
        self.text = text
        self._pieces = _parsed(text)
        self.columns = tuple(field for _, field, _ in self._pieces if field and field not in FIELDS)
        if any(part in ("", ".", "..") for part in self._shape().split("/")):
            raise UsageError(f"{_flag(text)}: write a path below the output folder, such as {{host}}/{{name}}")

    def path(self, url: str, index: int, columns: Mapping[str, str]) -> str:
        """Return the path of a file, each part made safe; raises TaskError input if the line lacks a column."""
        named = Named(url, urlsplit(url), index, columns)
        text = "".join(literal + self._value(field, spec, named) for literal, field, spec in self._pieces)
        return "/".join(names.safe(part) for part in text.split("/") if part) or names.safe("")

    def check_columns(self, columns: Mapping[str, str]) -> None:
        """Raise UsageError unless the first line of a list has every column that is asked for."""
        for field in self.columns:
            if field not in columns:
                known = ", ".join([*FIELDS, *columns])
                raise UsageError(f"{_flag(self.text)}: there is no {{{field}}}; known are {known}")

    def _value(self, field: str, spec: str, named: Named) -> str:
        if not field:
            return ""
        if field == "index":
            return format(named.index + 1, spec or "06")
        if field in FIELDS:
            return FIELDS[field](named)
        if field not in named.columns:
            raise TaskError(FailureKind.INPUT, f"the name needs the column {field!r}, which is not there")
        return _flat(named.columns[field])

    def _shape(self) -> str:
        """Return the template with a letter for each field: what its slashes and dots would make."""
        return "".join(literal + ("x" if field else "") for literal, field, _ in self._pieces)


def _parsed(text: str) -> list[tuple[str, str, str]]:
    """Return (literal, field, format) triples; the last may have no field."""
    pieces = []
    try:
        for literal, field, spec, conversion in Formatter().parse(text):
            if field == "" or conversion or (spec and not (field == "index" and re.fullmatch(r"0?[1-9][0-9]?", spec))):
                raise ValueError("only {index:04} and its like have a format, and every field a name")  # noqa: TRY301
            pieces.append((literal, field or "", spec or ""))
    except ValueError as error:
        raise UsageError(f"{_flag(text)}: {error}") from error
    return pieces


def _flag(text: str) -> str:
    return f"--name-template {text!r}"


def _flat(value: str) -> str:
    return re.sub(r"[/\\]", "_", value)


def _host(named: Named) -> str:
    parts = named.parts
    own = parts.port not in (None, PORTS.get(parts.scheme.lower()))
    return _flat((parts.hostname or "") + (f"_{parts.port}" if own else ""))


def _segments(named: Named) -> list[str]:
    """Return the path's parts, decoded; the last is the file's, index.html for a folder's."""
    *folders, last = (names.decode(part) for part in named.parts.path.split("/"))
    kept = [_flat(part) for part in folders if part not in ("", ".", "..")]
    return [*kept, _flat(last) if last not in ("", ".", "..") else "index.html"]


def _mirrored(named: Named) -> str:
    """Return the path with the query in the file's name, as wget writes it where a question mark cannot stand."""
    path = "/".join(_segments(named))
    return f"{path}@{_flat(named.parts.query)}" if named.parts.query else path


def _name(named: Named) -> str:
    return names.from_url(named.url)


FIELDS: dict[str, Callable[[Named], str]] = {
    "host": _host,
    "path": lambda named: "/".join(_segments(named)),
    "dir": lambda named: "/".join(_segments(named)[:-1]),
    "name": _name,
    "stem": lambda named: names.cut(_name(named))[0],
    "ext": lambda named: names.cut(_name(named))[1].lstrip("."),
    "query": lambda named: _flat(named.parts.query),
    "hash": lambda named: sha256(named.url.encode("utf-8", "surrogatepass")).hexdigest()[:16],
    "index": lambda named: str(named.index + 1),
}
"""What a template can name, besides columns."""


def tree(url: str) -> str:
    """Return the path that mirrors a URL's host, path and query."""
    named = Named(url, urlsplit(url), 0, {})
    return "/".join(names.safe(part) for part in f"{_host(named)}/{_mirrored(named)}".split("/") if part)
