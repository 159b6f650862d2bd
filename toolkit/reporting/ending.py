"""What is said at the end of every run: the verdict, what failed and why, what was skipped, and how to go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from toolkit.reporting import PLACE, FailureGroup, Limits, Summary
from toolkit.reporting._loops import sentence
from toolkit.reporting.words import command_line, duration, plural, shown, size

MOST_HOSTS = 5
"""Hosts that were slowed down that are shown."""
DOWN = ("connect", "dns")
"""Kinds of hosts that could not be reached: if for good, the failures tell it."""
REASONS = {
    "throughput rises": "it was still rising at the end",
    "more bring nothing": "more brought nothing",
    "fewer do as well": "more brought nothing",
    "fewer bring less": "fewer brought less",
    "hosts ask for less": "hosts asked for less, or were too slow",
    "this machine's limit": "this machine had no more to give",
    "trying more": "this machine had no more to give",
}
"""Why the limit settled where it did."""
MOST_GROUPS = 10
"""Sorts of failures, and of warnings, that are shown."""
LONGEST = 300
"""Characters of a task that are shown."""
LATE = 0.1
"""Seconds by which a loop is late so often, at one time in a hundred, that it is told unasked."""
LONG = 200
"""Characters of a command that are pleasant to paste."""
PAGES = ("page", "pages")
SORTS = {"download": ("file", "files"), "resize": ("picture", "pictures"), "scrape": PAGES, "scrape record": PAGES}


def verdict(summary: Summary) -> str:
    """Return the one line that says how it went."""
    one, many = SORTS.get(summary.app, ("task", "tasks"))
    parts = [plural(summary.succeeded, one, many) + " done"]
    parts += [f"{summary.skips:,} skipped"] if summary.skips else []
    parts += [f"{summary.errors:,} failed"] if summary.errors else []
    parts += [f"{summary.left:,} left"] if summary.left else []
    rate = summary.succeeded / summary.seconds if summary.seconds > 0 else 0.0
    volume = f"; {size(summary.bytes)}" if summary.bytes else ""
    model = summary.how + (f", {summary.client}" if summary.client else "")
    how = {"complete": "", "stopped": f"STOPPED ({shown(summary.reason)}): ", "interrupted": "INTERRUPTED: "}
    speed = f"; {rate:,.1f}/s" if rate else ""
    return f"{how[summary.status]}{', '.join(parts)} in {duration(summary.seconds)}{speed}{volume} [{model}]"


def ending(summary: Summary) -> Iterator[str]:
    """Yield the lines: verdict, remarks, complaints, failures with examples, skips, warnings, and what to do next."""
    yield verdict(summary)
    yield from (f"  {shown(text)}" for text in summary.remarks)
    yield from (f"  complaint: {shown(' '.join(text.split()))}" for text in summary.complaints[:MOST_GROUPS])
    if len(summary.complaints) > MOST_GROUPS:
        yield f"  … and {plural(len(summary.complaints) - MOST_GROUPS, 'more complaint')}; --json has every one"
    for group in summary.failures[:MOST_GROUPS]:
        yield from _group(group)
    if len(summary.failures) > MOST_GROUPS:
        rest = sum(group.count for group in summary.failures[MOST_GROUPS:])
        yield f"  … and {rest:,} failures of other sorts; --events FILE has every one"
    if summary.skipped:
        yield "  skipped: " + ", ".join(f"{count:,} {shown(reason)}" for reason, count in summary.skipped.items())
    for text, count in sorted(summary.warnings.items(), key=lambda item: -item[1])[:MOST_GROUPS]:
        yield f"  warning: {shown(text)}" + (f" ({count:,} times)" if count > 1 else "")
    yield from _limit(summary)
    if is_late(summary):
        yield f"  {sentence(summary)}"
    yield from _next_step(summary)


def is_late(summary: Summary) -> bool:
    """Whether event loops were held up so much that it is told unasked."""
    return summary.loop is not None and summary.loop.p99 > LATE


def _limit(summary: Summary) -> Iterator[str]:
    """Yield where the limit on tasks at once came to rest and why, and which hosts were slowed down."""
    limits = summary.limits
    if limits is None:
        return
    if limits.reason or limits.changes:
        how = "auto" if limits.adaptive else f"of {summary.workers:,}"
        yield f"  limit settled at {limits.last:,} at once ({how}){_why(limits, summary.workers)}"
    slowed = [host for host in limits.hosts if host.kind not in DOWN]
    for slow in slowed[:MOST_HOSTS]:
        times = plural(slow.failures, "failure")
        yield f"  {shown(slow.host)} was slowed down to {slow.least:,} at once ({times}, the last: {slow.kind})"
    if len(slowed) > MOST_HOSTS:
        yield "  … and other hosts; --json names more"


def _why(limits: Limits, workers: int) -> str:
    if limits.reason == "throughput rises" and limits.last >= workers:
        return ": the most it tries; --workers N allows more"
    if limits.reason == "not used":
        return f": more were not used, with at most {limits.per_host:,} for one host (--per-host)"
    return f": {REASONS.get(limits.reason, limits.reason)}" if limits.reason else ""


def _group(group: FailureGroup) -> Iterator[str]:
    yield f"  {group.count:,} × {group.kind}: {shown(group.message)}"
    for key, message in group.examples:
        place = PLACE.match(message)  # a line of a list is found by its number
        where = place[0] if place and not place[0].startswith(key) else ""
        yield f"      {shown(where + (key if len(key) <= LONGEST else key[:LONGEST] + '…'))}"
    if group.count > len(group.examples):
        yield f"      … and {group.count - len(group.examples):,} more"


def _next_step(summary: Summary) -> Iterator[str]:
    if not summary.command or summary.store is None:
        return
    command = [part for part in summary.command if part not in ("--fresh", "--retry-failed")]
    if summary.left or summary.status != "complete":
        text = command_line(command)
        again = "give the same command again" + (", without --fresh" if "--fresh" in summary.command else "")
        yield f"  to go on: {text if len(text) <= LONG else again}"
    elif summary.failures and all(PLACE.match(text) for group in summary.failures for _, text in group.examples):
        yield f"  to go on, correct the list: {command_line(command)}"
    elif summary.errors:
        yield f"  to retry what failed: {_retry(command, summary.sources)}"


def _retry(command: list[str], sources: Sequence[str]) -> str:
    """Return the command that retries; sources that make it long are left out, for they are remembered."""
    text = command_line([*command, "--retry-failed"])
    if len(text) <= LONG:
        return text
    for source in sources:
        if source in command:
            command.remove(source)
    return command_line([*command, "--retry-failed"])
