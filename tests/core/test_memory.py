"""How much memory may be used: the machine's, or a cgroup's limit if that is less."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from toolkit.core.memory import allowed

TOTAL = psutil.virtual_memory().total
MB = 1_000_000


@pytest.mark.parametrize(("limit", "least"), [("max", TOTAL), (f"{5 * MB}", 5 * MB), ("rubbish", TOTAL), ("0", TOTAL)])
@pytest.mark.parametrize("place", ["", "batch", "batch/job"])
def test_allowed_keeps_to_the_limit_of_any_group_above(tmp_path: Path, limit: str, least: int, place: str) -> None:
    """In version 2, a limit anywhere above us holds; rubbish holds nobody, nor does a limit that nobody could keep."""
    (tmp_path / "cg" / "batch" / "job").mkdir(parents=True)
    (tmp_path / "cg" / place / "memory.max").write_text(f"{limit}\n")
    (tmp_path / "self").write_text("0::/batch/job\n")
    assert allowed(tmp_path / "cg", tmp_path / "self") == least


def test_allowed_is_the_least_of_several_limits(tmp_path: Path) -> None:
    """A group may be promised more than the one around it has."""
    (tmp_path / "cg" / "batch" / "job").mkdir(parents=True)
    (tmp_path / "cg" / "batch" / "memory.max").write_text(str(3 * MB))
    (tmp_path / "cg" / "batch" / "job" / "memory.max").write_text(str(4 * MB))
    (tmp_path / "self").write_text("0::/batch/job\n")
    assert allowed(tmp_path / "cg", tmp_path / "self") == 3 * MB


def test_allowed_reads_version_1_groups_where_the_path_is_the_hosts(tmp_path: Path) -> None:
    """In a container the path is the host's, and the limit stands at the top; without one it is larger than memory."""
    folder = tmp_path / "cg" / "memory"
    folder.mkdir(parents=True)
    (tmp_path / "self").write_text("5:cpu,cpuacct:/\n4:memory:/docker/abc\n")
    (folder / "memory.limit_in_bytes").write_text("9223372036854771712\n")
    assert allowed(tmp_path / "cg", tmp_path / "self") == TOTAL
    (folder / "memory.limit_in_bytes").write_text(str(7 * MB))
    assert allowed(tmp_path / "cg", tmp_path / "self") == 7 * MB


def test_allowed_is_all_memory_where_there_are_no_groups(tmp_path: Path) -> None:
    """Elsewhere than on Linux there is nothing to read."""
    assert allowed(tmp_path, tmp_path / "none") == TOTAL


def test_allowed_is_something_here() -> None:
    """Whatever this machine is."""
    assert 0 < allowed() <= TOTAL
