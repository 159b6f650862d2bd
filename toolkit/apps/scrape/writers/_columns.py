"""Whether rows fit in a table that is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from toolkit.core.errors import UsageError

SHOWN = 20


def check_columns(path: Path, found: Sequence[str], wanted: Iterable[str]) -> None:
    """Raise UsageError that names the columns in which a file differs from the rows."""
    wanted = list(wanted)
    lacking = [name for name in wanted if name not in found]
    more = [name for name in found if name not in wanted]
    if not lacking and not more and len(found) == len(wanted):
        return
    twice = [name for name in dict.fromkeys(found) if list(found).count(name) > 1]
    parts = [
        f"it {what} {', '.join(map(repr, names[:SHOWN]))}"
        for what, names in (("lacks", lacking), ("has", more), ("has twice", twice))
        if names
    ]
    raise UsageError(f"{path} has other columns ({'; '.join(parts)}): choose another output, or write it anew")
