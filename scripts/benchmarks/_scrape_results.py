"""What the runs of one row of scraping came to, as Markdown tables, verdicts on its goals, and JSON values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from _results import Standing
from _scrape_rows import ASYNCIO, HYBRID, Goal, Row
from _scrapers import MODELS, PARSERS

HEADING = "| tool | options | wall s (median) | min–max | user+sys s | CPU ms/page | pages/s | peak MB |"


@dataclass(slots=True)
class Result:
    """A row's standings, for so many pages and bytes. odd: in which pages a tool's rows are others, by its name."""

    row: Row
    pages: int
    size: int
    standings: list[Standing]
    odd: dict[str, str]

    def named(self, name: str) -> Standing | None:
        """Return a tool's standing, if it has a figure."""
        return next((each for each in self.standings if each.good and each.tool.name == name), None)

    def best(self, family: str) -> Standing | None:
        """Return the fastest of a family."""
        able = (each for each in self.standings if each.good and each.tool.family == family)
        return min(able, key=lambda each: each.wall, default=None)

    def values(self) -> dict[str, Any]:
        """Return all that was measured, as JSON values."""
        tools = [
            {
                "name": each.tool.name,
                "family": each.tool.family,
                "options": each.tool.options,
                "wrong": each.wrong,
                "odd": self.odd.get(each.tool.name, ""),
                "runs": list(map(asdict, each.runs)),
            }
            for each in self.standings
        ]
        return {"row": self.row.name, "title": self.row.title, "pages": self.pages, "bytes": self.size, "tools": tools}


def table(result: Result) -> str:
    """Return a row's tables: all tools, fastest first; toolkit's models by parsers; rows that differ."""
    ours = [each for name in (ASYNCIO, HYBRID, "toolkit") if (each := result.named(name))]
    lines = [
        f"### {result.row.name}: {result.pages:,} {result.row.title}, {result.size / 1e6:.1f} MB",
        "",
        HEADING + "".join(f" {each.tool.name.removeprefix('toolkit ')} is |" for each in ours),
        "|---|---" + (6 + len(ours)) * "|--:" + "|",
    ]
    for each in sorted((each for each in result.standings if each.good), key=lambda each: each.wall):
        seconds = [run.seconds for run in each.runs]
        name = f"**{each.tool.name}**" if each.tool.ours else each.tool.name
        ratios = "".join(f" {each.wall / our.wall:.2f}× |" for our in ours)
        lines.append(
            f"| {name} | {each.tool.options} | {each.wall:.2f} | {min(seconds):.2f}–{max(seconds):.2f} "
            f"| {each.cpu:.2f} | {each.cpu / result.pages * 1e3:.2f} | {result.pages / each.wall:.0f} "
            f"| {median(run.peak for run in each.runs) / 1e6:.0f} |{ratios}"
        )
    lines += [
        f"| {each.tool.name} | {each.tool.options} | – | | | | | {each.wrong} |{len(ours) * ' |'}"
        for each in result.standings
        if not each.good
    ]
    return "\n".join([*lines, *_by_parser(result), *_odd(result)])


def verdicts(results: list[Result]) -> Iterator[tuple[bool, str]]:
    """Yield whether each goal is met, with the line that says so; nothing where the peer is not in the race."""
    for result in results:
        for standing in result.standings:
            if standing.tool.ours and standing.wrong:
                yield False, f"{result.row.name}: {standing.tool.name} has no figure: {standing.wrong}"
        for goal in result.row.goals:
            yield from _speed(result, goal)
        ours = result.named("toolkit")
        if result.row.most is not None and ours:
            told = f"below {result.row.most:g} s is the goal, {ours.wall:.2f} s it takes"
            yield ours.wall < result.row.most, f"{result.row.name}: {told}"


def _speed(result: Result, goal: Goal) -> Iterator[tuple[bool, str]]:
    ours, peer = result.named(goal.ours), result.best(goal.peers)
    if ours and peer:
        ratio = peer.wall / ours.wall
        told = f"{ours.tool.name} {ours.wall:.2f} s, {peer.tool.name} {peer.wall:.2f} s"
        wanted = f"at least {goal.times:g}× as fast is the goal"
        yield ratio >= goal.times, f"{result.row.name}, {goal.peers}: {wanted}, {ratio:.2f}× it is ({told})"


def _by_parser(result: Result) -> Iterator[str]:
    """Yield a table of seconds, if toolkit was raced with more than one parser."""
    grid = {(model, parser): result.named(_name(model, parser)) for model in MODELS for parser in PARSERS}
    if len({parser for (_, parser), each in grid.items() if each}) < 2:
        return
    yield from ("", f"| toolkit, wall s | {' | '.join(PARSERS)} |", "|---" + len(PARSERS) * "|--:" + "|")
    for model in MODELS:
        if any(grid[model, parser] for parser in PARSERS):
            cells = (f"{each.wall:.2f}" if (each := grid[model, parser]) else "" for parser in PARSERS)
            yield f"| {model} | {' | '.join(cells)} |"


def _name(model: str, parser: str) -> str:
    return f"toolkit {model}" if parser == "lexbor" else f"toolkit {model} {parser}"


def _odd(result: Result) -> Iterator[str]:
    if not result.odd:
        yield from ("", "All rows are the same, field by field, as lxml alone reads the pages.")
        return
    yield from ("", "Rows that differ from what lxml alone reads:", "")
    for name, told in result.odd.items():
        yield f"- {name}: {told}"
