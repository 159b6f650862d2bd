"""What became of a picture; engines make it, the job hands it on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resized:
    """What became of a picture: the file written (below the output folder), the source as it was read, and seconds."""

    output: str
    bytes: int
    width: int
    height: int
    frames: int
    warnings: tuple[str, ...]
    source_size: int
    source_mtime_ns: int
    decode: float
    process: float
    encode: float
