"""Names of results: by default the picture's own name and place in its tree, or what `--name-template` makes of them.

Whatever a picture is called, its results have names below the output folder that the file system takes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from string import Formatter

from toolkit.apps.resize.formats import SUFFIXES, Format, output_format, output_name
from toolkit.apps.resize.targets import Target

LONGEST = 255
"""Bytes in a name, the limit of common file systems."""

_FORBIDDEN = re.compile(
    r'[<>:"\\|?*\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff'
    r"\ud800-\udc7f\udd00-\udfff]"  # halves of characters; the others stand for bytes that are not UTF-8
)
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$|clock\$)\s*(\.|$)")
_PICTURE_SUFFIXES = frozenset(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)


@dataclass(frozen=True, slots=True)
class Named:
    """A picture that results are named after. origin: its place below what was named; index: its number, from 1."""

    source: str
    origin: str
    kind: str
    index: int = 1
    mtime_ns: int = 0


@dataclass(frozen=True, slots=True)
class Naming:
    """How results are called. labels: one for each size; formats: None is the picture's own; beside: in its folder.

    Default names do not tell a size that is the only one, or that has no label.
    """

    template: str | None = None
    labels: tuple[str, ...] = ("",)
    formats: tuple[Format | None, ...] = (None,)
    beside: bool = False

    @property
    def counts(self) -> bool:
        """Whether names depend on the order in which pictures are found."""
        return self.template is not None and any(
            field == "index" for _, field, _ in parse_template(self.template).pieces
        )

    def targets(self, picture: Named) -> tuple[Target, ...]:
        """Return the results of a picture, the formats of the first size first; raises ValueError for a bad name."""
        forms = dict.fromkeys(output_format(picture.kind, wanted) for wanted in self.formats)
        return tuple(
            Target(_checked(self._name(picture, size, form)), size, form)
            for size in range(len(self.labels))
            for form in forms
        )

    def _name(self, picture: Named, size: int, form: Format) -> str:
        if self.template is not None:
            return parse_template(self.template).name(picture, self.labels[size], form)
        name, label = output_name(picture.origin, form), self.labels[size]
        if len(self.labels) == 1 or not label:
            return name
        stem, suffix = os.path.splitext(name)
        return f"{stem}-{label}{suffix}"


@dataclass(frozen=True, slots=True)
class Template:
    """A template that was checked, as (literal, field, format) pieces; the last may have no field."""

    pieces: tuple[tuple[str, str, str], ...]

    def name(self, picture: Named, label: str, form: Format) -> str:
        """Return the place of a result, each part made safe; a suffix that tells another format is put right.

        Raises ValueError for a picture with a date that no calendar has.
        """
        text = "".join(
            literal + (FIELDS[field](picture, label, form, spec) if field else "")
            for literal, field, spec in self.pieces
        )
        # Folders that a field left empty go: pictures at the top of their tree have no {dir}.
        *folders, last = [part for part in text.split("/") if part] or [""]
        return os.path.join(*map(_safe, folders), _safe(output_name(last, form)))


@lru_cache(maxsize=16)
def parse_template(text: str) -> Template:
    """Read a template such as `{dir}/{stem}-{size}.{ext}`; raises ValueError with a message.

    Fields: dir, stem, name, ext, format, size, index (`{index:05}`), parent, date (`{date:%Y-%m-%d}`).
    """
    pieces = tuple((literal, field or "", spec or "") for literal, field, spec in _parsed(text))
    shape = "".join(literal + ("x" if field else "") for literal, field, _ in pieces)
    if any(part.strip() in {"", ".", ".."} for part in shape.split("/")):
        raise ValueError(f"{text!r} is not the name of a file below the output folder: write {{dir}}/{{stem}}.{{ext}}")
    return Template(pieces)


def _parsed(text: str) -> list[tuple[str, str | None, str | None]]:
    pieces = []
    for literal, field, spec, conversion in Formatter().parse(text):
        if field is not None:
            _check_field(field, spec or "", conversion)
        pieces.append((literal, field, spec))
    return pieces


def _check_field(field: str, spec: str, conversion: str | None) -> None:
    if field not in FIELDS:
        raise ValueError(f"there is no {{{field}}}: choose from {', '.join(f'{{{known}}}' for known in FIELDS)}")
    fitting = {"index": r"0?[1-9][0-9]?", "date": r"[^{}]*%[^{}]*"}.get(field)
    if conversion or (spec and not (fitting and re.fullmatch(fitting, spec))):
        raise ValueError(f"{{{field}:{spec}}}: only {{index:05}} and {{date:%Y-%m-%d}} and their like have a format")


def _safe(part: str) -> str:
    """Return one part of a path as Linux, macOS and Windows take it; bytes that are not UTF-8 stay as they are."""
    part = _FORBIDDEN.sub("_", part).strip(" ").rstrip(". ")
    return f"_{part}" if not part or part.startswith(".") or _RESERVED.match(part) else part


def _checked(name: str) -> str:
    for part in name.split(os.sep):
        if (size := len(os.fsencode(part))) > LONGEST:
            raise ValueError(f"the name of its result would be {size} bytes long, and {LONGEST} are the most")
    return name


def _stem(picture: Named, *_: str) -> str:
    name = os.path.basename(picture.origin)
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() in _PICTURE_SUFFIXES else name


def _extension(picture: Named, _: str, form: Format, __: str) -> str:
    return os.path.splitext(output_name(os.path.basename(picture.origin), form))[1][1:]


def _parent(picture: Named, *_: str) -> str:
    return os.path.basename(os.path.dirname(os.path.abspath(picture.source)))


def _date(picture: Named, _: str, __: Format, spec: str) -> str:
    try:
        moment = datetime.fromtimestamp(picture.mtime_ns / 1e9)  # noqa: DTZ006 - the day that its owner's clock showed
        return moment.strftime(spec or "%Y-%m-%d")
    except (OverflowError, OSError, ValueError) as error:
        raise ValueError("the file's date is out of range: its result cannot be named after it") from error


FIELDS: dict[str, Callable[[Named, str, Format, str], str]] = {
    "dir": lambda picture, *_: os.path.dirname(picture.origin).replace(os.sep, "/"),
    "stem": _stem,
    "name": lambda picture, *_: os.path.basename(picture.origin),
    "ext": _extension,
    "format": lambda _, __, form, ___: form,
    "size": lambda _, label, *__: label.replace("/", "_"),
    "index": lambda picture, _, __, spec: format(picture.index, spec),
    "parent": _parent,
    "date": _date,
}
"""What a template can name. Slashes from dir and date make folders; no other field has any."""
