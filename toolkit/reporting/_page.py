"""The text of the report's page: every name and message is escaped, and no script or style but its own may run."""

from __future__ import annotations

import html
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from typing import Literal

from toolkit.reporting import FailureGroup, Summary
from toolkit.reporting._advice import ADVICE
from toolkit.reporting._gallery import Shown, figures, text
from toolkit.reporting._loops import milliseconds, place, sentence
from toolkit.reporting.ending import ending, verdict
from toolkit.reporting.words import command_line, duration, size

STATES = {0: ("well", "All well"), 1: ("bad", "Some failed"), 3: ("bad", "Stopped"), 130: ("bad", "Interrupted")}
"""How a run went, by its exit code."""
SHORT = ("bad", "Not all that was asked for")
"""How a run went in which every task did well, but the results as a whole did not."""
TO_SAY = ("  limit settled", "  to retry", "  to go on")
"""How the lines of the ending begin that are repeated here."""


@dataclass(frozen=True, slots=True)
class Row:
    """One task on the page. note: why it was skipped or failed, or what is to be known of its result."""

    name: str
    ended: Literal["done", "skipped", "failed"]
    note: str
    bytes: int
    seconds: float
    tries: int


def page(summary: Summary, rows: Sequence[Row], ended: int, pairs: Sequence[Shown], pictures: int) -> Iterator[str]:
    """Yield the page, in parts. ended: tasks that rows are some of; pictures: results that pairs are some of."""
    style, script = _resource("page.css"), _resource("page.js")
    policy = f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}"
    title = f"toolkit {summary.app}: {_state(summary)[1].lower()}"
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n"
    )
    yield from _head(summary)
    yield from (f"<p>{text(remark)}</p>\n" for remark in summary.remarks)
    yield from _complaints(summary.complaints)
    yield from _failures(summary.failures)
    yield from _counted("Skipped", summary.skipped)
    yield from _counted("Warnings", summary.warnings)
    yield from figures(pairs, pictures)
    yield from _tasks(rows, ended)
    yield from _loop(summary)
    yield from _foot(summary)
    yield f"</main>\n<script>{script}</script>\n</body>\n</html>\n"


def _head(summary: Summary) -> Iterator[str]:
    mark, state = _state(summary)
    yield f'<header>\n<p class="state {mark}">{state}</p>\n<h1>{text(summary.app)}</h1>\n'
    yield f'<p class="verdict">{text(verdict(summary))}</p>\n</header>\n'
    yield from _bar(summary)
    rate = summary.succeeded / summary.seconds if summary.seconds > 0 else 0.0
    facts = {
        "done": f"{summary.succeeded:,}",
        "skipped": f"{summary.skips:,}",
        "failed": f"{summary.errors:,}",
        "left": f"{summary.left:,}" if summary.left else "",
        "retries": f"{summary.retried:,}" if summary.retried else "",
        "time": duration(summary.seconds),
        "start-up": f"{summary.startup_seconds:.2f} s" if summary.startup_seconds else "",
        "speed": f"{rate:,.1f}/s" if rate else "",
        "results": size(summary.bytes) if summary.bytes else "",
        "received": size(summary.received) if summary.received else "",
        "model": summary.how,
        "client": summary.client or "",
        "started": summary.started.replace("T", " "),
        "output": summary.output,
    }
    cells = (f"<div><dt>{name}</dt><dd>{text(fact)}</dd></div>\n" for name, fact in facts.items() if fact)
    yield f'<dl class="facts">\n{"".join(cells)}</dl>\n'
    for line in ending(summary):
        if line.startswith(TO_SAY) or " was slowed down to " in line:
            say, colon, command = line.strip().partition(": ")
            code = colon and say.startswith("to ")
            yield (
                f"<p>{text(say + colon)}</p>\n<pre>{html.escape(command)}</pre>\n"
                if code
                else f"<p>{text(line.strip())}</p>\n"
            )


def _bar(summary: Summary) -> Iterator[str]:
    """Yield the parts of all tasks as a bar; its figures are told beside, so nobody needs to see it."""
    if not summary.total:
        return
    yield '<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">'
    at = 0.0
    counts = {"done": summary.succeeded, "skipped": summary.skips, "failed": summary.errors, "left": summary.left}
    for name, count in counts.items():
        wide = 1000 * count / summary.total
        yield f'<rect class="{name}" x="{at:.2f}" y="0" width="{wide:.2f}" height="10"/>'
        at += wide
    yield "</svg>\n"


