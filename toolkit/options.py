"""How a job is run: the options that every app shares, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from toolkit.core.cpus import usable_cpus
from toolkit.core.errors import UsageError
from toolkit.core.job import App
from toolkit.core.options import option
from toolkit.core.policy import Policy, parse_max_errors
from toolkit.models import Model

IO_WORKERS = 16
"""Tasks at once where they wait for the network."""

MOST_WORKERS = 1000
"""Threads or processes that a run may have; more only fight for the processors."""
MOST_TASKS = 10_000
"""Tasks that one event loop may have under way."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a job is run: the same options for every app."""

    model: str = option("", "Concurrency model; `toolkit models` lists them.", flags=("--model", "-m"), metavar="NAME")
    workers: int | None = option(None, "Tasks at once.", flags=("--workers", "-j"), metavar="N")
    client: str | None = option(None, "HTTP client (requests, aiohttp).", metavar="NAME")
    per_host: int = option(8, "Tasks at once for one host.", metavar="N")
    delay: float = option(
        0.0,
        "Least seconds between two tasks of one host (their redirects and robots.txt come with them).",
        metavar="SECONDS",
    )
    retries: int = option(3, "Attempts after the first.", metavar="N")
    timeout: float | None = option(
        None, "Seconds without a byte (network) or for a picture, after which a task fails.", metavar="SECONDS"
    )
    max_errors: str | int | float | None = option(None, "Stop after so many failures: 20, or 5%.", metavar="N|N%")
    ca_file: str | None = option(None, "Trust the certificates in this file, and no others.", metavar="FILE")
    fresh: bool = option(False, "Forget what was done before, and do everything.")
    retry_failed: bool = option(False, "Only the tasks that failed before; sources may be left out.")
    state: Path | None = option(None, "Where to keep what is done, if not beside the output.", metavar="FILE")


def policy_of(app: App, options: RunOptions) -> Policy:
    """Return the schedule's limits; raises UsageError for a number that is none."""
    for name, least in (("workers", 1), ("per_host", 1), ("retries", 0), ("delay", 0), ("timeout", 0)):
        value = getattr(options, name)
        if value is not None and (not isfinite(value) or value < least or (name == "timeout" and value == 0)):
            raise UsageError(
                f"--{name.replace('_', '-')} {value:g}: give a number {'above' if name == 'timeout' else 'from'}"
                f" {least}"
            )
    if options.fresh and options.retry_failed:
        raise UsageError("--fresh forgets what failed, and --retry-failed needs it: choose one")
    if options.ca_file and not Path(options.ca_file).is_file():
        raise UsageError(f"--ca-file {options.ca_file}: no such file")
    return Policy(
        retries=options.retries,
        per_lane=options.per_host,
        delay=options.delay,
        max_errors=None if options.max_errors is None else parse_max_errors(str(options.max_errors)),
        order="input" if app.network else "largest",
    )


def workers_of(model: Model, app: App, options: RunOptions) -> int:
    """Return how many tasks run at once: as asked for, or by what the app waits for."""
    if model.name == "sequential":
        return 1
    if options.workers is not None:
        most = MOST_TASKS if model.traits.client == "async" else MOST_WORKERS
        if options.workers > most:
            raise UsageError(f"--workers {options.workers}: {model.name} takes {most:,} at most")
        return options.workers
    return IO_WORKERS if app.network and not model.traits.parallel_cpu else usable_cpus()
