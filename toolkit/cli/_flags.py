"""Command line flags from the options of dataclasses, so that each option is described once."""

from __future__ import annotations

import types
from collections.abc import Iterable
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import click
from click.core import ParameterSource

from toolkit.core.errors import UsageError
from toolkit.core.options import Description, build


def flags(*groups: Any) -> list[click.Parameter]:
    """Return the flags of several option classes, in order."""
    hints = [get_type_hints(group) for group in groups]
    return [
        _flag(field, known[field.name]) for group, known in zip(groups, hints, strict=True) for field in fields(group)
    ]


def take(values: dict[str, Any], group: Any) -> Any:
    """Return an option class filled with the values that were given for it."""
    context = click.get_current_context(silent=True)
    source = context.get_parameter_source if context else lambda _: None
    names = (field.name for field in fields(group))
    return build(group, {name: values[name] for name in names if source(name) is not ParameterSource.DEFAULT})


def _flag(field: Field[Any], hint: Any) -> click.Option:
    described: Description = field.metadata["option"]
    hint = _required(hint)
    spellings = described.flags or ("--" + field.name.replace("_", "-"),)
    default = None if field.default is MISSING else field.default
    facts: dict[str, Any] = {"help": described.help, "metavar": described.metavar, "default": default}
    facts["show_default"] = default not in (None, False, "", ())
    if hint is bool:
        facts |= {"is_flag": True, "metavar": None}
    elif get_origin(hint) is tuple:
        facts |= {"multiple": True, "type": _parsed(described) or str}
    elif get_origin(hint) is Literal:
        facts |= {"type": click.Choice([str(choice) for choice in get_args(hint)])}
    elif hint is Path:
        facts |= {"type": click.Path(path_type=Path)}
    else:
        facts |= {"type": _parsed(described) or hint}
    return click.Option([*spellings, field.name], **facts)


def _required(hint: Any) -> Any:
    """Return X for X | None."""
    if get_origin(hint) in (Union, types.UnionType):
        return next(part for part in get_args(hint) if part is not type(None))  # as text, if it may be that
    return hint


def _parsed(described: Description) -> click.ParamType[Any] | None:
    if described.parse is None:
        return None
    parse = described.parse

    class Parsed(click.ParamType[Any]):
        name = "text"

        def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
            if not isinstance(value, str):
                return value
            try:
                return parse(value)
            except (ValueError, UsageError) as error:
                self.fail(str(error), param, ctx)

    return Parsed()


def describe(parameters: Iterable[click.Parameter]) -> list[str]:
    """Return the spellings of parameters, for the docs' tests."""
    return [spelling for parameter in parameters for spelling in parameter.opts]
