"""Rounds of one row: every tool once a round, in shuffled order, into a new folder; the first round warms up."""

from __future__ import annotations

import filecmp
import os
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _ground import SLOW, Ground
from _measure import Taken, measure
from _results import Standing
from _tools import Tool, environment

LIMIT = 180.0
"""Seconds after which a run is ended and its tool left out of the row."""
LONG = 20.0
"""Seconds of the warm-up above which one measured run is enough: it is no close race."""


Check = Callable[[Tool, Path, bool], str]
"""Says what is wrong with a folder that a tool has filled, or nothing; the flag asks it to be thorough."""


@dataclass(frozen=True, slots=True)
class Course:
    """What is done, and where to. many: whether the files are so many that they stay until the end."""

    work: Any
    check: Check
    ground: Ground
    many: bool


def race(tools: Sequence[Tool], course: Course, runs: int, chance: random.Random) -> list[Standing]:
    """Run all tools so many times besides the warm-up, in which their results are thoroughly checked."""
    standings = [Standing(tool) for tool in tools]
    for number in range(runs + 1):
        order = [each for each in standings if not each.wrong and (number < 2 or not each.long)]
        chance.shuffle(order)
        for standing in order:
            taken, standing.wrong, pace = _once(standing.tool, course, thoroughly=number == 0)
            standing.long |= taken.seconds > LONG
            if number and not standing.wrong:
                standing.runs.append(taken)
                standing.paces.append(pace)
            slow = f"  (a file takes {pace:.2f} ms to make here)" if pace > SLOW else ""
            came = standing.wrong or f"{taken.seconds:.2f} s{slow}"
            _tell(f"  round {number} of {runs}  {standing.tool.name:30} {came}")
    return standings


def same_files(files: Sequence[Path]) -> Check:
    """Return a check that just these files have come: count and sizes each time, every byte if it is thorough."""
    wanted = {path.name: path.stat().st_size for path in files}

    def check(_: Tool, out: Path, thoroughly: bool) -> str:  # noqa: FBT001 - a race tells it so
        come = {entry.name: entry.stat().st_size for entry in os.scandir(out) if not entry.name.startswith(".")}
        if come != wanted:
            what = f"{len(come):,} of {len(files):,} files, {sum(come.values()):,} bytes"
            return f"{what}, though it said that all is well"
        if thoroughly and not all(filecmp.cmp(path, out / path.name, shallow=False) for path in files):
            return "wrong bytes, though it said that all is well"
        return ""

    return check


def _once(tool: Tool, course: Course, *, thoroughly: bool) -> tuple[Taken, str, float]:
    """Run a tool; return what it took, what is wrong with what came, if anything, and the pace of its plot."""
    plot = course.ground.new()
    if hasattr(os, "sync"):
        os.sync()  # what the last run left to be written is not this run's work
    try:
        around = environment(course.ground.scratch / "home")
        taken = measure(tool.command(course.work, plot.out), plot.logs, around, LIMIT)
        return taken, _complaint(taken) or course.check(tool, plot.out, thoroughly), plot.pace
    finally:
        course.ground.leave(plot, many=course.many)


def _complaint(taken: Taken) -> str:
    if taken.exit_code is None:
        return taken.said
    return f"exit code {taken.exit_code}: {taken.said[:120]}" if taken.exit_code else ""


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
