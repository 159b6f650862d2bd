"""Damaged files by the hundred, of every format and sort: each becomes a picture or a failure with a name.

A longer run by hand: write mutated() of many seeds into a folder, and resize that under `-m processes --timeout 20`.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.apps.resize.mutating import mutated, specimens
from toolkit.apps.resize import engines
from toolkit.apps.resize.develop import develop
from toolkit.apps.resize.options import ResizeOptions
from toolkit.apps.resize.settings import EngineChoice, Settings
from toolkit.apps.resize.targets import Target
from toolkit.core.errors import FailureKind, TaskError

MUTATIONS = 100
"""Of each format, and with each engine that reads it."""

NAMED = {None, FailureKind.IMAGE, FailureKind.UNSUPPORTED, FailureKind.TOO_LARGE, FailureKind.ENCODE}
TARGETS = (Target("r.png", 0, "png"), Target("r.jpg", 0, "jpeg"))
SORTS = sorted({name.split("-")[0] for name in specimens()})
RUNS: list[tuple[str, EngineChoice]] = [(form, "pillow") for form in SORTS]
if "pyvips" in engines.version("vips"):
    RUNS += [(form, "vips") for form in ("jpeg", "png", "webp", "tiff")]


@pytest.mark.parametrize(("form", "engine"), RUNS)
def test_mutations_are_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], form: str, engine: EngineChoice
) -> None:
    """Whatever is done to a file, it becomes a picture or a failure with a name; nothing is printed."""
    good = [data for name, data in specimens().items() if name.split("-")[0] == form]
    source, random = tmp_path / "a", Random(7)
    settings = ResizeOptions(size="20x20", engine=engine, max_pixels=10_000_000).settings()
    for number in range(MUTATIONS):
        source.write_bytes(mutated(good[number % len(good)], random))
        assert _what_became_of(source, tmp_path / "out", settings) in NAMED, number
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""


@pytest.mark.parametrize(("form", "engine"), RUNS)
def test_specimens_are_good(tmp_path: Path, form: str, engine: EngineChoice) -> None:
    """What is damaged above is a picture before."""
    settings = ResizeOptions(size="20x20", engine=engine).settings()
    for name, data in specimens().items():
        if name.split("-")[0] == form:
            (tmp_path / "a").write_bytes(data)
            assert _what_became_of(tmp_path / "a", tmp_path / "out", settings) is None, name


def _what_became_of(source: Path, out: Path, settings: Settings) -> FailureKind | None:
    try:
        develop(str(source), TARGETS, out, settings)
    except TaskError as error:
        return error.kind
    except MemoryError:
        return FailureKind.TOO_LARGE  # as the core names it
    return None
