"""Whether a tool has made all that a row asks for, and of what quality."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from _quality import Quality, mean, quality
from _resize_rows import SUFFIX, Row
from _tools import Tool
from PIL import Image

SAMPLES = 8
"""Pictures of which the quality is measured; each differs from the others."""
ORIENTATION = 274
NUMBER = 4
"""Characters of a name that say which picture it is."""


@dataclass(slots=True)
class Judge:
    """Looks at what each tool made of a row's pictures; qualities: by the tools' names."""

    row: Row
    sources: Sequence[Path]
    samples: dict[str, Path]
    qualities: dict[str, Quality] = field(default_factory=dict)

    def __call__(self, tool: Tool, out: Path, thoroughly: bool) -> str:  # noqa: FBT001 - a race tells it so
        """Return what is wrong: number and formats of files each time, their pixels if it is thorough."""
        files = [path for path in out.rglob("*") if path.is_file() and not path.name.startswith(".")]
        come = Counter(path.suffix.replace("jpeg", "jpg") for path in files if path.stat().st_size)
        wanted = {f".{SUFFIX[form]}": len(self.sources) * len(self.row.sides) for form in self.row.forms}
        if come != wanted:
            return f"files: {_told(come)} of {_told(wanted)}, though it said that all is well"
        if thoroughly:
            if wrong := self._sizes(files):
                return wrong
            if self.samples:
                self.qualities[tool.name] = self._quality(files)
        return ""

    def _sizes(self, files: list[Path]) -> str:
        edges = {source.name[:NUMBER]: _long_edge(source) for source in self.sources}
        wanted = Counter(
            (number, min(side, edge))
            for number, edge in edges.items()
            for side in self.row.sides
            for _ in self.row.forms
        )
        come = Counter((path.name[:NUMBER], _long_edge(path)) for path in files)
        if come == wanted:
            return ""
        odd = next(iter((come - wanted) or (wanted - come)))
        return f"wrong sizes, though it said that all is well: picture {odd[0]} at {odd[1]} pixels"

    def _quality(self, files: list[Path]) -> Quality:
        pairs = [(path, self.samples[path.name[:NUMBER]]) for path in files if path.name[:NUMBER] in self.samples]
        return mean([quality(result, source) for result, source in pairs])


def judge(row: Row, sources: Sequence[Path], kinds: int) -> Judge:
    """Return who looks at a row's results; of its pictures, the first so many differ from each other.

    Quality is measured of those that need neither turning nor another colour space: there, all tools mean the same.
    """
    plain = [] if row.filtered else [source for source in sources[:kinds] if _plain(source)]
    step = max(1, len(plain) // SAMPLES)
    return Judge(row, sources, {source.name[:NUMBER]: source for source in plain[::step][:SAMPLES]})


def _plain(source: Path) -> bool:
    with Image.open(source) as image:
        upright = image.getexif().get(ORIENTATION, 1) == 1
        return image.mode in {"RGB", "RGBA"} and upright and not image.info.get("icc_profile")


def _long_edge(path: Path) -> int:
    with Image.open(path) as image:
        return max(image.size)


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {suffix}" for suffix, count in sorted(counts.items())) or "none"
