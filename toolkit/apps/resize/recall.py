"""Whether a picture's results are there already, and made of the picture as it is."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from toolkit.apps.resize.content import content_hash
from toolkit.apps.resize.names import from_text
from toolkit.apps.resize.originals import copy_dates

UP_TO_DATE = "up to date"


def is_up_to_date(
    out: Path, source: str, size: int, mtime_ns: int, wanted: tuple[str, ...], value: dict[str, Any]
) -> dict[str, Any] | None:
    """Return what the store should know of a picture that is up to date, None if it is not.

    wanted: the names of its results; value: what the store knows. A file of the same size but another time is read, and
    its content decides; then what is returned has the new time.
    """
    outputs = value.get("outputs", ())
    made = {from_text(output["name"]): output["bytes"] for output in outputs if not output.get("found")}
    if set(made) != set(wanted) or any(_size_of(os.path.join(out, name)) != made[name] for name in wanted):
        return None
    if is_result(source, size, value, mtime_ns=mtime_ns):  # in place: the picture is its own result
        return value
    if value.get("source_size") != size:
        return None
    if value.get("source_mtime_ns") == mtime_ns:
        return value
    content = _hash_of(source)
    if not content or content != value.get("source_hash"):
        return None
    return value | {"source_mtime_ns": mtime_ns}


def with_dates(out: Path, source: str, value: dict[str, Any]) -> dict[str, Any]:
    """Give results the times of their picture, as far as they can be set; return what the store should know of them."""
    with suppress(OSError):
        facts = os.stat(source)
        for output in value["outputs"]:
            copy_dates(facts, out / from_text(output["name"]))
    outputs = [
        output | {"mtime_ns": _time_of(os.path.join(out, from_text(output["name"]))) or output["mtime_ns"]}
        for output in value["outputs"]
    ]
    return value | {"outputs": outputs}


def is_result(source: str, size: int, value: dict[str, Any], *, mtime_ns: int | None = None) -> bool:
    """Whether a file is a result that the store knows of: the same name at its end, size and time."""
    time = mtime_ns if mtime_ns is not None else _time_of(source)
    return any(
        source.endswith(os.sep + from_text(output["name"])) and (output["bytes"], output["mtime_ns"]) == (size, time)
        for output in value.get("outputs", ())
    )


def _hash_of(source: str) -> str:
    try:
        with open(source, "rb") as file:
            return content_hash(file)
    except OSError:
        return ""


def _size_of(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except OSError:
        return None


def _time_of(path: str) -> int | None:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return None
