"""Who races at resizing: toolkit, in its variants, and its peers, each with the command that does a row's pictures."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from _resize_rows import SUFFIX, Form, Row
from _tools import Tool

from toolkit import __version__

HERE = Path(__file__).parent
LONGEST = 100_000
"""Characters of one argument, below Linux's limit of 128 KiB."""
VIPS_FORM: dict[Form, str] = {"jpeg": "jpg[Q={}]", "webp": "webp[Q={}]", "png": "png"}


@dataclass(frozen=True, slots=True)
class Pictures:
    """One run's work. folder: where the pictures are, and nothing else is. list: a file with a path a line."""

    row: Row
    folder: Path
    names: tuple[str, ...]
    list: Path


@dataclass(frozen=True, slots=True)
class Bench:
    """What is raced with. toolkit: the program. sharp: the folder of its node_modules, or None. at_once: pictures."""

    toolkit: Path
    sharp: Path | None
    at_once: int


def contestants(row: Row, bench: Bench, *, variants: bool) -> list[Tool]:
    """Return the installed tools that can do a row: toolkit by both engines, and the peers."""
    tools = list(_ours(row, bench, every=variants))
    if not row.filtered:
        tools += [_vipsthumbnail(), *_xargs(bench.at_once)]
    if bench.sharp and shutil.which("node"):
        tools += [_sharp(bench.sharp, None), _sharp(bench.sharp, bench.at_once)]
    tools += [_mogrify(row), _gm(row)]
    return [tool for tool in tools if tool.family in ("toolkit", "sharp") or shutil.which(tool.family.split()[-1])]


def versions(bench: Bench) -> dict[str, str]:
    """Return what is raced, by name, with its version, or how to get it."""
    from PIL import Image, features

    turbo = features.version("libjpeg_turbo")
    told = {"toolkit": f"{__version__} (Pillow {Image.__version__}, libjpeg-turbo {turbo}; {_pyvips()})"}
    told["vipsthumbnail"] = _version("vipsthumbnail", "--vips-version") or "not installed: apt install libvips-tools"
    told["sharp"] = _sharp_version(bench.sharp)
    told["mogrify"] = _version("mogrify", "-version") or "not installed: apt install imagemagick"
    told["gm"] = _version("gm", "version") or "not installed: apt install graphicsmagick"
    return told


def find_sharp(folder: Path | None) -> Path | None:
    """Return the node_modules that has sharp: in the folder named, or in one of NODE_PATH."""
    places = [folder, folder / "node_modules"] if folder else []
    places += [Path(each) for each in os.environ.get("NODE_PATH", "").split(os.pathsep) if each]
    return next((place.resolve() for place in places if (place / "sharp" / "package.json").exists()), None)


def _ours(row: Row, bench: Bench, *, every: bool) -> Iterator[Tool]:
    engines = ["pillow", *(["vips"] if find_spec("pyvips") else [])]
    for engine in engines:
        yield _toolkit(row, bench, engine)
        if row.models or every:
            for model in ("processes", "threads"):
                yield _toolkit(row, bench, engine, model, bench.at_once)


def _toolkit(row: Row, bench: Bench, engine: str, model: str = "", at_once: int | None = None) -> Tool:
    how = ["--engine", engine, *(["--model", model, "-j", str(at_once)] if model else [])]
    if row.several:
        what = ["--sizes", ",".join(f"{side}x{side}" for side in row.sides), "--formats", ",".join(row.forms)]
    else:
        what = ["--size", f"{row.sides[0]}x{row.sides[0]}", "--format", row.forms[0]]
    if row.forms != ("png",):
        what += ["--quality", str(row.quality)]
    if row.filtered:
        what += ["--op", "grayscale", "--op", "blur:2", "--op", "sharpen"]

    def command(work: Pictures, out: Path) -> list[str]:
        return [str(bench.toolkit), "resize", str(work.folder), "-o", str(out), *what, *how, "--fresh", "--quiet"]

    name = " ".join(filter(None, ("toolkit", engine, model)))
    return Tool(name, "toolkit", f"`{' '.join(how)}`", command, at_once)


def _vips(row: Row, out: Path, side: int, form: Form) -> list[str]:
    name = f"{out}/%s{_tail(row, side)}.{VIPS_FORM[form].format(row.quality)}"
    # Not --export-profile: 8.14 changes the colours of pictures without a profile by it, which costs it 5 dB.
    return ["vipsthumbnail", "--size", f"{side}x{side}>", "-o", name]


def _vipsthumbnail() -> Tool:
    def command(work: Pictures, out: Path) -> list[str]:
        row = work.row
        return _each_in_turn(work, [[*_vips(row, out, *result), *work.names] for result in _results(row)])

    return Tool("vipsthumbnail", "vipsthumbnail", "all files in a call", command)


def _xargs(at_once: int) -> list[Tool]:
    """Return vipsthumbnail as several processes: with one file a call, and as those do it who know it well."""
    one = _xargs_of(at_once, 1, "")
    return [one, _xargs_of(at_once, 8, "VIPS_CONCURRENCY=1")]


