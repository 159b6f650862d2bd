"""How much memory this process may use."""

from __future__ import annotations

import os
from pathlib import Path

from toolkit.core.cgroups import CGROUPS, MEMBERSHIP, folders

FILES = {1: "memory.limit_in_bytes", 2: "memory.max"}
"""What holds the limit, by the version of control groups."""


def allowed(cgroups: Path = CGROUPS, membership: Path = MEMBERSHIP) -> int:
    """Return bytes: what the machine has, or the least that our cgroup or one above it allows, if that is less."""
    found = (_limit(folder / FILES[version]) for folder, version in folders("memory", cgroups, membership))
    return min([_physical(), *(limit for limit in found if limit)])


def _limit(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # there is none, or it is "max"
        return None


def _physical() -> int:
    if hasattr(os, "sysconf"):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    import psutil  # it takes a while, and is of use only where the system itself says nothing

    return int(psutil.virtual_memory().total)
