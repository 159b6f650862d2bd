"""How many processors may be used: affinity and cgroup quotas, whichever is less."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from toolkit.core.cpus import usable_cpus

ALLOWED = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@pytest.mark.parametrize(
    ("quota", "most"),
    [("max 100000", ALLOWED), ("100000 100000", 1), ("50000 100000", 1), ("rubbish", ALLOWED), ("900000 100000", 9)],
)
@pytest.mark.parametrize("place", ["", "batch/job"])
def test_usable_cpus_keeps_to_the_quota_of_any_group_above(tmp_path: Path, quota: str, most: int, place: str) -> None:
    """In version 2, a quota anywhere above us holds, rounded up; rubbish holds nobody."""
    (tmp_path / "cg" / "batch" / "job").mkdir(parents=True)
    (tmp_path / "cg" / place / "cpu.max").write_text(quota)
    (tmp_path / "self").write_text("0::/batch/job\n")
    assert usable_cpus(tmp_path / "cg", tmp_path / "self") == min(most, ALLOWED)


def test_usable_cpus_reads_version_1_groups(tmp_path: Path) -> None:
    """Version 1 has a file for the quota and one for the period; -1 is no quota."""
    folder = tmp_path / "cg" / "cpu" / "job"
    folder.mkdir(parents=True)
    (tmp_path / "self").write_text("4:memory:/job\n3:cpu,cpuacct:/job\n")
    (folder / "cpu.cfs_quota_us").write_text("-1")
    (folder / "cpu.cfs_period_us").write_text("100000")
    assert usable_cpus(tmp_path / "cg", tmp_path / "self") == ALLOWED
    (folder / "cpu.cfs_quota_us").write_text("100000")
    assert usable_cpus(tmp_path / "cg", tmp_path / "self") == 1


def test_usable_cpus_is_affinity_where_there_are_no_groups(tmp_path: Path) -> None:
    """Elsewhere than on Linux there is nothing to read."""
    assert usable_cpus(tmp_path, tmp_path / "none") == ALLOWED
