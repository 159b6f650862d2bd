"""What the figures depend on besides the work: the machine, the interpreter, the packages."""

from __future__ import annotations

import compileall
import multiprocessing  # noqa: TID251 - asked for a fact; nothing is started
import os
import platform
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from toolkit import __version__
from toolkit.compare.runs import PINNED
from toolkit.compare.statistics import LEAST_ROUNDS
from toolkit.core.cpus import usable_cpus

BUSY = 0.5
"""Load average for each CPU above which other work is likely to show in the figures."""


def environment() -> dict[str, Any]:
    """Return the facts as JSON values; None for what this system does not tell."""
    return {
        "cpu": _cpu(),
        "usable_cpus": usable_cpus(),
        "load_before": _load(),
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "gil": _gil(),
        "start_method": _start_method(),
        "pinned": dict(PINNED),
        "packages": _packages(),
    }


def doubts(facts: dict[str, Any], rounds: int) -> list[str]:
    """Return what makes the figures less sure, in sentences."""
    load, cpus = facts["load_before"], facts["usable_cpus"]
    found = []
    if load is not None and load > BUSY * cpus:
        found.append(
            f"the machine was busy before the first run (load average {load:.1f} on {cpus} CPUs): close what else runs"
        )
    if rounds < LEAST_ROUNDS:
        found.append(f"too few rounds for a verdict ({rounds}): at least {LEAST_ROUNDS} are needed")
    return found


def byte_compile() -> None:
    """Compile our own modules beforehand, so that the first run does not pay for it."""
    compileall.compile_dir(Path(__file__).resolve().parents[1], quiet=2)


def _cpu() -> str | None:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.processor() or None


def _load() -> float | None:
    try:
        return round(os.getloadavg()[0], 2)
    except (OSError, AttributeError):
        return None


def _gil() -> bool:
    """Tell whether the global interpreter lock is on: Python 3.13 and later can be without."""
    enabled = getattr(sys, "_is_gil_enabled", None)
    return bool(enabled()) if enabled else True


def _start_method() -> str:
    """Return how the models that use processes start them here."""
    return "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


def _packages() -> dict[str, str]:
    """Return the versions of our own package and of all that it may use, where installed."""
    versions = {"toolkit": __version__}
    try:
        required = metadata.requires("toolkit") or []
    except metadata.PackageNotFoundError:
        return versions
    for name in sorted({re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in required}, key=str.lower):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
