"""What the runs of one row of resizing came to, as a Markdown table, verdicts on its goals, and JSON values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from _quality import Quality
from _resize_rows import Goal, Row
from _results import Standing

APART = 0.10
"""How far threads and processes may be apart."""
SAME_PSNR, SAME_SSIM = 0.05, 0.0005
"""Differences in quality that do not show in the table."""
HEADING = (
    "| tool | options | wall s (median) | min–max | user+sys s | CPU ms/picture | peak MB | pillow is | vips is "
    "| PSNR dB | SSIM | KB/file |"
)
MODEST = "vipsthumbnail"
"""Whose quality toolkit's must not fall below."""


@dataclass(slots=True)
class Result:
    """A row's standings, for so many pictures, with the quality of what each tool made, by its name."""

    row: Row
    pictures: int
    standings: list[Standing]
    qualities: dict[str, Quality]

    def named(self, name: str) -> Standing | None:
        """Return a tool's standing, if it has a figure."""
        return next((each for each in self.standings if each.good and each.tool.name == name), None)

    def best(self, families: tuple[str, ...]) -> Standing | None:
        """Return the fastest of some families."""
        able = (each for each in self.standings if each.good and each.tool.family in families)
        return min(able, key=lambda each: each.wall, default=None)

    def values(self) -> dict[str, Any]:
        """Return all that was measured, as JSON values."""
        tools = [
            {
                "name": each.tool.name,
                "family": each.tool.family,
                "options": each.tool.options,
                "wrong": each.wrong,
                "runs": list(map(asdict, each.runs)),
                "quality": asdict(self.qualities[each.tool.name]) if each.tool.name in self.qualities else None,
            }
            for each in self.standings
        ]
        return {"row": self.row.name, "title": self.row.title, "pictures": self.pictures, "tools": tools}


def table(result: Result) -> str:
    """Return a row's table, fastest first; those without a figure last, with the reason."""
    ours = [result.named(f"toolkit {engine}") for engine in ("pillow", "vips")]
    lines = [
        f"### {result.row.name}: {result.pictures:,} {result.row.title}",
        "",
        HEADING,
        "|---|---" + 10 * "|--:" + "|",
    ]
    for each in sorted((each for each in result.standings if each.good), key=lambda each: each.wall):
        seconds = [run.seconds for run in each.runs]
        name = f"**{each.tool.name}**" if each.tool.ours else each.tool.name
        ratios = " | ".join(f"{each.wall / our.wall:.2f}×" if our else "" for our in ours)
        lines.append(
            f"| {name} | {each.tool.options} | {each.wall:.2f} | {min(seconds):.2f}–{max(seconds):.2f} "
            f"| {each.cpu:.2f} | {each.cpu / result.pictures * 1e3:.1f} "
            f"| {median(run.peak for run in each.runs) / 1e6:.0f} | {ratios} "
            f"| {_quality(result.qualities.get(each.tool.name))} |"
        )
    lines += [
        f"| {each.tool.name} | {each.tool.options} | – | | | | | | | | | {each.wrong} |"
        for each in result.standings
        if not each.good
    ]
    return "\n".join(lines)


def verdicts(results: list[Result]) -> Iterator[tuple[bool, str]]:
    """Yield whether each goal is met, with the line that says so; nothing where the peer is not in the race."""
    for result in results:
        for standing in result.standings:
            if standing.tool.ours and standing.wrong:
                yield False, f"{result.row.name}: {standing.tool.name} has no figure: {standing.wrong}"
        for goal in result.row.goals:
            yield from _speed(result, goal)
        yield from _likeness(result)
        if result.row.models:
            yield from _models(result)


def _speed(result: Result, goal: Goal) -> Iterator[tuple[bool, str]]:
    ours, peer = result.named(f"toolkit {goal.engine}"), result.best(goal.peers)
    if ours and peer:
        ratio = peer.wall / ours.wall
        told = f"{ours.tool.name} {ours.wall:.2f} s, {peer.tool.name} {peer.wall:.2f} s"
        wanted = f"at least {goal.times:g}× as fast is the goal"
        yield ratio >= goal.times, f"{result.row.name}, {peer.tool.name}: {wanted}, {ratio:.2f}× it is ({told})"


def _likeness(result: Result) -> Iterator[tuple[bool, str]]:
    peer = result.qualities.get(MODEST)
    for engine in ("pillow", "vips") if peer else ():
        ours = result.qualities.get(f"toolkit {engine}")
        if ours and peer:
            met = ours.psnr > peer.psnr - SAME_PSNR and ours.ssim > peer.ssim - SAME_SSIM
            told = f"toolkit {engine} {ours.psnr:.2f} dB, {ours.ssim:.4f}; {peer.psnr:.2f} dB, {peer.ssim:.4f}"
            yield met, f"{result.row.name}, quality: no lower than {MODEST}'s is the goal ({told})"


def _models(result: Result) -> Iterator[tuple[bool, str]]:
    for engine in ("pillow", "vips"):
        processes, threads = (result.named(f"toolkit {engine} {model}") for model in ("processes", "threads"))
        if processes and threads:
            ratio = threads.wall / processes.wall
            told = f"threads {threads.wall:.2f} s, processes {processes.wall:.2f} s"
            line = f"{result.row.name}, models of {engine}: within {APART:.0%} of each other is the goal"
            yield max(ratio, 1 / ratio) <= 1 + APART, f"{line}, {abs(ratio - 1):.0%} they are apart ({told})"


def _quality(quality: Quality | None) -> str:
    if quality is None:
        return "– | – | –"
    return f"{quality.psnr:.2f} | {quality.ssim:.4f} | {quality.size / 1e3:.1f}"
