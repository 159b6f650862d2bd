"""Pipelines: options and operations in a TOML file, for many pictures of one house.

What stands at the top of the file holds always; each table is a preset, chosen by `--preset`. Options that are given
on the command line win; operations given there come after those of the file.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import Field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from toolkit.core.errors import UsageError
from toolkit.core.options import Description, kinds_of, text_of

MOST_BYTES = 1024 * 1024
HERE = "{here}"
"""Stands for the file's folder, in any text."""


def fill(given: Mapping[str, Any], options: type) -> dict[str, Any]:
    """Return the given options, with those of the pipeline file for what was not given; raises UsageError.

    options: the class that describes them.
    """
    file, preset = given.get("pipeline"), given.get("preset")
    if file is None:
        if preset is not None:
            raise UsageError("--preset names a table of a file: give --pipeline FILE, too")
        return dict(given)
    file = Path(file)
    found = _chosen(file, _read(file), preset)
    hints = get_type_hints(options)
    known = {field.name: field for field in fields(options) if field.name not in {"pipeline", "preset"}}
    said = {name: _value(file, name, value, known, hints) for name, value in found.items()}
    both = {**said, **given}
    if "op" in said:
        both["op"] = (*said["op"], *given.get("op", ()))
    return both


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise UsageError(f"--pipeline {file}: larger than {MOST_BYTES:,} bytes")
        return tomllib.loads(data.decode())
    except OSError as error:
        raise UsageError(f"--pipeline {file}: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"--pipeline {file}: this is no TOML: {error}") from error


def _chosen(file: Path, document: dict[str, Any], preset: str | None) -> dict[str, Any]:
    presets = {name: table for name, table in document.items() if isinstance(table, dict)}
    common = {name: value for name, value in document.items() if name not in presets}
    if preset is None:
        if not common:
            raise UsageError(
                f"--pipeline {file}: choose one of its presets by --preset: {', '.join(presets) or 'none'}"
            )
        return _underscored(common)
    if preset not in presets:
        raise UsageError(f"--preset {preset}: {file} has {', '.join(presets) or 'no presets'}")
    return _underscored(common) | _underscored(presets[preset])


def _underscored(table: dict[str, Any]) -> dict[str, Any]:
    """Return the table with names as Python has them; `filter` is another word for `op`."""
    names = {name: name.replace("-", "_") for name in table}
    return {"op" if plain == "filter" else plain: table[name] for name, plain in names.items()}


def _value(file: Path, name: str, value: Any, known: Mapping[str, Field[Any]], hints: Mapping[str, Any]) -> Any:
    if name not in known:
        close = get_close_matches(name, known, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise UsageError(f"--pipeline {file}: there is no option {name}{hint}")
    described: Description = known[name].metadata["option"]
    for kind in kinds_of(hints[name]):
        read = _as(kind, _placed(value, file), described)
        if read is not None:
            return read
    raise UsageError(f"--pipeline {file}: {name} = {value!r}: {described.help}")


def _placed(value: Any, file: Path) -> Any:
    """Return the value with the file's folder where {here} stands."""
    if isinstance(value, str):
        return value.replace(HERE, os.path.dirname(os.path.abspath(file)))
    return [_placed(part, file) for part in value] if isinstance(value, list) else value


def _as(kind: Any, value: Any, described: Description) -> Any:  # noqa: PLR0911 - a kind a line
    """Return the value as an option of this kind takes it, or None if it cannot."""
    if get_origin(kind) is Literal:
        return value if value in get_args(kind) else None
    if get_origin(kind) is tuple:
        return tuple(value) if isinstance(value, list) and all(isinstance(part, str) for part in value) else None
    if kind is bool or isinstance(value, bool):
        return value if kind is bool and isinstance(value, bool) else None
    if described.parse is not None and isinstance(value, str):
        try:
            return described.parse(value)
        except ValueError:
            return None
    if kind is str:
        return text_of(value)
    if kind is Path:
        return Path(value) if isinstance(value, str) else None
    fits = isinstance(value, int) or (kind is float and isinstance(value, float))
    return value if kind in {int, float} and fits else None
