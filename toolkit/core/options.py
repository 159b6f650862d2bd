"""Options are described once, on frozen dataclass fields; the command line and the Python API both read them there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path, PurePath
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from toolkit.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Description:
    """How an option looks on the command line.

    help: one phrase. flags: every spelling, or () for --field-name. metavar: the placeholder shown. parse: from the
    text given to the value, raising ValueError with a message; by default the field's type decides. secret: whether a
    value is never to be shown. writes: whether it names a file that is written.
    """

    help: str
    flags: tuple[str, ...] = ()
    metavar: str | None = None
    parse: Callable[[str], Any] | None = None
    secret: bool = False
    writes: bool = False


def option(
    default: Any = MISSING,
    help: str = "",  # noqa: A002 - the word that every command line library uses
    *,
    flags: tuple[str, ...] = (),
    metavar: str | None = None,
    parse: Callable[[str], Any] | None = None,
    secret: bool = False,
    writes: bool = False,
) -> Any:
    """Return a dataclass field with a description.

    Types that are understood: str, int, float, bool, Path, Literal of strings, each also `| None`; and tuple[str, ...]
    for an option that may be repeated.
    """
    described = Description(help, flags, metavar, parse, secret, writes)
    return field(default=default, repr=not secret, metadata={"option": described})


def build(group: Any, given: Mapping[str, Any]) -> Any:
    """Return an option class with the values that were given, and those that it fills in from a file which one names.

    Raises UsageError.
    """
    fill = getattr(group, "filled", dict)
    return group(**fill(given))


def read(group: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as Python's callers write them in the form that the options have.

    Texts are read as on the command line (`"200KB"`); one text stands for several where an option may be repeated; a
    list stands for values with commas between them, a number or a path for its text, and a text for a path. Raises
    UsageError; what cannot be read is left to check().
    """
    hints = get_type_hints(group)
    known = {field.name: field for field in fields(group)}
    return {name: _read(name, value, hints[name], known[name].metadata["option"]) for name, value in given.items()}


def check(options: Any) -> None:
    """Raise UsageError for a value that its option cannot have; only Python calls can give one."""
    hints = get_type_hints(type(options))
    for each in fields(options):
        hint, value = hints[each.name], getattr(options, each.name)
        if not any(_fits(value, kind) for kind in kinds_of(hint)):
            shown = "" if each.metadata["option"].secret else f"={value!r}"
            raise UsageError(f"{each.name}{shown}: {_wanted(hint)}")


def kinds_of(hint: Any) -> tuple[Any, ...]:
    """Return the alternatives of a type: X and None for X | None."""
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def shown_type(hint: Any) -> str:
    """Return a type as people write it: int | None, 'cover' | 'pad', tuple[str, ...]."""
    kinds = kinds_of(hint)
    if len(kinds) > 1:
        return " | ".join(map(shown_type, kinds))
    if get_origin(hint) is Literal:
        return " | ".join(map(repr, get_args(hint)))
    if get_origin(hint) is not None:
        return str(hint)
    return "None" if hint is type(None) else str(getattr(hint, "__name__", hint))


def text_of(value: Any, *, lists: bool = True) -> str | None:
    """Return the text of a number, a path or a text, or of a list of them, with commas; None for anything else."""
    if isinstance(value, list | tuple) and lists:
        parts = [text_of(part, lists=False) for part in value]
        return None if None in parts else ",".join(part for part in parts if part is not None)
    if isinstance(value, bool) or not isinstance(value, str | int | float | PurePath):
        return None
    return str(value)


def _read(name: str, value: Any, hint: Any, described: Description) -> Any:
    kinds = kinds_of(hint)
    if any(get_origin(kind) is tuple for kind in kinds):
        several = value if isinstance(value, list | tuple) else (value,)
        texts = tuple(text_of(each, lists=False) for each in several)
        return value if None in texts else texts
    if described.parse is not None and isinstance(value, str):
        try:
            return described.parse(value)
        except ValueError as error:
            raise UsageError(f"--{name.replace('_', '-')}: {error}") from error
    if Path in kinds and isinstance(value, str):
        return Path(value)
    if str in kinds and not isinstance(value, kinds):
        return text if (text := text_of(value, lists="," in (described.metavar or ""))) is not None else value
    return value


def _wanted(hint: Any) -> str:
    kinds = kinds_of(hint)
    choices = [choice for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind)]
    if choices:
        return f"choose from {', '.join(map(repr, choices))}"
    return "give " + " or ".join(getattr(kind, "__name__", str(kind)) for kind in kinds)


def _fits(value: Any, kind: Any) -> bool:
    origin = get_origin(kind)
    if origin is Literal:
        return value in get_args(kind)
    if origin is tuple:
        return isinstance(value, tuple) and all(isinstance(part, str) for part in value)
    if kind is float:
        return isinstance(value, float | int) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)
