"""What a task of the resizer works on, and its form as JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from toolkit.apps.resize.names import from_text, to_text
from toolkit.apps.resize.targets import Target

_NAMES = ("source", "origin", "kept")
_FACTS = ("size", "mtime_ns", "width", "height", "kind")


@dataclass(frozen=True, slots=True)
class Picture:
    """What one task works on. source: a path; targets: its results; origin: its place below what was named.

    size in bytes; width, height in pixels, as they are stored, 0 where the header does not tell; kind: its format.
    kept: where the original is, if a run that was killed had replaced it. known: what an earlier run made of it, where
    that is up to date.
    """

    source: str
    targets: tuple[Target, ...] = ()
    origin: str = ""
    size: int = 0
    mtime_ns: int = 0
    width: int = 0
    height: int = 0
    kind: str = ""
    kept: str = ""
    known: Mapping[str, Any] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """The name of the first result, as plans show it."""
        return self.targets[0].name if self.targets else ""


def as_values(picture: Picture) -> dict[str, Any]:
    """Return a picture as JSON values."""
    names = {name: to_text(getattr(picture, name)) for name in _NAMES}
    results = [(to_text(target.name), target.size, target.format) for target in picture.targets]
    return {**{name: getattr(picture, name) for name in _FACTS}, **names, "targets": results}


def from_values(values: Mapping[str, Any]) -> Picture:
    """Return the picture that as_values described."""
    names: dict[str, Any] = {name: from_text(values.get(name, "")) for name in _NAMES}
    results = tuple(Target(from_text(name), size, form) for name, size, form in values["targets"])
    return Picture(**{name: values[name] for name in _FACTS}, **names, targets=results)
