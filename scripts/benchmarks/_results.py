"""What the runs of one row came to, as a Markdown table, verdicts on its goals, and JSON values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from _measure import Taken
from _rows import Row
from _tools import Tool


@dataclass(slots=True)
class Standing:
    """A tool's runs in one row. wrong: why it has no figure, if it has none. long: whether one run is enough.

    paces: milliseconds that an empty file took where each run wrote, before it did.
    """

    tool: Tool
    runs: list[Taken] = field(default_factory=list)
    paces: list[float] = field(default_factory=list)
    wrong: str = ""
    long: bool = False

    @property
    def wall(self) -> float:
        """Return the median of the seconds."""
        return median(run.seconds for run in self.runs)

    @property
    def cpu(self) -> float:
        """Return the median of the processor seconds."""
        return median(run.cpu for run in self.runs)

    @property
    def good(self) -> bool:
        """Tell whether it has a figure."""
        return bool(self.runs) and not self.wrong


@dataclass(slots=True)
class Result:
    """A row's standings, for so many files and bytes."""

    row: Row
    files: int
    size: int
    standings: list[Standing]

    def ours(self, at_once: int | None, *, told: bool = False) -> Standing | None:
        """Return toolkit at so many tasks at once (None: its default), or told to split, if it has a figure."""
        ours = (each for each in self._good(told=told) if each.tool.ours and each.tool.at_once == at_once)
        return next(ours, None)

    def best(self, family: str | None = None, *, told: bool = False) -> Standing | None:
        """Return the fastest peer, or the fastest of one family; told: among those told to split."""
        peers = (each for each in self._good(told=told) if not each.tool.ours and family in (None, each.tool.family))
        return min(peers, key=lambda each: each.wall, default=None)

    def equal(self, at_once: int) -> Standing | None:
        """Return the fastest of the peers that were told this number."""
        peers = (each for each in self._good() if not each.tool.ours and each.tool.at_once == at_once)
        return min(peers, key=lambda each: each.wall, default=None)

    def _good(self, *, told: bool = False) -> Iterator[Standing]:
        return (each for each in self.standings if each.good and each.tool.told == told)

    def values(self) -> dict[str, Any]:
        """Return all that was measured, as JSON values."""
        tools = [
            {
                "name": each.tool.name,
                "family": each.tool.family,
                "options": each.tool.options,
                "wrong": each.wrong,
                "runs": list(map(asdict, each.runs)),
                "ms_to_make_a_file": each.paces,
            }
            for each in self.standings
        ]
        return {"row": self.row.name, "title": self.row.title, "files": self.files, "bytes": self.size, "tools": tools}


def table(result: Result) -> str:
    """Return a row's table, fastest first; those without a figure last, with the reason."""
    ours = result.ours(result.row.at_once[0])
    lines = [
        f"### {result.row.name}: {result.files:,} × {_size(result.size // result.files)}",
        "",
        "| tool | options | wall s (median) | min–max | user+sys s | CPU ms/file | CPU s/GB | peak MB | toolkit is |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for each in sorted((each for each in result.standings if each.good), key=lambda each: each.wall):
        seconds = [run.seconds for run in each.runs]
        ratio = f"{each.wall / ours.wall:.2f}×" if ours else ""
        name = f"**{each.tool.name}**" if each.tool.ours else each.tool.name
        lines.append(
            f"| {name} | {each.tool.options} | {each.wall:.2f} | {min(seconds):.2f}–{max(seconds):.2f} "
            f"| {each.cpu:.2f} | {each.cpu / result.files * 1e3:.2f} | {each.cpu / result.size * 1e9:.2f} "
            f"| {median(run.peak for run in each.runs) / 1e6:.0f} | {ratio} |"
        )
    lines += [
        f"| {each.tool.name} | {each.tool.options} | – | | | | | | {each.wrong} |"
        for each in result.standings
        if not each.good
    ]
    return "\n".join(lines)


def verdicts(results: Sequence[Result]) -> Iterator[tuple[bool, str]]:
    """Yield whether each goal is met, with the line that says so."""
    for result in results:
        name, (first, *others) = result.row.name, result.row.at_once
        ours = result.ours(first)
        if ours is None:
            yield False, f"{name}: toolkit has no figure"
            continue
        if best := result.best():
            yield _verdict(f"{name}, best peer", ours, best, result.row.ahead)
        if result.row.ahead_of_aria2c and (aria2c := result.best("aria2c")):
            yield _verdict(f"{name}, aria2c", ours, aria2c, result.row.ahead_of_aria2c)
        for number in filter(None, others):
            if (equal := result.ours(number)) and (best := result.equal(number)):
                yield _verdict(f"{name}, all at {number}", equal, best, 1.0)
        if (told := result.ours(None, told=True)) and (best := result.best(told=True)):
            yield _verdict(f"{name}, told to split", told, best, 1.0)


def _verdict(what: str, ours: Standing, peer: Standing, goal: float) -> tuple[bool, str]:
    ratio = peer.wall / ours.wall
    met = ratio > goal if goal == 1.0 else ratio >= goal
    wanted = "faster" if goal == 1.0 else f"at least {goal:g}× as fast"
    told = f"{ours.tool.name} {ours.wall:.2f} s, {peer.tool.name} {peer.wall:.2f} s"
    return met, f"{what}: {wanted} is the goal, {ratio:.2f}× it is ({told})"


def _size(size: int) -> str:
    return f"{size / 1e6:g} MB" if size >= 1_000_000 else f"{size / 1e3:g} KB"
