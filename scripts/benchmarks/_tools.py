"""Who races: toolkit, in its variants, and its peers, each with the command that fetches a list into a folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from toolkit import __version__
from toolkit.core import plugins
from toolkit.core.errors import UsageError

HERE = Path(__file__).parent

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Work:
    """One run's work. urls: a file with a URL a line. config: the same for curl.

    authority: the certificate to trust, or None for plain HTTP.
    """

    urls: Path
    config: Path
    authority: Path | None


@dataclass(frozen=True, slots=True)
class Tool:
    """A contestant. family: what it is a variant of. options: what it is told, for the table, or what its defaults are.

    command: what does a run's work, which each benchmark has its own of, into an empty folder. at_once: the number it
    is told, or None. told: whether told to split files.
    """

    name: str
    family: str
    options: str
    command: Callable[[Any, Path], list[str]]
    at_once: int | None = None
    told: bool = False

    @property
    def ours(self) -> bool:
        """Tell whether this is toolkit."""
        return self.family == "toolkit"


def contestants(at_once: int | None, *, variants: bool, pypdl: Path | None) -> list[Tool]:
    """Return the installed tools: at so many tasks at once, or at their defaults with None."""
    tools = [_toolkit("", at_once), *(_models(at_once) if variants else ())]
    tools += [_wget2(at_once), _curl(at_once), _aria2c(at_once), _usual("pool", at_once)]
    if at_once is None:
        tools.append(_usual("loop", None))
    if pypdl:
        tools.append(_pypdl(pypdl, at_once))
    return [tool for tool in tools if tool.family not in ("wget2", "curl", "aria2c") or shutil.which(tool.family)]


def splitting() -> list[Tool]:
    """Return those that can be told to fetch one file by eight connections."""
    ours = _toolkit(" split", None, "--segments", "8", told=True)
    aria2c = _aria2c(None, "-x8", "-s8", "-k1M", told=True)
    return [ours, aria2c] if shutil.which("aria2c") else [ours]


def pick(entries: list[tuple[R, list[Tool]]], words: str) -> list[tuple[R, list[Tool]]]:
    """Return the rows with those of their tools whose names contain one of the words, which have commas between them.

    Rows without such a tool are left out. Raises UsageError for a word that is in nobody's name.
    """
    wanted = [word.strip() for word in words.split(",") if word.strip()]
    names = {tool.name: None for _, tools in entries for tool in tools}
    for word in wanted:
        if entries and not any(word in name for name in names):
            raise UsageError(f"--tools {word}: none of these rows has such a tool; they have {', '.join(names)}")
    chosen = (
        (row, [tool for tool in tools if not wanted or any(w in tool.name for w in wanted)]) for row, tools in entries
    )
    return [(row, tools) for row, tools in chosen if tools]


def versions(pypdl: Path | None) -> dict[str, str]:
    """Return what is raced, by name, with its version, or why it is not there."""
    import requests

    found = {"toolkit": f"{__version__} (clients: {', '.join(clients())})", "requests": requests.__version__}
    for name in ("wget2", "curl", "aria2c"):
        found[name] = version(name) or "not installed: left out"
    found["pypdl"] = _pypdl_version(pypdl) if pypdl else "not installed: left out (--with-pypdl fetches it)"
    return found


def version(name: str) -> str | None:
    """Return the version that a program tells, or None if it is not installed."""
    if shutil.which(name) is None:
        return None
    told = subprocess.run([name, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\d+\.\d+(\.\d+)*", told)
    return found[0] if found else "of unknown version"


def clients() -> list[str]:
    """Return the HTTP clients that can be used here."""
    return [name for name in plugins.names("toolkit.clients") if name != "curl" or _importable("pycurl")]


def install_pypdl(place: Path) -> Path:
    """Return the interpreter of an environment of its own that holds pypdl, made if need be."""
    python = place / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-qq", "pypdl"], check=True)
    return python


def _models(at_once: int | None) -> Iterator[Tool]:
    blocking = [name for name in ("curl", "requests") if name in clients()]
    for model in ("sequential", "threads", "processes"):
        for client in blocking:
            yield _toolkit(f" {model}+{client}", at_once, "--model", model, "--client", client)
    yield _toolkit(" asyncio+aiohttp", at_once, "--model", "asyncio", "--client", "aiohttp")


def _toolkit(mark: str, at_once: int | None, *more: str, told: bool = False) -> Tool:
    limits = ("--workers", str(at_once), "--per-host", str(at_once)) if at_once else ()
    program = str(Path(sys.executable).with_name("toolkit"))

    def command(work: Work, out: Path) -> list[str]:
        trust = ["--ca-file", str(work.authority)] if work.authority else []
        return [program, "download", str(work.urls), "-o", str(out), *limits, *more, *trust]

    options = _told([*limits, *more], "as many as help, at most 8")
    return Tool(_name(f"toolkit{mark}", at_once), "toolkit", options, command, at_once, told)


def _wget2(at_once: int | None) -> Tool:
    most = [f"--max-threads={at_once}"] if at_once else []

    def command(work: Work, out: Path) -> list[str]:
        trust = [f"--ca-certificate={work.authority}"] if work.authority else []
        return ["wget2", "--no-config", "-q", "-P", str(out), "-i", str(work.urls), *most, *trust]

    return Tool(_name("wget2", at_once), "wget2", _told(most, "5"), command, at_once)


def _curl(at_once: int | None) -> Tool:
    most = ["--parallel-max", str(at_once)] if at_once else []

    def command(work: Work, out: Path) -> list[str]:
        trust = ["--cacert", str(work.authority)] if work.authority else []
        return ["curl", "-q", "-sSfZ", "--output-dir", str(out), "-K", str(work.config), *most, *trust]

    return Tool(_name("curl -Z", at_once), "curl", _told(most, "50"), command, at_once)


def _aria2c(at_once: int | None, *more: str, told: bool = False) -> Tool:
    jobs = [f"-j{at_once}"] if at_once else []

    def command(work: Work, out: Path) -> list[str]:
        trust = [f"--ca-certificate={work.authority}"] if work.authority else []
        return ["aria2c", "--no-conf", "-q", "-d", str(out), "-i", str(work.urls), *jobs, *more, *trust]

    name = _name("aria2c split" if told else "aria2c", at_once)
    return Tool(name, "aria2c", _told([*jobs, *more], "5"), command, at_once, told)


def _usual(how: str, at_once: int | None) -> Tool:
    threads = [str(at_once)] if at_once else []

    def command(work: Work, out: Path) -> list[str]:
        trust = ["env", f"REQUESTS_CA_BUNDLE={work.authority}"] if work.authority else []
        return [*trust, sys.executable, str(HERE / "_usual.py"), how, str(work.urls), str(out), *threads]

    told = [f"ThreadPoolExecutor({at_once})"] if at_once else []
    usually = "1" if how == "loop" else f"{min(32, (os.cpu_count() or 1) + 4)} threads"
    return Tool(_name(f"requests in a {how}", at_once), "requests", _told(told, usually), command, at_once)


def _pypdl(python: Path, at_once: int | None) -> Tool:
    def command(work: Work, out: Path) -> list[str]:
        authority = str(work.authority) if work.authority else "-"
        return [str(python), str(HERE / "_pypdl.py"), str(work.urls), str(out), str(at_once or 1), authority]

    told = [f"max_concurrent={at_once}"] if at_once else []
    return Tool(_name("pypdl", at_once), "pypdl", _told(told, "1"), command, at_once)


def _name(name: str, at_once: int | None) -> str:
    return f"{name} at {at_once}" if at_once else name


def _told(options: Sequence[str], usually: str) -> str:
    """Return options as the table shows them; without any, how many tasks at once are this tool's default."""
    return f"`{' '.join(options)}`" if options else f"defaults ({usually} at once)"


def _pypdl_version(python: Path) -> str:
    ask = "from importlib.metadata import version; print(version('pypdl'))"
    return subprocess.run([str(python), "-c", ask], capture_output=True, text=True, check=True).stdout.strip()


def _importable(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(name) is not None


def environment(home: Path) -> dict[str, str]:
    """Return the environment that all run in: no proxies, and nobody's own settings files."""
    home.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return kept | {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "CURL_HOME": str(home)}
