"""How a job is run: the options that every app shares, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Literal

from toolkit.core.cpus import usable_cpus
from toolkit.core.credentials import load_credentials
from toolkit.core.errors import UsageError
from toolkit.core.job import App
from toolkit.core.memory import allowed
from toolkit.core.network import Network
from toolkit.core.options import option
from toolkit.core.policy import Policy, parse_max_errors
from toolkit.core.quantities import parse_bytes, parse_rate, parse_seconds
from toolkit.core.rates import Limits
from toolkit.models import ClientOptions, Model

AUTO = "auto"
AUTO_THREADS = 64
"""Tasks at once, at most, where the number is found out: each costs a thread."""
AUTO_TASKS = 256
"""The same where one event loop has them all."""
MEETING = 5.0
"""Seconds for which a host's first page is alone at most, where robots.txt may ask for time between pages."""
PER_HOST = 8
"""Tasks at once for one host, unless an app or the user has another number."""
MOST_WORKERS = 1000
"""Threads or processes that a run may have; more only fight for the processors."""
MOST_TASKS = 10_000
"""Tasks that one event loop may have under way."""
MEMORY_SHARE = 0.6
"""Share of the memory there is that tasks under way may need: estimates err, and others need some, too."""


def parse_workers(text: str) -> int | str:
    """Return "auto", or the number that text is; raises UsageError."""
    if text.strip().lower() == AUTO:
        return AUTO
    try:
        return int(text)
    except ValueError as error:
        raise UsageError(f"--workers {text!r}: give a number from 1, or auto") from error


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a job is run: the same options for every app."""

    model: str = option("", "Concurrency model; `toolkit models` lists them.", flags=("--model", "-m"), metavar="NAME")
    workers: int | str | None = option(
        None,
        "Tasks at once, at most: a number, or auto (the default), which finds out how many help.",
        flags=("--workers", "-j"),
        metavar="N|auto",
        parse=parse_workers,
    )
    retries: int = option(3, "Attempts after the first.", metavar="N")
    timeout: float | None = option(
        None, "Seconds without a byte (network) or for a picture, after which a task fails.", metavar="SECONDS"
    )
    deadline: float | None = option(
        None,
        "Start nothing more after this time (90, 10m, 2h); what runs then has 10 s to end.",
        metavar="TIME",
        parse=parse_seconds,
    )
    memory: int | None = option(
        None,
        "Most memory that tasks under way may need together; for pictures 60 % of what the machine or its cgroup"
        " allows, unless given.",
        metavar="SIZE",
        parse=parse_bytes,
    )
    max_errors: str | int | float | None = option(None, "Stop after so many failures: 20, or 5%.", metavar="N|N%")
    fresh: bool = option(False, "Forget what was done before, and do everything.")
    retry_failed: bool = option(False, "Only the tasks that failed before; sources may be left out.")
    state: Path | None = option(
        None, "Where to keep what is done, if not beside the output.", metavar="FILE", writes=True
    )
    manifest: Path | None = option(
        None,
        "Write a row for every task that ended; the end of the name chooses .jsonl, .csv or .parquet.",
        metavar="FILE",
        writes=True,
    )


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """How apps that fetch go about the network: whom they trust, how fast, and how patient they are."""

    client: str | None = option(None, "HTTP client (curl, requests, aiohttp).", metavar="NAME")
    per_host: int | None = option(None, "Tasks at once for one host (8, for scrape 4).", metavar="N")
    delay: float = option(
        0.0,
        "Least seconds between two tasks of one host (their redirects and robots.txt come with them).",
        metavar="SECONDS",
    )
    rate: float | None = option(
        None, "Most tasks started for one host: 5/s, 30/m, 100/h.", metavar="N/UNIT", parse=parse_rate
    )
    limit_rate: int | None = option(
        None, "Most bytes a second, all together: 500k, 10M.", metavar="SIZE", parse=parse_bytes
    )
    limit_rate_per_host: int | None = option(
        None, "Most bytes a second from one host.", metavar="SIZE", parse=parse_bytes
    )
    connect_timeout: float = option(10.0, "Seconds that a connection may take to come about.", metavar="SECONDS")
    low_speed: int = option(0, "Give up what is slower than so many bytes a second.", metavar="SIZE", parse=parse_bytes)
    low_speed_time: float = option(30.0, "For how many seconds it must have been that slow.", metavar="SECONDS")
    max_time: float | None = option(
        None, "Time that one attempt at a task may take in all: 90, 10m.", metavar="TIME", parse=parse_seconds
    )
    user: str | None = option(None, "Log in with this name and password (basic).", metavar="NAME:PASSWORD", secret=True)
    digest: bool = option(False, "Log in by HTTP digest instead, which sends no password.")
    bearer: str | None = option(None, "Send this token as a bearer's.", metavar="TOKEN", secret=True)
    netrc: bool = option(False, "Take names and passwords from ~/.netrc.")
    netrc_file: Path | None = option(None, "Take them from this file.", metavar="FILE")
    cookies: Path | None = option(None, "Send the cookies in this file (Netscape's form).", metavar="FILE")
    proxy: str | None = option(
        None,
        "Go by way of this proxy: http://, https://, socks5:// or socks5h://; empty for none.",
        metavar="URL",
        secret=True,
    )
    ca_file: str | None = option(None, "Trust the certificates in this file, and no others.", metavar="FILE")
    cert: str | None = option(None, "Show this client certificate (PEM).", metavar="FILE")
    key: str | None = option(None, "Its key, if that is in another file.", metavar="FILE")
    min_tls: Literal["1.2", "1.3"] = option("1.2", "The oldest TLS version that is spoken.")
    http2: bool = option(False, "Speak HTTP/2 where the server does (client curl).")
    uvloop: bool = option(False, "Let --model asyncio or hybrid run on uvloop (extra fast; not on Windows).")
    allow_private: bool = option(False, "Follow redirects from public hosts to private addresses, too.")
    block_private: bool = option(False, "Connect to no private address at all.")


def policy_of(app: App, options: RunOptions, network: NetworkOptions, workers: int) -> Policy:
    """Return the schedule's limits; workers: tasks at once. Raises UsageError for a number that is none."""
    _check_numbers(options, retries=0, timeout=None, deadline=None, memory=1)
    _check_numbers(network, per_host=1, delay=0, rate=None)
    per_host = getattr(app, "usual_per_host", PER_HOST) if network.per_host is None else network.per_host
    if options.fresh and options.retry_failed:
        raise UsageError("--fresh forgets what failed, and --retry-failed needs it: choose one")
    return Policy(
        retries=options.retries,
        per_lane=per_host,
        delay=max(network.delay, 1 / network.rate if network.rate else 0.0),
        jitter=getattr(app, "jitter", 0.0),
        meeting=MEETING if getattr(app, "meets_hosts", False) else 0.0,
        max_errors=None if options.max_errors is None else parse_max_errors(str(options.max_errors)),
        deadline=options.deadline,
        order="input" if app.network else "largest",
        # Where tasks compute, workers are given batches ahead of time, and the model alone says how many run.
        workers=workers if app.network else 0,
        adaptive=app.network and options.workers in (None, AUTO) and workers > 1,
        slots=min(per_host, getattr(app.job, "slots", 1)) if app.network else 1,
        memory=int(MEMORY_SHARE * allowed()) if options.memory is None and not app.network else options.memory,
    )