def _xargs_of(at_once: int, files: int, setting: str) -> Tool:
    told = f"xargs -P{at_once} -n{files}"

    def command(work: Pictures, out: Path) -> list[str]:
        first = ["env", *([setting] if setting else []), "xargs", "-a", str(work.list), f"-P{at_once}", f"-n{files}"]
        return _each_in_turn(work, [[*first, *_vips(work.row, out, *result)] for result in _results(work.row)])

    name = f"xargs -n{files} vipsthumbnail"
    return Tool(name, "xargs vipsthumbnail", f"`{' '.join(filter(None, (setting, told)))}`", command, at_once)


def _mogrify(row: Row) -> Tool:
    def command(work: Pictures, out: Path) -> list[str]:
        calls = []
        for side, form in _results(row):
            place = _folder(row, out, side)
            hint = ["-define", f"jpeg:size={2 * side}x{2 * side}"]
            calls.append(["mogrify", *hint, "-path", str(place), *_magick(row, side, form), *work.names])
        return _each_in_turn(work, calls, _folders(row, out))

    return Tool("mogrify", "mogrify", "shrink-on-load by `-define jpeg:size`", command)


def _gm(row: Row) -> Tool:
    def command(work: Pictures, out: Path) -> list[str]:
        calls = []
        for side, form in _results(row):
            place = _folder(row, out, side)
            hint = ["-size", f"{2 * side}x{2 * side}"]
            calls.append(["gm", "mogrify", *hint, "-output-directory", str(place)])
            calls[-1] += [*_magick(row, side, form), *work.names]
        return _each_in_turn(work, calls, _folders(row, out))

    return Tool("gm mogrify", "gm", "shrink-on-load by `-size`", command)


def _magick(row: Row, side: int, form: Form) -> list[str]:
    told = ["-auto-orient", "-resize", f"{side}x{side}>"]
    if row.filtered:
        told += ["-colorspace", "Gray", "-blur", "0x2", "-unsharp", "0x1"]
    return [*told, "-format", SUFFIX[form], *([] if form == "png" else ["-quality", str(row.quality)])]


def _sharp(modules: Path, at_once: int | None) -> Tool:
    around = [f"NODE_PATH={modules}", *([f"UV_THREADPOOL_SIZE={at_once}"] if at_once else [])]

    def command(work: Pictures, out: Path) -> list[str]:
        outputs = [
            {
                "side": side,
                "format": form,
                "quality": work.row.quality,
                "tail": f"{_tail(work.row, side)}.{SUFFIX[form]}",
            }
            for side, form in _results(work.row)
        ]
        job = {"list": str(work.list), "out": str(out), "outputs": outputs, "filtered": work.row.filtered}
        job["tuned"] = at_once is not None
        return ["env", *around, "node", str(HERE / "_sharp.js"), json.dumps(job)]

    options = f"`UV_THREADPOOL_SIZE={at_once}`, `concurrency(1)`, `cache(false)`" if at_once else "defaults"
    return Tool("sharp tuned" if at_once else "sharp", "sharp", options, command, at_once)


def _results(row: Row) -> list[tuple[int, Form]]:
    return [(side, form) for side in row.sides for form in row.forms]


def _tail(row: Row, side: int) -> str:
    return f"-{side}" if row.several else ""


def _folder(row: Row, out: Path, side: int) -> Path:
    """Return where a tool writes that keeps the names of files: there must be a folder for each size."""
    return out / str(side) if row.several else out


def _folders(row: Row, out: Path) -> list[Path]:
    return [_folder(row, out, side) for side in row.sides] if row.several else []


def _each_in_turn(work: Pictures, calls: list[list[str]], folders: list[Path] | None = None) -> list[str]:
    """Return a command that runs others in turn in the pictures' folder, where names are short, until one fails."""
    first = [["mkdir", "-p", *map(str, folders)]] if folders else []
    script = " && ".join(shlex.join(call) for call in [["cd", str(work.folder)], *first, *calls])
    return ["sh", "-c", script] if len(script) < LONGEST else ["sh", str(_script(work, script))]


def _script(work: Pictures, script: str) -> Path:
    path = work.list.with_suffix(".sh")
    path.write_text(script + "\n")
    return path


def _version(program: str, option: str) -> str | None:
    if shutil.which(program) is None:
        return None
    told = subprocess.run([program, option], capture_output=True, text=True, check=False).stdout
    numbers = re.search(r"\d+\.\d+[\d.]*(-\d+)?", told)
    return numbers[0] if numbers else "of unknown version"


def _pyvips() -> str:
    if not find_spec("pyvips"):
        return "no pyvips: its engine is left out; pip install 'toolkit[vips]'"
    ask = "import pyvips; print(pyvips.__version__, *(pyvips.version(part) for part in range(3)))"
    told = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout.split()
    return f"pyvips {told[0]}, libvips {'.'.join(told[1:])}"


def _sharp_version(modules: Path | None) -> str:
    if modules is None or not shutil.which("node"):
        return (
            "not installed: npm install sharp in any folder, and name that by --sharp, or its node_modules by NODE_PATH"
        )
    ask = "const {versions} = require('sharp'); console.log(versions.sharp, versions.vips, process.version)"
    env = os.environ | {"NODE_PATH": str(modules)}
    told = subprocess.run(["node", "-e", ask], capture_output=True, text=True, check=True, env=env).stdout.split()
    return f"{told[0]} (libvips {told[1]}, node {told[2]})"
