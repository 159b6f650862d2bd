"""What is made of all results once a run is over: snippets for browsers, the contact sheet."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from toolkit.apps.resize.names import from_text, to_text
from toolkit.apps.resize.result import Output
from toolkit.core.errors import UsageError
from toolkit.core.job import Memory
from toolkit.storage import atomic_write


@dataclass(frozen=True, slots=True)
class Ending:
    """What is to be written at the end. settings: the digest of those that results were made with."""

    out: Path
    settings: str
    srcset: Path | None
    contact_sheet: Path | None

    def check(self) -> None:
        """Raise UsageError for a file that cannot be written."""
        if self.contact_sheet is not None:
            from toolkit.apps.resize import sheet

            sheet.check(self.contact_sheet)
        if self.srcset is not None and self.srcset.is_dir():
            raise UsageError(f"--srcset {self.srcset}: this is a folder")
        if self.srcset is not None and self.srcset.suffix.lower() not in {".html", ".htm"}:
            raise UsageError(f"--srcset {self.srcset}: end it in .html")

    def check_ours(self, memory: Memory) -> None:
        """Raise UsageError for a file that is there and that no run of ours has written."""
        for flag, path in (("srcset", self.srcset), ("contact-sheet", self.contact_sheet)):
            if path is not None and path.exists() and memory.claimed(_mark(path)) is None:
                raise UsageError(f"--{flag} {path}: a file that is not ours has this name; choose another")

    def write(self, memory: Memory) -> None:
        """Write what was asked for, of all that the store knows to be done with these settings; raises TaskError."""
        for path in (self.srcset, self.contact_sheet):
            if path is not None:
                memory.claim(_mark(path), "report")
        if self.srcset is not None:
            from toolkit.apps.resize import srcset

            with atomic_write(self.srcset) as file:
                for text in srcset.page(self._made(memory)):
                    file.write(text.encode("utf-8", "replace"))
        if self.contact_sheet is not None:
            from toolkit.apps.resize import sheet

            sheet.write(self.contact_sheet, self._largest(memory))

    def _made(self, memory: Memory) -> Iterator[tuple[str, list[Output]]]:
        for known in memory.done(self.settings):
            yield from_text(known.key), [_output(facts) for facts in known.value.get("outputs", ())]

    def _largest(self, memory: Memory) -> Iterator[tuple[str, Path]]:
        for _, outputs in self._made(memory):
            if outputs:
                name = max(outputs, key=lambda output: output.width).name
                yield name, self.out / name


def _mark(path: Path) -> str:
    """Return the name under which the store knows that a report is ours; no picture's name has two slashes."""
    return f"//report {to_text(os.path.abspath(path))}"


def _output(facts: dict[str, Any]) -> Output:
    known = {field.name: facts[field.name] for field in fields(Output) if field.name in facts}
    return Output(**{**known, "name": from_text(facts["name"])})
