"""Whose a file is that stands where a result is to go: ours, or somebody else's, which is not replaced unasked.

A name that is free is claimed in the store before anything is written there, so that what a killed run has left is
known as ours; a name that somebody else's file has is not.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from toolkit.apps.resize.names import from_text, to_text
from toolkit.apps.resize.targets import Target
from toolkit.core.job import Memory


def is_foreign(out: str, targets: Sequence[Target], key: str, memory: Memory) -> bool:
    """Tell whether one of a picture's results would replace a file below out that no run of ours has made."""
    there = [
        target.name
        for target in targets
        if not memory.claimed(_mark(target)) and os.path.lexists(os.path.join(out, target.name))
    ]
    return bool(there) and not _made(key, memory).issuperset(there)


def claim(targets: Sequence[Target], key: str, memory: Memory) -> None:
    """Note that files of these names are ours from now on; a preview carries no plan out, and notes nothing."""
    new = [mark for target in targets if not memory.claimed(mark := _mark(target))] if memory.plan else []
    for mark in new:
        memory.claim(mark, key)
    if new:
        memory.commit()


def is_taken(targets: Sequence[Target], key: str, memory: Memory) -> bool:
    """Tell whether one of the names was claimed for another picture."""
    return any(memory.claimed(_mark(target)) not in {None, key} for target in targets)


def _made(key: str, memory: Memory) -> set[str]:
    """Return the names of what was made of a picture when it was last done: in place, or before names were claimed."""
    known = memory.recall(key)
    outputs = known.value.get("outputs", ()) if known is not None else ()
    return {from_text(output["name"]) for output in outputs if not output.get("found")}


def _mark(target: Target) -> str:
    """Return the name under which the store knows that a result is ours; no picture's name has two slashes."""
    return f"//result {to_text(target.name)}"
