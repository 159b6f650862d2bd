"""Sizes, rates and times as people write them."""

from __future__ import annotations

import re

UNITS = {"": 1, "k": 1000, "M": 1000**2, "G": 1000**3, "T": 1000**4}
BINARY = {"Ki": 1024, "Mi": 1024**2, "Gi": 1024**3, "Ti": 1024**4}
SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_bytes(text: str) -> int:
    """Return bytes from text such as `10M`, `512KiB`, `1.5 GB` or `65536`; raises ValueError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([kKMGT]?i?)[Bb]?(?:/s)?", text.strip())
    unit = found[2].replace("k", "K") if found else "?"
    units = UNITS | BINARY | {"K": 1000}
    if found is None or unit not in units:
        raise ValueError(f"{text!r} is not a size: write it as 500k, 10M or 16MiB")
    return int(float(found[1]) * units[unit])


def shown_bytes(count: float) -> str:
    """Return bytes with a unit, such as "1.2 MB" (decimal units)."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:  # noqa: PLR2004
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def parse_rate(text: str) -> float:
    """Return times a second from text such as `5/s`, `30/m`, `100/h` or `5`; raises ValueError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(?: ?/ ?([smhd]))?", text.strip())
    if found is None or not float(found[1]):
        raise ValueError(f"{text!r} is not a rate: write it as 5/s, 30/m or 100/h")
    return float(found[1]) / SECONDS[found[2] or "s"]


def parse_seconds(text: str) -> float:
    """Return seconds from text such as `90`, `1.5m`, `2h` or `1d`; raises ValueError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([smhd]?)", text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a time: write it as 90, 10m or 2h")
    return float(found[1]) * SECONDS[found[2]]
