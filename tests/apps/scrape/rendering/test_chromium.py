"""The browser is found by name, or what to do is said before a run starts."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from toolkit.apps.scrape.rendering import chromium
from toolkit.apps.scrape.rendering.chromium import check_render, find_chromium, its_environment, sandboxed
from toolkit.core.errors import MissingExtra, UsageError


def program(folder: Path, name: str) -> str:
    """Make a program, and return its path."""
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_chromium_when_there_are_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of the names is taken, unless the user names another; where none is, what to install is said."""
    monkeypatch.setattr(chromium, "PLACES", (str(tmp_path / "place"),))
    path = {"PATH": str(tmp_path)}
    with pytest.raises(UsageError, match=r"no Chromium found.*apt install chromium.*TOOLKIT_CHROMIUM"):
        find_chromium(path)
    place = program(tmp_path, "place")
    assert find_chromium(path) == place
    edge = program(tmp_path, "msedge")
    assert find_chromium(path) == edge
    assert find_chromium(path | {"TOOLKIT_CHROMIUM": ""}) == edge
    first = program(tmp_path, "chromium")
    assert find_chromium(path) == first
    assert find_chromium(path | {"TOOLKIT_CHROMIUM": edge}) == edge
    assert find_chromium(path | {"TOOLKIT_CHROMIUM": "msedge"}) == edge


def test_chromium_when_the_one_named_is_not_there(tmp_path: Path) -> None:
    """Another in its place would be a surprise."""
    program(tmp_path, "chromium")
    with pytest.raises(UsageError, match="TOOLKIT_CHROMIUM=/no/such: no such program"):
        find_chromium({"PATH": str(tmp_path), "TOOLKIT_CHROMIUM": "/no/such"})


def test_check_when_the_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message is the pip command."""
    monkeypatch.setattr(chromium, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"pip install 'toolkit\[render\]'"):
        check_render()


@pytest.mark.parametrize(
    ("user", "said", "on"),
    [(0, "", False), (1000, "", True), (1000, "off", False), (1000, "on", True), (0, "on", False)],
)
def test_sandbox_when_on(monkeypatch: pytest.MonkeyPatch, user: int, said: str, on: bool) -> None:
    """It is off for root, for whom Chromium has none, and for who says so."""
    monkeypatch.setattr("os.geteuid", lambda: user)
    assert sandboxed({"TOOLKIT_CHROMIUM_SANDBOX": said}) is on


def test_environment_when_it_holds_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The browser sees what it needs, and a temporary folder whose path is short enough for its socket."""
    monkeypatch.setenv("SHOP_PASSWORD", "s3cret")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("TMPDIR", "/short")
    seen = its_environment()
    assert ("SHOP_PASSWORD" in seen, seen["LC_ALL"], seen["TMPDIR"]) == (False, "C.UTF-8", "/short")
    monkeypatch.setenv("TMPDIR", "/" + "long" * 30)
    assert "TMPDIR" not in its_environment()
