"""How late event loops were and where functions were computed, in words: what explains a model's speed."""

from __future__ import annotations

from toolkit.core.loops import Computed, Lateness
from toolkit.reporting import Summary
from toolkit.reporting.words import plural

DONE = {"scrape": "pages were read", "scrape record": "pages were read"}
"""What was computed, by app."""
PLACES = {"loop": "in the loop", "threads": "in threads beside the loop"}


def sentence(summary: Summary) -> str:
    """Return what a run tells of its loops, or nothing if it had none."""
    parts = [_computed(summary)] if summary.computing else []
    parts += [_late(summary.loop)] if summary.loop else []
    return "; ".join(parts)


def place(computed: Computed) -> str:
    """Return where calls were made."""
    if computed.where == "processes":
        return f"in {plural(computed.processes, 'process', 'processes')} beside the loop"
    return PLACES[computed.where]


def milliseconds(seconds: float) -> str:
    """Return "31 ms" or "0.4 ms"."""
    value = seconds * 1000
    return f"{value:,.0f} ms" if value >= 9.5 else f"{value:.1f} ms".replace(".0 ", " ")  # noqa: PLR2004 - two digits


def _computed(summary: Summary) -> str:
    by_place: dict[str, list[Computed]] = {}
    for each in summary.computing:
        by_place.setdefault(place(each), []).append(each)
    found = [
        (sum(each.calls for each in alike), sum(each.seconds for each in alike), where)
        for where, alike in by_place.items()
    ]
    (calls, seconds, where), *others = sorted(found, reverse=True)
    others_ = "".join(f", {more:,} more {there.removesuffix(' beside the loop')}" for more, _, there in others)
    return f"{DONE.get(summary.app, 'functions were called')} {where}: {milliseconds(seconds / calls)} each{others_}"


def _late(loop: Lateness) -> str:
    usual, seldom, worst = map(milliseconds, (loop.p50, loop.p99, loop.max))
    return f"the loop was late by {usual} at most times, {seldom} at one in a hundred, {worst} at worst"
