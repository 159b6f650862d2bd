"""Who races: toolkit, in its variants, and its peers, each with the command that fetches a list into a folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from toolkit import __version__
from toolkit.core import plugins

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Work:
    """One run's work. urls: a file with a URL a line. config: the same for curl. out: the folder, empty.

    authority: the certificate to trust, or None for plain HTTP.
    """

    urls: Path
    config: Path
    out: Path
    authority: Path | None


@dataclass(frozen=True, slots=True)
class Tool:
    """A contestant. family: what it is a variant of. command: what runs it. told: whether told to split."""

    name: str
    family: str
    command: Callable[[Work], list[str]]
    told: bool = False

    @property
    def ours(self) -> bool:
        """Tell whether this is toolkit."""
        return self.family == "toolkit"


def contestants(at_once: int | None, *, variants: bool, pypdl: Path | None) -> list[Tool]:
    """Return the installed tools: at so many tasks at once, or at their defaults with None."""
    ours = _variants(at_once) if variants else [_toolkit("toolkit", at_once, ())]
    mark = f" {at_once}" if at_once else ""
    peers = [
        Tool(f"wget2{mark}", "wget2", partial(_wget2, at_once)),
        Tool(f"curl -Z{mark}", "curl", partial(_curl, at_once)),
        Tool(f"aria2c{f' -j{at_once}' if at_once else ''}", "aria2c", partial(_aria2c, at_once, ())),
        Tool(f"requests in a pool{mark}", "requests", partial(_usual, "pool", at_once)),
    ]
    if at_once is None:
        peers.append(Tool("requests in a loop", "requests", partial(_usual, "loop", None)))
    if pypdl:
        peers.append(Tool(f"pypdl{mark}", "pypdl", partial(_pypdl, pypdl, at_once)))
    return ours + [
        tool for tool in peers if tool.family not in ("wget2", "curl", "aria2c") or shutil.which(tool.family)
    ]


def splitting() -> list[Tool]:
    """Return those that can be told to fetch one file by eight connections."""
    ours = _toolkit("toolkit --segments 8", None, ("--segments", "8"), told=True)
    aria2c = Tool("aria2c -x8 -s8", "aria2c", partial(_aria2c, None, ("-x8", "-s8", "-k1M")), told=True)
    return [ours, aria2c] if shutil.which("aria2c") else [ours]


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


def _variants(at_once: int | None) -> list[Tool]:
    return [_toolkit("toolkit", at_once, ()), *_models(at_once)]


def _models(at_once: int | None) -> Iterator[Tool]:
    blocking = [name for name in ("curl", "requests") if name in clients()]
    for model in ("sequential", "threads", "processes"):
        for client in blocking:
            yield _toolkit(f"toolkit {model}, {client}", at_once, ("--model", model, "--client", client))
    yield _toolkit("toolkit asyncio, aiohttp", at_once, ("--model", "asyncio", "--client", "aiohttp"))


def _toolkit(name: str, at_once: int | None, options: tuple[str, ...], *, told: bool = False) -> Tool:
    def command(work: Work) -> list[str]:
        limits = ["--workers", str(at_once), "--per-host", str(at_once)] if at_once else []
        trust = ["--ca-file", str(work.authority)] if work.authority else []
        program = str(Path(sys.executable).with_name("toolkit"))
        return [program, "download", str(work.urls), "-o", str(work.out), *limits, *options, *trust]

    return Tool(name, "toolkit", command, told)


def _wget2(at_once: int | None, work: Work) -> list[str]:
    threads = [f"--max-threads={at_once}"] if at_once else []
    trust = [f"--ca-certificate={work.authority}"] if work.authority else []
    return ["wget2", "-q", "-P", str(work.out), "-i", str(work.urls), *threads, *trust]


def _curl(at_once: int | None, work: Work) -> list[str]:
    most = ["--parallel-max", str(at_once)] if at_once else []
    trust = ["--cacert", str(work.authority)] if work.authority else []
    return ["curl", "-q", "-sSfZ", "--output-dir", str(work.out), "-K", str(work.config), *most, *trust]


def _aria2c(at_once: int | None, options: tuple[str, ...], work: Work) -> list[str]:
    jobs = [f"-j{at_once}"] if at_once else []
    trust = [f"--ca-certificate={work.authority}"] if work.authority else []
    return ["aria2c", "--no-conf", "-q", "-d", str(work.out), "-i", str(work.urls), *jobs, *options, *trust]


def _usual(how: str, at_once: int | None, work: Work) -> list[str]:
    threads = [str(at_once)] if at_once else []
    trust = ["env", f"REQUESTS_CA_BUNDLE={work.authority}"] if work.authority else []
    return [*trust, sys.executable, str(HERE / "_usual.py"), how, str(work.urls), str(work.out), *threads]


def _pypdl(python: Path, at_once: int | None, work: Work) -> list[str]:
    authority = str(work.authority) if work.authority else "-"
    return [str(python), str(HERE / "_pypdl.py"), str(work.urls), str(work.out), str(at_once or 1), authority]


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
