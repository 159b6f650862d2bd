"""How many processors this process may really use."""

from __future__ import annotations

import math
import os
from pathlib import Path

from toolkit.core.cgroups import CGROUPS, MEMBERSHIP, folders


def usable_cpus(cgroups: Path = CGROUPS, membership: Path = MEMBERSHIP) -> int:
    """Return the processors that affinity and cgroup quotas leave to this process, at least 1.

    A quota limits processor seconds, so it matters for computing, not for how many waits may be under way.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([allowed, *(math.ceil(quota) for quota in _quotas(cgroups, membership))]))


def _quotas(cgroups: Path, membership: Path) -> list[float]:
    """Return the quotas, in processors, of our cgroup and all above it (cgroup v2: cpu.max; v1: cpu.cfs_quota_us)."""
    found = (
        _quota_v2(folder) if version == 2 else _quota_v1(folder)  # noqa: PLR2004
        for folder, version in folders("cpu", cgroups, membership)
    )
    return [quota for quota in found if quota is not None]


def _quota_v2(folder: Path) -> float | None:
    try:
        quota, period = (folder / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _quota_v1(folder: Path) -> float | None:
    try:
        quota = int((folder / "cpu.cfs_quota_us").read_text())
        return quota / int((folder / "cpu.cfs_period_us").read_text()) if quota > 0 else None
    except (OSError, ValueError, ZeroDivisionError):
        return None
