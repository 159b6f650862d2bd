"""Wrong usage is one clear line on standard error and exit code 2, never a traceback."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from tests.conftest import Toolkit

WRONG = [
    ([], "Usage"),
    (["frob"], "No such command 'frob'"),
    (["--frob"], "No such option '--frob'"),
    (["download"], "name what to download"),
    (["download", "http://h/x"], "'-o'"),
    (["download", "-o", "OUT"], "nothing to do"),
    (["download", "http://h/x", "-o", ""], "-o: the name is empty"),
    (["download", "http://h/x", "-o", "OUT", "--url-column", "x"], "--url-column: what is given has no columns"),
    (["download", "no-such-file", "-o", "OUT"], "'no-such-file' is neither a URL nor a readable file"),
    (["download", "http://h/x", "-o", "/proc/nowhere"], "cannot write to the output folder /proc/nowhere"),
    (["download", "http://h/x", "-o", "OUT", "--workers", "many"], "--workers 'many': give a number from 1, or auto"),
    (["download", "http://h/x", "-o", "OUT", "--workers", "100000"], "takes 1,000 at most"),
    (["download", sys.executable, "-o", "OUT"], "is not a text file"),
    (["download", "http://h/x", "-o", "OUT", "--dry-run", "--json"], "choose one"),
    (["download", "http://h/x", "-o", "OUT", "--workers", "0"], "--workers 0"),
    (["download", "http://h/x", "-o", "OUT", "--timeout", "0"], "--timeout 0"),
    (["download", "http://h/x", "-o", "OUT", "--timeout", "nan"], "--timeout nan"),
    (["download", "http://h/x", "-o", "OUT", "--delay", "inf"], "--delay inf"),
    (["download", "-o", "OUT", "--fresh", "--retry-failed"], "--fresh forgets"),
    (["download", "http://h/x", "-o", "OUT", "--user-agent", "ä"], "User-Agent"),
    (["download", "http://h/x", "-o", "OUT", "--max-errors", "lots"], "--max-errors 'lots'"),
    (["download", "http://h/x", "-o", "OUT", "--model", "magic"], "unknown model 'magic': choose from"),
    (["download", "http://h/x", "-o", "OUT", "--client", "magic"], "unknown client 'magic': choose from"),
    (["download", "http://h/x", "-o", "OUT", "--client", "aiohttp", "--model", "threads"], "is async"),
    (["download", "http://h/x", "-o", "OUT", "--events", "/nowhere/e"], "cannot write --events /nowhere/e"),
    (["download", "http://h/x", "-o", "OUT", "--state", "/nowhere/s"], "/nowhere/s"),
    (["resize", "no-such-folder", "-o", "OUT", "--size", "10x10"], "no-such-folder"),
    (["resize", ".", "-o", "OUT", "--size", "big"], "big"),
    (["scrape", "http://h/x", "-o", "OUT.docx", "--field", "a=b"], "OUT.docx"),
    (["scrape", "http://h/x", "-o", "OUT.jsonl", "--field", "a=[["], "[["),
    (["scrape", "http://h/x", "-o", "-", "--json"], "--json and -o -"),
]


@pytest.mark.parametrize(
    ("arguments", "words"), WRONG, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    arguments: list[str], words: str, tmp_path: Path, toolkit: Toolkit
) -> None:
    """The line names what is wrong; nothing is on standard output; no traceback."""
    done = toolkit(*(a.replace("OUT", str(tmp_path / "OUT")) for a in arguments))
    assert done.returncode == 2, done.stderr
    assert words.replace("OUT", str(tmp_path / "OUT")) in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    if arguments:
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_unwritable_folder_is_named(tmp_path: Path, toolkit: Toolkit) -> None:
    """A folder without permission is one line, not a traceback."""
    tmp_path.chmod(0o500)
    done = toolkit("download", "http://h/x", "-o", tmp_path / "x")
    assert (done.returncode, "cannot write" in done.stderr) == (2, True)


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("command", ["", "download", "downloader", "resize", "resizer", "scrape", "scraper", "models"])
def test_help_has_an_example(command: str, flag: str, toolkit: Toolkit) -> None:
    """Every help page shows how a command is used."""
    done = toolkit(*filter(None, [command, flag]))
    assert done.returncode == 0
    assert re.search(r"toolkit \w+", done.stdout)


def test_version_is_one_line(toolkit: Toolkit) -> None:
    """`python -m toolkit` is the same program."""
    done = toolkit("--version")
    assert re.fullmatch(r"toolkit \d+\.\d+\.\d+\n", done.stdout)


def test_version_imports_no_heavy_library() -> None:
    """`toolkit --version` must answer at once: none of the large libraries may be loaded for it."""
    import subprocess
    import sys

    code = "import sys, toolkit.cli as c\ntry: c.main(['--version'])\nexcept SystemExit: print(sorted(sys.modules))"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for heavy in ("requests", "urllib3", "aiohttp", "PIL", "rich", "lxml", "bs4", "selectolax", "sqlite3", "asyncio"):
        assert f"'{heavy}'" not in modules, heavy
