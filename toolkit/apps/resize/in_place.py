"""Pictures that their results replace: what stands at a place is an original, a result, or what a killed run has left.

A result's name is claimed in the store before it is there, and backups are there before originals go: so a picture is
never taken for an original that is none, and no picture is encoded twice.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit import storage
from toolkit.apps.resize import originals
from toolkit.apps.resize.names import from_text, shown, to_text
from toolkit.apps.resize.recall import is_result
from toolkit.apps.resize.targets import Target
from toolkit.apps.resize.walk import fixed_part, place_below, roots
from toolkit.core.errors import UsageError
from toolkit.core.job import Memory, Remembered


@dataclass(frozen=True, slots=True)
class Standing:
    """What is at a place. key: of the picture that it belongs to, as text. known: what the store knows of that one.

    is_result: whether it is the file that an earlier run wrote there, under that key. kept: where the original is, if
    a killed run had replaced it.
    """

    key: str
    known: Remembered | None
    is_result: bool = False
    kept: Path | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """The folder that holds all sources, real, and that of their backups; None for the trash."""

    home: Path
    backup: Path | None

    def check(self, sources: Sequence[str]) -> None:
        """Raise UsageError for backups among which sources lie: they would be taken for backups themselves."""
        if self.backup is None:
            return
        kept = Path(os.path.realpath(self.backup))
        for root in roots(sources):
            named = fixed_part(root.path) if root.is_pattern else root.path
            if Path(os.path.realpath(named)).is_relative_to(kept):
                raise UsageError(f"--backup {self.backup}: {shown(named)} lies in it; give a folder of its own")

    def bring_back(self, sources: Sequence[str]) -> None:
        """Give originals their names back that a killed run had in the trash, and nothing in their place."""
        if self.backup is None:
            for root in roots(sources):
                if not root.is_pattern and os.path.isdir(root.path):
                    originals.bring_back(root.path)

    def place(self, source: str) -> str:
        """Return where a picture lies in the tree."""
        found = place_below(source, str(self.home))
        assert found is not None  # noqa: S101 - a walk finds no others
        return found

    def is_under_way(self, source: str) -> bool:
        """Tell whether a killed run has left a picture beside its result."""
        return originals.is_under_way(Path(source), self.place(source), self.backup)

    def standing(self, source: str, size: int, memory: Memory) -> Standing:
        """Return what stands at a picture's place; size in bytes."""
        key = to_text(self.place(source))
        owner = memory.claimed(key) or key
        known = memory.recall(owner)
        made = known is not None and is_result(source, size, known.value)
        if owner != key and not made and known is not None and known.value:
            owner, known = key, memory.recall(key)  # somebody has changed it since: it is a picture of its own
            made = known is not None and is_result(source, size, known.value)
        return Standing(owner, known, made, None if made else self._kept(source, from_text(owner), known))

    def claim(self, targets: Sequence[Target], key: str, memory: Memory) -> None:
        """Note what will be a result of a picture and no original, should it have another name."""
        others = [name for target in targets if (name := to_text(target.name)) != key]
        for name in others:
            memory.disown(name, key)
        if others and memory.plan:  # a preview carries no plan out, and leaves nothing behind
            memory.commit()

    def before(self, source: str, size: int, mtime_ns: int) -> str:
        """Return where a picture that was replaced is kept; size in bytes and time are those it had."""
        if self.backup is None:
            return source
        return str(originals.kept_as(self.place(source), self.backup, [(size, mtime_ns)]) or source)

    def _kept(self, source: str, place: str, known: Remembered | None) -> Path | None:
        """Return the backup of a picture that a killed run had replaced, or None.

        That run had not come to note what it did: either nothing is known of the picture, or there is a backup of what
        is known to be its last result. On the way to the trash, an original is kept beside for as long as it takes.
        """
        if self.backup is None:
            return originals.spare_of(self.home / place)
        if known is not None and known.value:
            return originals.kept_as(place, self.backup, _facts(known.value))
        kept = storage.inside(self.backup, place)
        return kept if kept.is_file() and not self.is_under_way(source) else None


def _facts(value: dict[str, Any]) -> list[tuple[int, int]]:
    return [(output["bytes"], output["mtime_ns"]) for output in value.get("outputs", ())]
