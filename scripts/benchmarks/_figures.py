"""What is common to benchmarks that race tools: where they work, what they say first, and what they keep."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from toolkit.compare.environment import doubts


def usual_scratch() -> Path:
    """Return where we work unless told: not where all tests and builds make and delete their files, if that can be."""
    place = Path("/var/tmp")
    return (place if place.is_dir() else Path(tempfile.gettempdir())) / "toolkit-bench"


def print_heading(kept: dict[str, Any]) -> None:
    """Print what the figures hold for: the machine, its load, the versions; and what is doubtful."""
    about = kept["environment"]
    print(f"- machine: {about['usable_cpus']} CPUs, {about['cpu']}, {about['system']}, Python {about['python']}")
    print(f"- load before: {about['load_before']}; {kept['runs']} rounds")
    for name, version in kept["versions"].items():
        print(f"- {name} {version}")
    for doubt in doubts(about, kept["runs"]):
        print(f"doubt: {doubt}", file=sys.stderr)


def save(path: Path | None, kept: dict[str, Any]) -> None:
    """Write what was measured so far, if that is wanted: a later crash loses nothing."""
    if path:
        path.write_text(json.dumps(kept, indent=1) + "\n")
