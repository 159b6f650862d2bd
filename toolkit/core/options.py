"""Options are described once, on frozen dataclass fields; the command line and the Python API both read them there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from toolkit.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Description:
    """How an option looks on the command line.

    help: one phrase. flags: every spelling, or () for --field-name. metavar: the placeholder shown. parse: from the
    text given to the value, raising ValueError with a message; by default the field's type decides.
    """

    help: str
    flags: tuple[str, ...] = ()
    metavar: str | None = None
    parse: Callable[[str], Any] | None = None


def option(
    default: Any = MISSING,
    help: str = "",  # noqa: A002 - the word that every command line library uses
    *,
    flags: tuple[str, ...] = (),
    metavar: str | None = None,
    parse: Callable[[str], Any] | None = None,
) -> Any:
    """Return a dataclass field with a description.

    Types that are understood: str, int, float, bool, Path, Literal of strings, each also `| None`; and tuple[str, ...]
    for an option that may be repeated.
    """
    return field(default=default, metadata={"option": Description(help, flags, metavar, parse)})


def check(options: Any) -> None:
    """Raise UsageError for a value that is none of its choices; only Python calls can give one."""
    hints = get_type_hints(type(options))
    for each in fields(options):
        hint, value = hints[each.name], getattr(options, each.name)
        if get_origin(hint) is Literal and value not in get_args(hint):
            raise UsageError(f"{each.name}={value!r}: choose from {', '.join(map(repr, get_args(hint)))}")
