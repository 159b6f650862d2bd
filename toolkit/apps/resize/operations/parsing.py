"""What stands after the colon of an operation: values and name=value between commas, quoted as in CSV."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from toolkit.apps.resize.operations.arguments import Argument, Shade, Source, Value

_PIECE = re.compile(r"""\s*(?:([a-z]+)\s*=\s*)?(?:"((?:[^"]|"")*)"|([^",]*))\s*(,|$)""")


def values_of(operation: str, arguments: Sequence[Argument], text: str | None) -> tuple[Value, ...]:
    """Return a value for each argument, the usual one where none is given; raises ValueError with a message.

    text: what stands after the colon; None where there is no colon.
    """
    given = _given(operation, [argument.name for argument in arguments], [] if text is None else list(_pieces(text)))
    return tuple(_value(argument, given.get(argument.name)) for argument in arguments)


def _pieces(text: str) -> Iterator[tuple[str | None, str]]:
    """Split at commas outside of double quotes, into names (or None) and values."""
    at = 0
    while True:
        match = _PIECE.match(text, at)
        if match is None:
            raise ValueError("a value in double quotes ends with one, and a double quote within is doubled")
        name, quoted, plain, comma = match.groups()
        yield name, quoted.replace('""', '"') if quoted is not None else plain.strip()
        at = match.end()
        if not comma:
            return


def _given(operation: str, names: Sequence[str], pieces: Sequence[tuple[str | None, str]]) -> dict[str, str]:
    if pieces and not names:
        raise ValueError(f"{operation} takes no arguments: write {operation}")
    given: dict[str, str] = {}
    for index, (written, value) in enumerate(pieces):
        if written is None and any(earlier for earlier, _ in pieces[:index]):
            raise ValueError(f"{value!r} stands after a named argument: name it, too")
        if written is None and index >= len(names):
            raise ValueError(f"{operation} takes {_count(names)} ({', '.join(names)}): put text with commas in quotes")
        name = names[index] if written is None else written
        if name not in names:
            raise ValueError(f"{operation} has no argument {name!r}; it has: {', '.join(names)}")
        if name in given:
            raise ValueError(f"{name} is given twice")
        given[name] = value
    return given


def _count(names: Sequence[str]) -> str:
    return "1 argument" if len(names) == 1 else f"{len(names)} arguments"


def _value(argument: Argument, text: str | None) -> Value:
    if text is None and argument.usual is not None:
        return argument.kind.read(argument.usual)
    must = f"{argument.name} is {argument.kind.limits} ({argument.meaning})"
    if not text:
        raise ValueError(f"{must}: it must be given")
    try:
        return argument.kind.read(text)
    except ValueError as error:
        if isinstance(argument.kind, Shade | Source):
            raise ValueError(f"{argument.name}: {error}") from error  # noqa: TRY004 - of what was written
        # Python's own words for a number that is none say less than the limits do.
        raise ValueError(must) from error
