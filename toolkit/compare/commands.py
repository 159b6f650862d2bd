"""The command line of each run, made from the same options that the app's own command has."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from toolkit import models
from toolkit.api import Command, groups_of
from toolkit.compare.results import Missing, Variant
from toolkit.core.errors import MissingExtra, UsageError
from toolkit.core.options import Description

ALL = "all"
OURS = ("model", "workers", "client", "fresh", "retry_failed", "state")
"""Options of a run that a comparison chooses itself."""
ROWS = {"scrape": "rows.jsonl"}
"""The output of apps that write rows into one file; the others write files into a folder."""


@dataclass(frozen=True, slots=True)
class Work:
    """What every variant does. flags: the options, as they stand on a command line."""

    app: str
    sources: tuple[str, ...]
    flags: tuple[str, ...] = ()

    @property
    def rows(self) -> str:
        """The name of the file that rows go to, or empty."""
        return ROWS.get(self.app, "")

    def command(self, variant: Variant, folder: Path) -> list[str]:
        """Return the command that does the work by a variant, into an empty folder."""
        workers = [] if variant.workers is None else ["--workers", str(variant.workers)]
        out = folder / self.rows
        start = [*python("toolkit"), self.app, "--model", variant.model, *workers, "--quiet", "--json", "-o", str(out)]
        return [*start, *self.flags, "--", *self.sources]


def work(app: str, sources: Sequence[str], variants: Sequence[Variant], options: Mapping[str, Any]) -> Work:
    """Return the work, once every variant has accepted it; raises UsageError, or MissingExtra with the pip command."""
    if "-" in sources:
        raise UsageError("standard input can be read only once, and a comparison runs many times: give a file")
    if taken := sorted({*options} & {*OURS}):
        raise UsageError(f"a comparison has no option {taken[0]!r}: it chooses that itself")
    for variant in variants:
        place = Path(ROWS.get(app, "out"))
        Command(app).run(sources, place, model=variant.model, workers=variant.workers, **options)
    described = [field for group in groups_of(app) for field in fields(group) if field.name in options]
    flags = [flag for field in described for flag in _spelled(field, options[field.name])]
    return Work(app, tuple(sources), tuple(flags))


def choose(names: Sequence[str], workers: int | None) -> tuple[list[Variant], list[Missing]]:
    """Return the variants that are asked for, and the models that lack a package; raises UsageError.

    "all" stands for every installed model. A model may be listed twice: the second is called "name#2".
    """
    missing: list[Missing] = []
    if list(names) == [ALL]:
        names = sorted(models.names(), key=lambda name: (name != "sequential", name))
        missing = [Missing(name, how) for name in names if (how := _lacks(name))]
        names = [name for name in names if name not in {each.model for each in missing}]
    if not names:
        raise UsageError("no model to compare: name one, or several with commas between them, or say all")
    variants: list[Variant] = []
    for model in names:
        models.load(model)
        number = 1 + sum(variant.model == model for variant in variants)
        variants.append(Variant(model if number == 1 else f"{model}#{number}", model, workers))
    return variants, missing


def python(module: str) -> list[str]:
    """Return the command that runs a module of ours with this interpreter.

    Files that happen to lie in the current folder must not stand in for the standard library's: hence -P, except where
    the package itself is found only there.
    """
    here = Path(__file__).resolve().parents[2] == Path.cwd()
    return [sys.executable, *([] if here else ["-P"]), "-m", module]


def _lacks(model: str) -> str:
    try:
        models.load(model)
    except MissingExtra as error:
        return str(error)
    return ""


def _spelled(field: Any, value: Any) -> Iterator[str]:
    """Yield an option as flags; nothing if it has its default value."""
    described: Description = field.metadata["option"]
    spellings = described.flags or ("--" + field.name.replace("_", "-"),)
    flag = next(spelling for spelling in spellings if spelling.startswith("--")).partition("/")[0]  # as --a/--no-a
    if value is None or value == field.default:
        return
    if isinstance(value, bool):
        yield flag
        return
    for each in value if isinstance(value, list | tuple) else (value,):
        yield f"{flag}={each}"
