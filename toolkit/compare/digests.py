"""What a run wrote, as digests: equality comes before speed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path


def digests(folder: Path, rows: str = "") -> dict[str, str]:
    """Return the SHA-256 of every file in a folder, by its relative name.

    rows: the file, if there is one, that holds a row of JSON a line, in any order: it has a digest for every row, by
    its "url". Names that begin with a dot are ours (the store, files not yet finished) and are left out.
    """
    found: dict[str, str] = {}
    for file in _files(folder):
        name = file.relative_to(folder).as_posix()
        if name == rows:
            for key, digest in _rows(file):
                found[_unused(key, found)] = digest
        else:
            with file.open("rb") as stream:
                found[name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return found


def overall(found: Mapping[str, str]) -> str:
    """Return one digest of all, the same in whatever order they were found."""
    total = hashlib.sha256()
    for key in sorted(found):
        total.update(f"{key}\0{found[key]}\0".encode("utf-8", "surrogatepass"))
    return total.hexdigest()


def difference(reference: Mapping[str, str], other: Mapping[str, str]) -> str:
    """Return how the other differs, naming the first task in the order of names; empty if it does not."""
    keys = sorted(key for key in {*reference, *other} if reference.get(key) != other.get(key))
    if not keys:
        return ""
    first = keys[0]
    how = "is missing" if first not in other else "is extra" if first not in reference else "differs"
    more = f" (and {len(keys) - 1:,} more)" if len(keys) > 1 else ""
    return f"{first!r} {how}{more}"


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(place, name) for name in names if not name.startswith("."))


def _rows(file: Path) -> Iterator[tuple[str, str]]:
    with file.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            text = line.rstrip(b"\r\n")
            try:
                row = json.loads(line)
                key = str(row["url"])
                row.pop("fetched_at", None)  # no two runs agree on that
                text = json.dumps(row).encode()
            except (ValueError, KeyError, TypeError, AttributeError):
                key = f"{file.name}, line {number}"
            yield key, hashlib.sha256(text).hexdigest()


def _unused(key: str, found: Mapping[str, str]) -> str:
    """Return the key, or the key with a number if it was seen: a row written twice must not pass for one."""
    name, number = key, 1
    while name in found:
        number += 1
        name = f"{key} #{number}"
    return name
