"""Who races, and with which options."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from _rows import ROWS, choose, write_lists
from _site import SHELVES
from _tools import Tool, Work, contestants, splitting

from toolkit.core.errors import UsageError

PLAIN = Work(Path("urls.txt"), Path("curl.cfg"), None)
FAMILIES = {"toolkit", "wget2", "curl", "aria2c", "requests", "pypdl"}


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """All peers are here."""
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")


def all_of(at_once: int | None) -> list[Tool]:
    return contestants(at_once, variants=False, pypdl=Path("python"))


def test_all_race_at_their_defaults_and_at_one_number() -> None:
    """Every tool that has a number can be told it; the loop has none."""
    assert {tool.family for tool in all_of(None)} == {tool.family for tool in all_of(16)} == FAMILIES
    loops = [tool.name for tool in all_of(None) if "loop" in tool.name]
    assert loops == ["requests in a loop"]
    assert not any("loop" in tool.name for tool in all_of(16))


def test_a_number_is_in_the_command_and_in_the_table() -> None:
    """The table's options are what the command has."""
    for tool in all_of(37):
        assert "37" in " ".join(tool.command(PLAIN, Path("out")))
        assert "37" in tool.options
        assert tool.name.endswith(" at 37")
    ours = all_of(37)[0]
    assert ours.options == "`--workers 37 --per-host 37`"
    assert ours.command(PLAIN, Path("out"))[-4:] == ["--workers", "37", "--per-host", "37"]


def test_defaults_are_told_as_such() -> None:
    """Without options, the table says how many at once are the default."""
    for tool in all_of(None):
        assert tool.options.startswith("defaults (")
        assert not {"--workers", "--parallel-max", "-j", "--max-threads"} & set(tool.command(PLAIN, Path("out")))


def test_options_of_variants_are_told() -> None:
    """Each model and client of toolkit has a name of its own."""
    tools = [tool for tool in contestants(None, variants=True, pypdl=None) if tool.ours]
    assert len({tool.name for tool in tools}) == len(tools) >= 5
    assert "`--model asyncio --client aiohttp`" in [tool.options for tool in tools]
    assert all(tool.told and ("8" in tool.options) for tool in splitting())


def test_certificate_is_trusted_by_all() -> None:
    """Over TLS each tool is told of the authority, by whatever means it has."""
    work = Work(Path("urls.txt"), Path("curl.cfg"), Path("ca.pem"))
    for tool in [*all_of(None), *splitting()]:
        assert "ca.pem" in " ".join(tool.command(work, Path("out")))


def test_what_is_not_installed_does_not_race(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only toolkit and the usual scripts are always there."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert {tool.family for tool in contestants(None, variants=False, pypdl=None)} == {"toolkit", "requests"}
    assert [tool.name for tool in splitting()] == ["toolkit split"]


def test_rows() -> None:
    """Each has its shelf; an unknown one is told, with those that there are."""
    assert all(row.shelf in SHELVES for row in ROWS.values())
    assert [row.name for row in choose("capped, slow")] == ["capped", "slow"]
    with pytest.raises(UsageError, match=r"--rows smal: choose from small-http, .*, million"):
        choose("smal")


def test_lists_for_all_and_for_curl(tmp_path: Path) -> None:
    """Both name the same files, in one order, and no more than the row or a quick run wants."""
    (tmp_path / "small").mkdir()
    for number in range(5):
        (tmp_path / "small" / f"{number}.bin").touch()
    plain, config, files = write_lists(ROWS["slow"], tmp_path, "http://127.0.0.1:1", tmp_path, 3)
    assert [path.name for path in files] == ["0.bin", "1.bin", "2.bin"]
    assert plain.read_text().split() == [f"http://127.0.0.1:1/small/{number}.bin" for number in range(3)]
    assert config.read_text().count('url = "http://127.0.0.1:1/small/') == 3
