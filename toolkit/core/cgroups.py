"""Where the control groups are that this process belongs to: folders whose files say what it may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


def folders(controller: str, cgroups: Path = CGROUPS, membership: Path = MEMBERSHIP) -> Iterator[tuple[Path, int]]:
    """Yield the folder of our group and of all above it, each with its version, 1 or 2; none where there are none.

    controller: of version 1, which has a tree for each: cpu, or memory. See cgroups(7).
    """
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        base = cgroups / controller if controllers else cgroups
        here = base / path.strip("/")
        for folder in (here, *here.parents):
            if folder.is_relative_to(base):
                yield folder, 1 if controllers else 2
