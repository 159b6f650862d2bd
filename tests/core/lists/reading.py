"""Lists made of bytes, read to the end."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, settings

from toolkit.core.lists import Line, check_sources, read_urls

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For properties on a machine that has other work."""


def read(folder: Path, name: str, data: bytes | str, url_column: str | None = None) -> list[Line]:
    """Return the entries of a list with that name and content, checked before as a command does."""
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    check_sources([str(path)], url_column)
    return [line for line in read_urls([str(path)], url_column) if line is not None]


def short(lines: list[Line]) -> list[tuple[str, int, str]]:
    """Return text, number and what is wrong of each."""
    return [
        ("" if line.text == line.where else line.text, int(line.where.rpartition(":")[2]), line.bad) for line in lines
    ]
