"""The files that one picture becomes, and which of them are there already."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from toolkit.apps.resize.formats import Format

FOREIGN = "a file has its name that no run of ours has made: --existing overwrite replaces it, skip leaves it"
"""Why a picture fails that would replace somebody else's file, in every run until one is told what to do with it."""
EXISTS = "exists already"
"""Why a picture is left alone under `--existing skip`."""


@dataclass(frozen=True, slots=True)
class Target:
    """One result of a picture. name: its place below the output folder; size: which of the sizes wanted it has."""

    name: str
    size: int
    format: Format


def missing(out: str, targets: Sequence[Target]) -> tuple[Target, ...]:
    """Return the targets whose names are free below a folder.

    Under `--existing skip` these alone are made: a picture is left alone when all of its files are there, and a file
    that is there is not replaced when another one of its picture is made.
    """
    return tuple(target for target in targets if not os.path.lexists(os.path.join(out, target.name)))


def sizes_in_bytes(out: str, targets: Sequence[Target]) -> tuple[int | None, ...]:
    """Return how large the targets' files are, None for one that is not a file; for `--existing update` to compare."""
    return tuple(_size_of(os.path.join(out, target.name)) for target in targets)


def _size_of(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except (OSError, ValueError):
        return None
