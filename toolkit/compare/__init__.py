"""The same work under several models: equal results first, then time and memory.

Every run is a fresh process that writes into an empty folder. A round runs every variant once, in shuffled order; the
first round warms up and is dropped. A variant whose output differs from the reference's has no speed.
"""

from __future__ import annotations

import signal
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from toolkit.compare.results import Comparison, Step, Watch
from toolkit.core.errors import UsageError

__all__ = ["Comparison", "Step", "Watch", "compare"]

ROUNDS = 5
SEED = 1


def compare(
    app: str,
    sources: str | Path | Sequence[str | Path],
    *,
    models: str | Sequence[str] = "all",
    workers: int | None = None,
    rounds: int = ROUNDS,
    seed: int = SEED,
    scratch: Path | None = None,
    observe: Watch = lambda _: None,
    command: Sequence[str] = (),
    **options: Any,
) -> Comparison:
    """Run an app on the same sources under several models, and return how they compare.

    options are those of the app's command, with _ for -. workers: for each model, or None for its own choice. scratch:
    the folder below which the runs write; what they write is removed. observe: is told when a run begins and ends.
    Variants that break or disagree are in the Comparison and its exit_code. Raises UsageError for what cannot be used.
    """
    # Imported here, since the process that measures is in this package, too, and must start fast and stay small.
    from toolkit.compare.commands import choose, work
    from toolkit.compare.environment import byte_compile, doubts, environment
    from toolkit.compare.rounds import orders, race, reference_of
    from toolkit.compare.runs import FreshRuns
    from toolkit.compare.verdicts import failing, flagged, standings

    for name in ("watch", "in_place"):
        if options.get(name):
            flag = name.replace("_", "-")
            raise UsageError(f"--{flag} has no place in a comparison: each run writes to a folder of its own, and ends")
    if rounds < 1:
        raise UsageError(f"--rounds {rounds}: give a number from 1")
    several = [str(source) for source in ([sources] if isinstance(sources, str | Path) else sources)]
    names = models.split(",") if isinstance(models, str) else models
    variants, missing = choose([name.strip() for name in names if name.strip()], workers)
    plan = work(app, several, variants, options)
    byte_compile()
    facts = environment()
    order = orders(variants, rounds, seed)
    reference = reference_of(variants)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    with _ended_by_signals(), _scratch(scratch) as folder:
        points = flagged(variants, race(order, reference, FreshRuns(plan, folder), observe))
    return Comparison(
        app=app,
        standings=standings(variants, reference, points),
        points=points,
        order=tuple(tuple(variant.name for variant in names) for names in order),
        missing=tuple(missing),
        rounds=rounds,
        seed=seed,
        environment=facts,
        warnings=(*doubts(facts, rounds), *failing(points)),
        started=started,
        command=tuple(command),
    )


@contextmanager
def _scratch(parent: Path | None) -> Iterator[Path]:
    try:
        folder = tempfile.TemporaryDirectory(prefix="toolkit-compare-", dir=parent, ignore_cleanup_errors=True)
    except OSError as error:
        raise UsageError(f"cannot write in {error.filename or parent}: {error.strerror}") from error
    with folder as name:
        yield Path(name).resolve()


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM end a comparison as Ctrl-C does: what runs is ended and what was written is removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
