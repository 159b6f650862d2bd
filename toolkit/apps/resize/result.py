"""What became of a picture; engines make it, the job hands it on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from toolkit.apps.resize.names import to_text


@dataclass(frozen=True, slots=True)
class Output:
    """One file that was written. name: its place below the output folder; width, height in pixels.

    quality: what the encoder was told, where the format has one. ssim: likeness to the pixels that were encoded, where
    it was asked for. mtime_ns: the file's time. kept: whether the file is the source itself, which was smaller. found:
    whether it was there before, and was left as it is.
    """

    name: str
    format: str
    bytes: int
    width: int
    height: int
    frames: int = 1
    quality: int | None = None
    ssim: float | None = None
    mtime_ns: int = 0
    kept: bool = False
    found: bool = False


@dataclass(frozen=True, slots=True)
class Resized:
    """What became of a picture: the files written, the source as it was read, and seconds.

    source_hash: the content of the source, "" where it was not asked for. engine: the library that resized it.
    salvaged: whether the file was broken, and what could be read of it was used.
    """

    outputs: tuple[Output, ...]
    warnings: tuple[str, ...]
    source_size: int
    source_mtime_ns: int
    source_hash: str = ""
    source_format: str = ""
    source_width: int = 0
    source_height: int = 0
    engine: str = "pillow"
    salvaged: bool = False
    decode: float = 0.0
    process: float = 0.0
    encode: float = 0.0

    @property
    def bytes(self) -> int:
        """Bytes of all files that were written."""
        return sum(output.bytes for output in self.outputs if not output.found)

    @property
    def output(self) -> str:
        """The name of the first file: mostly there is one."""
        return self.outputs[0].name

    @property
    def width(self) -> int:
        """Pixels across the first file."""
        return self.outputs[0].width

    @property
    def height(self) -> int:
        """Pixels down the first file."""
        return self.outputs[0].height

    @property
    def frames(self) -> int:
        """Frames of the first file."""
        return self.outputs[0].frames


def as_facts(value: Resized) -> dict[str, Any]:
    """Return a result as JSON values."""
    names = (name for name in Resized.__slots__ if name not in {"outputs", "warnings"})
    facts: dict[str, Any] = {name: getattr(value, name) for name in names}
    outputs = [
        {name: getattr(output, name) for name in Output.__slots__} | {"name": to_text(output.name)}
        for output in value.outputs
    ]
    return facts | {"outputs": outputs, "warnings": list(value.warnings), "bytes": value.bytes}
