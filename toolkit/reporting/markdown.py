"""A comparison told in text, from its JSON document: the rows of its table, plain lines, or a page of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

from toolkit.reporting._loops import milliseconds
from toolkit.reporting.words import command_line, duration, plural, shown, size

Document = dict[str, Any]
"""JSON values in the shape of toolkit.compare/1."""

HEADINGS = (
    "variant", "workers", "client", "results", "median", "range", "speed-up", "95 %", "verdict", "tasks/s", "CPU",
    "memory", "start-up",
)  # fmt: skip
WORDS = ("variant", "client", "results", "verdict")
"""Columns that are read as words; the others are figures, and stand to the right."""
NONE = "–"


def rows(document: Document) -> list[list[str]]:
    """Return the cells of the table, a row for each variant; one that is INVALID shows no figures."""
    return [
        _row(variant, _times(document, variant["name"]), _digest(document, variant["name"]))
        for variant in document["variants"]
    ]


def notes(document: Document) -> list[str]:
    """Return what must be read with the table, in sentences, the gravest first."""
    return [
        *(f"{each['name']} is INVALID: {shown(each['problem'])}" for each in document["variants"] if each["problem"]),
        *(f"Warning: {text}." for text in document["warnings"]),
        *_about_points(document),
        *_about_loops(document),
        *(f"Left out: {each['model']}: {shown(each['how'])}" for each in document["missing"]),
    ]


def how(document: Document) -> list[str]:
    """Return how it was measured, in a few lines."""
    facts = document["environment"]
    load = "" if facts["load_before"] is None else f", load {facts['load_before']:.1f} before"
    gil = "" if facts["gil"] else " without the GIL"
    rounds, cpus = plural(document["rounds"], "round"), plural(facts["usable_cpus"], "CPU")
    return [
        f"{rounds} after a warm-up that is dropped, in an order shuffled with seed {document['seed']}.",
        "Results: the digest of all that was made, the same where the outputs are the same, byte for byte.",
        f"Speed-up over {document['reference']}: the median of the rounds, with a 95 % interval.",
        _memory(document),
        f"{facts['cpu'] or facts['machine']}, {cpus}{load}; {facts['implementation']} {facts['python']}{gil}.",
    ]


def plain(document: Document) -> str:
    """Return the table and all that belongs to it as plain text, with a line break at its end."""
    cells = [list(HEADINGS), *rows(document)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(map(_padded, row, widths, HEADINGS)).rstrip() for row in cells]
    return "\n".join([*lines, "", *notes(document), *how(document)]) + "\n"


def markdown(document: Document) -> str:
    """Return a page of Markdown (GitHub's dialect): the table, the notes, every raw point, how it was measured."""
    names = [variant["name"] for variant in document["variants"]]
    rounds = ["warm-up (dropped)", *map(str, range(1, document["rounds"] + 1))]
    points = [_raw(name, _times(document, name), len(rounds)) for name in names]
    return "\n".join(
        [
            f"# {document['app']}: {len(names)} variants compared",
            "",
            *_table(HEADINGS, rows(document), [name in WORDS for name in HEADINGS]),
            "",
            *(f"- {_escaped(note)}" for note in notes(document)),
            "",
            "## Every run: seconds, by round",
            "",
            *_table(["variant", *rounds], points, [True] + [False] * len(rounds)),
            "",
            "## How it was measured",
            "",
            *(f"- {_escaped(text)}" for text in how(document)),
            "",
            f"    {' '.join(shown(command_line(document['command'])).split())}",
            "",
            _escaped(f"Started {document['started']}. " + _versions(document)),
            "",
        ]
    )


def _row(variant: dict[str, Any], times: dict[int, dict[str, Any]], digest: str) -> list[str]:
    workers = NONE if variant["workers"] is None else f"{variant['workers']:,}"
    name = [variant["name"], workers, variant["client"] or NONE, digest]
    if variant["verdict"] == "INVALID":
        return [*name, NONE, NONE, NONE, NONE, "INVALID", *[NONE] * 4]
    middle, ratio = variant["median"], variant["speed_up"]
    seconds = [point["measured"]["seconds"] for number, point in times.items() if number]
    return [
        *name,
        _seconds(middle["seconds"]),
        f"{min(seconds):.2f}–{max(seconds):.2f}",
        f"{ratio['ratio']:.2f}×" if ratio else "1" if variant["reference"] else NONE,
        f"{ratio['low']:.2f}–{ratio['high']:.2f}" if ratio and variant["verdict"] != "too few rounds" else "",
        variant["verdict"],
        NONE if middle["tasks_per_second"] is None else f"{middle['tasks_per_second']:,.1f}",
        _seconds(middle["cpu"]),
        NONE if middle["memory"] is None else size(middle["memory"]),
        _seconds(middle["startup_seconds"]),
    ]


def _digest(document: Document, name: str) -> str:
    """Return the start of the digest of all that a variant made; equal ones made the same."""
    found = {point["digest"][:8] for point in document["points"] if point["variant"] == name and point["digest"]}
    return found.pop() if len(found) == 1 else "differ" if found else NONE


def _times(document: Document, name: str) -> dict[int, dict[str, Any]]:
    """Return the points of a variant that were measured, by round."""
    points = [point for point in document["points"] if point["variant"] == name and point["measured"]]
    return {point["round"]: point for point in points}


def _raw(name: str, points: dict[int, dict[str, Any]], rounds: int) -> list[str]:
    """Return a row of seconds by round; a time that stands far out bears a !."""
    cells = {number: f"{point['measured']['seconds']:.3f}{'!' * point['far_out']}" for number, point in points.items()}
    return [name, *(cells.get(number, NONE) for number in range(rounds))]


def _about_points(document: Document) -> Iterator[str]:
    for variant in document["variants"]:
        points = [*_times(document, variant["name"]).values()]
        if far := [_seconds(point["measured"]["seconds"]) for point in points if point["far_out"]]:
            yield f"Far from the other times of {variant['name']}, and counted all the same: {', '.join(far)}."
        if left := sum(point["measured"]["left_behind"] for point in points):
            yield f"{variant['name']} left {plural(left, 'process', 'processes')} behind, which had to be killed."


def _about_loops(document: Document) -> Iterator[str]:
    """Yield how late event loops were: one that is held up by computing explains a model's figures."""
    for variant in document["variants"]:
        points = [point for number, point in _times(document, variant["name"]).items() if number and point["told"]]
        late = [seconds for point in points if (seconds := point["told"].get("loop_p99")) is not None]
        if late and variant["verdict"] != "INVALID":
            often = milliseconds(median(late))
            yield f"The event loop of {variant['name']} was late by {often} at one time in a hundred."


def _memory(document: Document) -> str:
    measured = [point["measured"] for point in document["points"] if point["measured"] and not point["dropped"]]
    if not measured:
        return "Nothing was measured."
    samples = [each["memory_samples"] for each in measured]
    proportional = all(each["memory_kind"] == "pss" for each in measured)
    kind = "proportional (PSS)" if proportional else "resident (RSS), so shared pages count more than once"
    many = f"{min(samples)} to {max(samples)}" if min(samples) < max(samples) else f"{samples[0]}"
    exact = "" if all(each["cpu_exact"] for each in measured) else " CPU time is sampled, so it is a little too low."
    return f"CPU and memory are of all processes of a run; memory is {kind}, the highest of {many} samples.{exact}"


def _versions(document: Document) -> str:
    return ", ".join(f"{name} {version}" for name, version in document["environment"]["packages"].items()) + "."


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return NONE
    if seconds < 0.0995:  # noqa: PLR2004 - what would be shown as 0.10 s
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 10 else duration(seconds)  # noqa: PLR2004


def _padded(cell: str, width: int, heading: str) -> str:
    return cell.ljust(width) if heading in WORDS else cell.rjust(width)


def _table(heads: Sequence[str], cells: Sequence[Sequence[str]], words: Sequence[bool]) -> list[str]:
    rule = [":--" if word else "--:" for word in words]
    return [f"| {' | '.join(row)} |" for row in (heads, rule, *(map(_escaped, row) for row in cells))]


def _escaped(text: str) -> str:
    """Return text in which no sign has a meaning to Markdown or HTML: names and messages come from outside."""
    plainly = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_{}\[\]>|#~!])", r"\\\1", plainly)
