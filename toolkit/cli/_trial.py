"""What rules find in saved pages, told: as text for a terminal, or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.cells import cell_len, set_cell_size

from toolkit.apps.scrape.trial import Difference, PageTrial, Totals
from toolkit.reporting.words import plural, shown

ROWS = 10
"""Rows of a page that are shown."""
MANY = 20
"""Problems and differences of a page that are shown."""
NARROWEST = 4
GAP = "  "


def trial_lines(trials: Iterable[PageTrial], totals: Totals, *, width: int, threshold: float | None) -> Iterator[str]:
    """Yield the lines that tell of each page as it comes, and of all at the end; counts them in totals.

    width: columns of the terminal, by which values are cut. threshold: the coverage that is asked for, or None.
    """
    for trial in trials:
        totals.add(trial)
        yield from _page_lines(trial, width)
        yield ""
    totals.check(threshold)
    yield from _coverage_lines(totals, width, threshold)
    yield _summary(totals)


def trial_json(trials: Iterable[PageTrial], totals: Totals, *, threshold: float | None) -> Iterator[str]:
    """Yield the pieces of one JSON document: `pages`, each as it comes, and `totals`; counts them in totals."""
    yield '{"pages": ['
    comma = ""
    for trial in trials:
        totals.add(trial)
        yield f"{comma}\n{json.dumps(trial.record(), default=str)}"
        comma = ","
    totals.check(threshold)
    yield f'\n], "totals": {json.dumps(totals.record())}}}\n'


def cut(value: Any, width: int) -> str:
    """Return a value as text of one line that takes at most width columns; null is a dash."""
    if value is None:
        return "-"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    long = len(text) > 4 * width
    text = shown(" ".join(text[: 4 * width].split()))  # hostile signs of no width end there, too
    if cell_len(text) <= width and not long:
        return text
    return set_cell_size(text, min(width - 1, cell_len(text))).rstrip() + "…"


def _page_lines(trial: PageTrial, width: int) -> Iterator[str]:
    yield cut(f"{trial.name}: {trial.url}", width)
    if trial.error is not None:
        yield _indented(f"failed: {trial.error}", width)
        return
    kind = f"page type {trial.page}" if trial.page else "no page type takes this URL"
    going_on = f" ({trial.going_on} to be completed by linked pages)" if trial.going_on else ""
    counts = f"{plural(len(trial.rows), 'row')}{going_on}, {plural(trial.links, 'link')} to follow"
    yield _indented(f"{kind}: {counts}", width)
    yield from _row_lines(trial.rows, width)
    for problem in trial.problems[:MANY]:
        yield _indented(f"problem: row {problem.row + 1}, {problem.field}: {problem.reason}", width)
    yield from _more(len(trial.problems), MANY, "problem")
    for difference in trial.differences[:MANY]:
        yield _indented(f"differs: {_told(difference)}", width)
    yield from _more(len(trial.differences), MANY, "difference")


def _row_lines(rows: Sequence[dict[str, Any]], width: int) -> Iterator[str]:
    """Yield one row as a line for each field, several as a table."""
    if len(rows) == 1:
        names = [cut(name, width // 3) for name in rows[0]]
        widest = max((cell_len(name) for name in names), default=0)
        for name, value in zip(names, rows[0].values(), strict=True):
            yield f"{GAP}{set_cell_size(name, widest)}{GAP}{cut(value, max(NARROWEST, width - widest - 4))}".rstrip()
    elif rows:
        columns = list(dict.fromkeys(name for row in rows[:ROWS] for name in row))
        most = max(1, (width - len(GAP)) // (NARROWEST + len(GAP)))
        lines: list[list[Any]] = [columns[:most], *([row.get(name) for name in columns[:most]] for row in rows[:ROWS])]
        yield from _table(lines, width)
        yield from _more(len(rows), ROWS, "row")
        yield from _more(len(columns), most, "column")


def _table(lines: Sequence[Sequence[Any]], width: int) -> Iterator[str]:
    """Yield a table's lines; columns share the width evenly, but take no more than they need."""
    cells = [[cut(value, width) for value in line] for line in lines]
    needed = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    left, given = width - len(GAP), [0] * len(needed)
    for place in sorted(range(len(needed)), key=needed.__getitem__):
        share = left // (len(needed) - sum(map(bool, given))) - len(GAP)
        given[place] = max(NARROWEST, min(needed[place], share))
        left -= given[place] + len(GAP)
    for line in lines:
        parts = [set_cell_size(cut(value, size), size) for value, size in zip(line, given, strict=True)]
        yield f"{GAP}{GAP.join(parts)}".rstrip()


def _coverage_lines(totals: Totals, width: int, threshold: float | None) -> Iterator[str]:
    shares = totals.coverage.shares()
    lines: list[list[Any]] = [["field", "covered", "rows"]]
    for name, (full, rows) in totals.coverage.counts().items():
        lines.append([name, f"{shares[name]:.1%}", f"{full:,} of {rows:,}"])
    if totals.pages:
        yield from _table(lines, width)
    for name, share in totals.below:
        yield cut(f"below {threshold:.4g}: {name} is covered in {share:.1%} of the rows", width)


def _summary(totals: Totals) -> str:
    parts = [plural(totals.pages, "page"), plural(totals.rows, "row"), plural(totals.problems, "problem")]
    parts += [plural(totals.differences, "difference"), f"{totals.errors:,} failed"]
    if totals.untyped:
        parts.append(f"{totals.untyped:,} of no page type")
    return ", ".join(parts)


def _told(difference: Difference) -> str:
    if not difference.field:
        return f"row {difference.row + 1}: expected {_short(difference.expected)}, found {_short(difference.found)}"
    where = f"row {difference.row + 1}, {difference.field}"
    return f"{where}: expected {_short(difference.expected)}, found {_short(difference.found)}"


def _indented(text: str, width: int) -> str:
    return GAP + cut(text, width - len(GAP))


def _short(value: Any) -> str:
    return cut(json.dumps(value, ensure_ascii=False, default=str), 60)


def _more(count: int, most: int, what: str) -> Iterator[str]:
    if count > most:
        yield f"{GAP}… and {plural(count - most, f'more {what}')}"