def _state(summary: Summary) -> tuple[str, str]:
    return SHORT if summary.exit_code == 1 and not summary.errors else STATES[summary.exit_code]


def _complaints(complaints: Sequence[str]) -> Iterator[str]:
    if complaints:
        lines = "".join(f"<li>{text(each)}</li>\n" for each in complaints)
        yield f"<section>\n<h2>Complaints</h2>\n<ul>\n{lines}</ul>\n</section>\n"


def _failures(groups: Sequence[FailureGroup]) -> Iterator[str]:
    if not groups:
        return
    yield "<section>\n<h2>What failed</h2>\n"
    for kind in dict.fromkeys(group.kind for group in groups):
        alike = [group for group in groups if group.kind == kind]
        count = sum(group.count for group in alike)
        yield f'<h3>{count:,} × {text(kind)}</h3>\n<p class="advice">{text(ADVICE.get(kind, ""))}</p>\n<dl>\n'
        for group in alike:
            more = group.count - len(group.examples)
            yield f"<dt>{text(group.message)}{f' ({group.count:,} times)' if group.count > 1 else ''}</dt>\n"
            yield "".join(f"<dd>{text(key)}</dd>\n" for key, _ in group.examples)
            yield f"<dd>… and {more:,} more</dd>\n" if more else ""
        yield "</dl>\n"
    yield "</section>\n"


def _counted(title: str, counts: dict[str, int]) -> Iterator[str]:
    if counts:
        rows = sorted(counts.items(), key=lambda item: -item[1])
        lines = (f'<tr><td class="number">{count:,}</td><td>{text(what)}</td></tr>\n' for what, count in rows)
        yield f'<section>\n<h2>{title}</h2>\n<div class="wide"><table><tbody>\n{"".join(lines)}</tbody></table></div>\n'
        yield "</section>\n"


def _tasks(rows: Sequence[Row], ended: int) -> Iterator[str]:
    if not rows:
        return
    yield "<section>\n<h2>Tasks</h2>\n"
    if len(rows) < ended:
        yield f"<p>{len(rows):,} of {ended:,}: {ended - len(rows):,} more are not shown. Those that failed come first; "
        yield "--events FILE names every one.</p>\n"
    heads = (("task", ""), ("result", ""), ("size", "number"), ("seconds", "number"), ("tries", "number"), ("note", ""))
    yield '<div class="wide"><table class="sortable">\n<thead><tr>'
    yield "".join(f'<th class="{sort}">{name}</th>' for name, sort in heads) + "</tr></thead>\n<tbody>\n"
    for row in rows:
        volume = size(row.bytes) if row.bytes else ""
        yield (
            f'<tr><td>{text(row.name)}</td><td><span class="{row.ended}">{row.ended}</span></td>'
            f'<td class="number" data-by="{row.bytes}">{volume}</td><td class="number" data-by="{row.seconds:.6f}">'
            f'{row.seconds:.3f}</td><td class="number" data-by="{row.tries}">{row.tries}</td>'
            f"<td>{text(row.note)}</td></tr>\n"
        )
    yield "</tbody>\n</table></div>\n</section>\n"


def _loop(summary: Summary) -> Iterator[str]:
    """Yield how late event loops were, and where functions were computed."""
    if told := sentence(summary):
        yield f"<section>\n<h2>Event loop</h2>\n<p>{text(told[0].upper() + told[1:])}.</p>\n"
        if summary.computing:
            heads = (("where", ""), ("calls", "number"), ("each", "number"), ("why", ""))
            yield '<div class="wide"><table>\n<thead><tr>'
            yield "".join(f'<th class="{sort}">{name}</th>' for name, sort in heads) + "</tr></thead>\n<tbody>\n"
            for each in summary.computing:
                yield (
                    f'<tr><td>{text(place(each))}</td><td class="number">{each.calls:,}</td>'
                    f'<td class="number">{milliseconds(each.mean)}</td><td>{text(each.why)}</td></tr>\n'
                )
            yield "</tbody>\n</table></div>\n"
        yield "</section>\n"


def _foot(summary: Summary) -> Iterator[str]:
    if summary.command:
        yield f"<footer>\n<h2>Command</h2>\n<pre>{html.escape(command_line(summary.command))}</pre>\n</footer>\n"


def _resource(name: str) -> str:
    return resources.files("toolkit.reporting").joinpath(name).read_text(encoding="utf-8")


def _hash(source: str) -> str:
    return f"'sha256-{b64encode(sha256(source.encode()).digest()).decode()}'"
