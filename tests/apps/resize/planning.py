"""What the tests of walks and plans share: files that look like pictures by their first bytes, and plans of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolkit.apps.resize.formats import Format
from toolkit.apps.resize.plan import Plan
from toolkit.apps.resize.template import Naming
from toolkit.apps.resize.walk import Finding, Found

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff\xe0"
OWN = Naming()


def made(path: Path, data: bytes = PNG) -> Path:
    """Make a file, and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def planned(sources: Sequence[Path | str], out: Path, naming: Naming = OWN, **choices: Any) -> list[Finding]:
    """Return all findings of a plan, whose total must be right."""
    plan = Plan([str(source) for source in sources], out, naming, **choices)
    found = list(plan)
    assert plan.total == len(found)
    return found


def results(sources: Sequence[Path | str], out: Path, wanted: Format | None = None, **naming: Any) -> list[str]:
    """Return the names of all results of a plan."""
    found = planned(sources, out, Naming(**({"formats": (wanted,)} | naming)))
    return [target.name for finding in found if isinstance(finding, Found) for target in finding.targets]
