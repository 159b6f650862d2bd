"""What the run's report shows of one picture: its source before, its widest result after, and the facts of both."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from toolkit.apps.resize.result import Resized


def pair(name: str, source: str, folder: Path, value: Resized) -> dict[str, Any] | None:
    """Return JSON values: name, the paths before and after, and facts; None where the source is not there any more.

    folder: where the outputs are. Seconds are floats, sizes pixels and bytes.
    """
    if not value.outputs:
        return None
    widest = max(value.outputs, key=lambda output: output.width)  # the first of equals
    after = os.path.join(folder, widest.name)
    if _is_same(source, after):
        return None
    facts = {
        "before_width": value.source_width,
        "before_height": value.source_height,
        "before_bytes": value.source_size,
        "before_format": value.source_format,
        "width": widest.width,
        "height": widest.height,
        "bytes": widest.bytes,
        "format": widest.format,
        "files": len(value.outputs),
        "quality": widest.quality,
        "ssim": widest.ssim,
        "decode": value.decode,
        "process": value.process,
        "encode": value.encode,
        "warnings": list(value.warnings),
    }
    return {"name": name, "before": source, "after": after, "facts": facts}


def _is_same(source: str, after: str) -> bool:
    """Tell whether the result has taken the place of its source, so that nothing before is left to show."""
    try:
        return os.path.samefile(source, after)
    except OSError:
        return True
