"""Who races at scraping: toolkit by its models and parsers, and its peers, each with the command that does a row."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version as version_of
from itertools import product
from pathlib import Path

from _scrape_rows import How, Row
from _tools import Tool

from toolkit import __version__

HERE = Path(__file__).parent
MODELS = ("asyncio", "hybrid", "threads", "processes", "sequential")
PARSERS = ("lexbor", "lxml", "bs4")
USUAL = (*product(MODELS, PARSERS[:1]), *product(MODELS[:2], PARSERS[1:]))
"""Models with parsers; the others are variants."""
FIELDS = ("title=title", "h1=h1", "code[]=pre::pre", "links[]=a@href")
PATIENT = '"$@" || test $? -eq 1'
"""For sh: dead links make toolkit's exit code 1, and a site may have some."""
PRINTED = 'out=$1; shift; exec "$@" > "$out"'
LIBRARIES = ("scrapy", "crawlee", "parsel", "beautifulsoup4", "lxml")
ADVICE = "python -m venv FOLDER; FOLDER/bin/pip install scrapy 'crawlee[parsel,beautifulsoup]'; --peers FOLDER"


@dataclass(frozen=True, slots=True)
class Pages:
    """One run's work. list: a file with a URL a line, of which a crawl starts from the first."""

    list: Path
    first: str


@dataclass(frozen=True, slots=True)
class Bench:
    """What is raced with. python: the interpreter that has the peers, or None. peers: versions of what it has."""

    toolkit: Path
    python: Path | None
    peers: dict[str, str]
    at_once: int


def rows_of(out: Path) -> Path:
    """Return where a run in this folder writes its rows."""
    return out / "rows.jsonl"


def contestants(row: Row, bench: Bench, *, variants: bool) -> list[Tool]:
    """Return the tools that are here: toolkit by models and parsers, and the peers."""
    if row.name == "one":
        return [_from_the_shell(bench), *_scrapy(row.name, bench)]
    tools = [_toolkit(row.name, bench, *pair) for pair in (product(MODELS, PARSERS) if variants else _usual(row.name))]
    if variants:
        tools += [_toolkit(row.name, bench, model, "lexbor", "--uvloop") for model in MODELS[:2]]
    return [*tools, *_scrapy(row.name, bench), *_crawlee(row.name, bench), _soup(row.name, bench)]


def find_peers(folder: Path | None) -> tuple[Path | None, dict[str, str]]:
    """Return the interpreter of an environment and the versions of the peers in it."""
    python = folder and folder.absolute() / "bin" / "python"
    if python is None or not python.exists():
        return None, {}
    ask = f"import json, importlib.metadata as m; names = {set(LIBRARIES)!r}\n"
    ask += "print(json.dumps({d.name.lower(): d.version for d in m.distributions() if d.name.lower() in names}))"
    told = subprocess.run([str(python), "-c", ask], capture_output=True, text=True, check=True).stdout
    return python, dict(json.loads(told))


def versions(bench: Bench) -> dict[str, str]:
    """Return what is raced, by name, with its version, or how to get it."""
    ours = ", ".join(f"{name} {version_of(name)}" for name in ("selectolax", "lxml", "beautifulsoup4", "aiohttp"))
    told = {"toolkit": f"{__version__} ({ours})"}
    with_lxml = f", lxml {bench.peers['lxml']}" if "lxml" in bench.peers else ""
    for name, library in (("scrapy", "parsel"), ("crawlee", "parsel")):
        beside = f" ({library} {bench.peers[library]}{with_lxml})" if library in bench.peers else ""
        told[name] = bench.peers[name] + beside if name in bench.peers else f"not there: left out ({ADVICE})"
    told["aiohttp + BeautifulSoup"] = "those that toolkit has"
    return told


def _usual(how: How) -> tuple[tuple[str, str], ...]:
    return USUAL if how == "list" else tuple(product(MODELS[:2], PARSERS[:1]))


def _toolkit(how: How, bench: Bench, model: str, parser: str, *more: str) -> Tool:
    limits = ["--model", model, "-j", str(bench.at_once), *more]
    told = [*limits, *(["--parser", parser] if parser != "lexbor" else [])]
    # What politeness costs is not what is measured; Scrapy and crawlee do without it, too.
    polite = ["--ignore-robots", "--delay", "0", "--per-host", str(bench.at_once)]
    fields = [word for field in FIELDS for word in ("--field", field)]

    def command(work: Pages, out: Path) -> list[str]:
        rows = str(rows_of(out))
        source = str(work.list)
        onward: list[str] = []
        if how == "crawl":
            source, onward = work.first, ["--follow", "a", "--allow", r"\.html$"]
        base = [str(bench.toolkit), "scrape", source, "-o", rows]
        around = ["sh", "-c", PATIENT, "sh"] if how == "crawl" else []
        return [*around, *base, *fields, *onward, *polite, *told, "--quiet"]

    name = " ".join(["toolkit", model, *(option.strip("-") for option in more)])
    name += "" if parser == "lexbor" else f" {parser}"
    return Tool(name, "toolkit", f"`{' '.join(told)}`", command, bench.at_once)


def _from_the_shell(bench: Bench) -> Tool:
    def command(work: Pages, out: Path) -> list[str]:
        return ["sh", "-c", PRINTED, "sh", str(rows_of(out)), str(bench.toolkit), "scrape", work.first, "-o", "-"]

    return Tool("toolkit", "toolkit", "`-o -`, and defaults", command)


def _scrapy(how: How, bench: Bench) -> Iterator[Tool]:
    if bench.python and "scrapy" in bench.peers:
        for network, told in (("reactor", "as it comes"), ("aiohttp", "without reactor, by aiohttp")):
            yield _peer(how, bench, bench.python, "scrapy", network, f"{told}, {bench.at_once} at once")


def _crawlee(how: How, bench: Bench) -> Iterator[Tool]:
    if bench.python and "crawlee" in bench.peers:
        for parser, library in (("parsel", "parsel"), ("soup", "beautifulsoup4")):
            if library in bench.peers:
                yield _peer(how, bench, bench.python, "crawlee", parser, f"in memory, {bench.at_once} at once")


def _soup(how: How, bench: Bench) -> Tool:
    return _peer(how, bench, Path(sys.executable), "soup", "", f"{bench.at_once} workers")


def _peer(how: How, bench: Bench, python: Path, family: str, kind: str, options: str) -> Tool:
    script = str(HERE / f"_peer_{family}.py")

    def command(work: Pages, out: Path) -> list[str]:
        told = ["list" if how == "one" else how, str(work.list), str(rows_of(out)), str(bench.at_once)]
        return [str(python), script, *told, *([kind] if kind else [])]

    name = f"{family} {kind}".strip() if family != "soup" else "aiohttp + BeautifulSoup"
    return Tool(name, family, options, command, bench.at_once)
