"""Rounds of one row: every tool once a round, in shuffled order, into an empty folder; the first round warms up."""

from __future__ import annotations

import filecmp
import os
import random
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from _measure import Taken, measure
from _results import Standing
from _tools import Tool, Work, environment

LIMIT = 180.0
"""Seconds after which a run is ended and its tool left out of the row."""
LONG = 20.0
"""Seconds of the warm-up above which one measured run is enough: it is no close race."""


def race(tools: Sequence[Tool], work: Work, files: Sequence[Path], runs: int, chance: random.Random) -> list[Standing]:
    """Run all tools so many times besides the warm-up, in which their results are compared with the source."""
    standings = [Standing(tool) for tool in tools]
    around = environment(work.out.parent / "home")
    for number in range(runs + 1):
        order = [each for each in standings if not each.wrong and (number < 2 or not each.long)]
        chance.shuffle(order)
        for standing in order:
            taken = _once(standing.tool, work, around)
            standing.wrong = _wrong(taken, work.out, files, thoroughly=number == 0)
            standing.long |= taken.seconds > LONG
            if number and not standing.wrong:
                standing.runs.append(taken)
            _tell(f"  round {number} of {runs}  {standing.tool.name:30} {standing.wrong or f'{taken.seconds:.2f} s'}")
    _empty(work.out)
    return standings


def _once(tool: Tool, work: Work, around: dict[str, str]) -> Taken:
    logs = work.out.parent / "logs"
    for folder in (work.out, logs):
        _empty(folder)
    if hasattr(os, "sync"):
        os.sync()  # what the last run left to be written is not this run's work
    return measure(tool.command(work), logs, around, LIMIT)


def _wrong(taken: Taken, out: Path, files: Sequence[Path], *, thoroughly: bool) -> str:
    """Return what is wrong with what came, or nothing: count and sizes each time, every byte the first time."""
    if taken.exit_code is None:
        return taken.said
    if taken.exit_code:
        return f"exit code {taken.exit_code}: {taken.said[:120]}"
    come = {entry.name: entry.stat().st_size for entry in os.scandir(out) if not entry.name.startswith(".")}
    if come != {path.name: path.stat().st_size for path in files}:
        return f"{len(come):,} of {len(files):,} files, {sum(come.values()):,} bytes, though it said that all is well"
    if thoroughly and not all(filecmp.cmp(path, out / path.name, shallow=False) for path in files):
        return "wrong bytes, though it said that all is well"
    return ""


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