def network_of(options: RunOptions, network: NetworkOptions) -> Network:
    """Return what requests keep to; raises UsageError for options that are wrong or contradict each other."""
    _check_numbers(options, timeout=None)
    _check_numbers(
        network,
        connect_timeout=None,
        low_speed=0,
        low_speed_time=None,
        max_time=None,
        limit_rate=1,
        limit_rate_per_host=1,
    )
    if network.allow_private and network.block_private:
        raise UsageError("--allow-private and --block-private contradict each other: choose one")
    return Network(
        timeout=options.timeout or 30.0,
        connect_timeout=network.connect_timeout,
        low_speed=network.low_speed,
        low_speed_time=network.low_speed_time,
        private="block" if network.block_private else "allow" if network.allow_private else "guard",
        credentials=load_credentials(
            user=network.user,
            bearer=network.bearer,
            digest=network.digest,
            use_netrc=network.netrc,
            netrc_file=network.netrc_file,
            cookies=network.cookies,
        ),
    )


def limits_of(network: NetworkOptions) -> Limits | None:
    """Return the bandwidth that workers share, or None if it is not limited."""
    if network.limit_rate is None and network.limit_rate_per_host is None:
        return None
    return Limits(network.limit_rate, network.limit_rate_per_host)


def client_options_of(network: NetworkOptions) -> ClientOptions:
    """Return what the client is opened with; raises UsageError for files that are not there."""
    for name in ("ca_file", "cert", "key"):
        path = getattr(network, name)
        if path and not Path(path).is_file():
            raise UsageError(f"--{name.replace('_', '-')} {path}: no such file")
    if network.key and not network.cert:
        raise UsageError("--key goes with --cert: name the certificate, too")
    return ClientOptions(
        ca_file=network.ca_file,
        cert=network.cert,
        key=network.key,
        min_tls=network.min_tls,
        proxy=network.proxy,
        http2=network.http2,
    )


def workers_of(model: Model, app: App, options: RunOptions) -> int:
    """Return how many tasks run at once, at most: as asked for, or by what the app waits for; raises UsageError."""
    asked = options.workers
    if isinstance(asked, str) and asked != AUTO:
        raise UsageError(f"--workers {asked!r}: give a number from 1, or auto")
    if isinstance(asked, int) and asked < 1:
        raise UsageError(f"--workers {asked}: give a number from 1, or auto")
    traits = model.traits
    if model.name == "sequential":
        return 1
    if isinstance(asked, int):
        most = MOST_TASKS if traits.client == "async" else MOST_WORKERS
        if asked > most:
            raise UsageError(f"--workers {asked}: {model.name} takes {most:,} at most")
        found = asked
    elif app.network and (traits.client == "async" or not traits.parallel_cpu):
        found = AUTO_TASKS if traits.client == "async" else AUTO_THREADS
    else:
        found = usable_cpus()
    return min(found, traits.most_workers or found)


def _check_numbers(options: RunOptions | NetworkOptions, **least: int | None) -> None:
    """Raise UsageError for a number below its least value, or not above 0 where that is None."""
    for name, floor in least.items():
        value = getattr(options, name)
        if value is None:
            continue
        good = isfinite(value) and (value > 0 if floor is None else value >= floor)
        if not good:
            wanted = "above 0" if floor is None else f"from {floor}"
            raise UsageError(f"--{name.replace('_', '-')} {value:g}: give a number {wanted}")
