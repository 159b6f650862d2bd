"""Options from a TOML file: common ones, presets, and those that are given beside, which win."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import toolkit
from tests.apps.resize.making import corners, saved
from toolkit.apps.resize import pipelines
from toolkit.apps.resize.options import ResizeOptions
from toolkit.core.errors import UsageError

HOUSE = """
size = "40x"
quality = 70
keep-if-smaller = true
max-bytes = "200KB"
filter = ["sharpen"]

[web]
size = "20x"
formats = ["webp", "jpeg"]
op = ["grayscale", "blur:1"]

[print]
sizes = [300, "50%"]
max_bytes = 5000
scale = 0.5
profile = "{here}/paper.icc"
srcset = "{here}/out.html"
also-read = ["eps"]
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Return a file with common options and two presets."""
    path = tmp_path / "house.toml"
    path.write_text(HOUSE)
    return path


def filled(file: Path, preset: str | None = None, **given: Any) -> dict[str, Any]:
    found = pipelines.fill({"pipeline": file, "preset": preset, **given}, ResizeOptions)
    return {name: value for name, value in found.items() if name not in {"pipeline", "preset"}}


COMMON = {"size": "40x", "quality": 70, "keep_if_smaller": True, "max_bytes": 200_000, "op": ("sharpen",)}


def test_what_stands_at_the_top_holds_always(house: Path) -> None:
    """Names may be written with - or _, a filter is an operation, and a text is read as on the command line."""
    assert filled(house) == COMMON


def test_preset_wins_over_what_stands_at_the_top(house: Path) -> None:
    """A list is what the option writes with commas; {here} is the file's folder."""
    web = {"size": "20x", "formats": "webp,jpeg", "op": ("grayscale", "blur:1")}
    assert filled(house, "web") == {**COMMON, **web}
    found = filled(house, "print")
    here = house.parent
    assert (found["sizes"], found["max_bytes"], found["scale"]) == ("300,50%", 5000, "0.5")
    assert (found["profile"], found["srcset"]) == (f"{here}/paper.icc", here / "out.html")
    assert found["also_read"] == ("eps",)


def test_given_options_win_and_given_operations_follow(house: Path) -> None:
    """Also where what is given is the default of the option."""
    found = filled(house, "web", size="10x", keep_if_smaller=False, op=("invert",))
    assert (found["size"], found["keep_if_smaller"]) == ("10x", False)
    assert found["op"] == ("grayscale", "blur:1", "invert")


@pytest.mark.parametrize(
    ("text", "preset", "words"),
    [
        ("sise = '10x'", None, "there is no option sise; did you mean size?"),
        ("pipeline = 'x.toml'", None, "there is no option pipeline"),
        ("quality = 'high'", None, "quality = 'high': 1 to 100"),
        ("quality = 1.5", None, "quality = 1.5"),
        ("quality = true", None, "quality = True"),
        ("fit = 'squash'", None, "fit = 'squash'"),
        ("trim = 'yes'", None, "trim = 'yes'"),
        ("max-bytes = 'much'", None, "max_bytes = 'much'"),
        ("op = 'blur'", None, "op = 'blur'"),
        ("op = [1]", None, "op = [1]"),
        ("size = 2026-01-01", None, "size = datetime.date"),
        ("backup = 5", None, "backup = 5"),
        ("[web]\nsize = '10x'", None, "choose one of its presets by --preset: web"),
        ("", None, "choose one of its presets by --preset: none"),
        ("[web]\nsize = '10x'", "print", "--preset print: "),
        ("size = '10x'", "web", "has no presets"),
        ("[web.deep]\nsize = '10x'", "web", "there is no option deep"),
        ("size = ", None, "this is no TOML"),
        ("size = '\udcff'", None, "this is no TOML"),
    ],
)
def test_file_that_cannot_be_used(text: str, preset: str | None, words: str, tmp_path: Path) -> None:
    """The file and the name in it are told, and what the option wants."""
    file = tmp_path / "p.toml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError) as caught:
        filled(file, preset)
    assert words in str(caught.value)
    assert str(file) in str(caught.value)


def test_file_that_is_none(tmp_path: Path) -> None:
    """A folder, a file that is not there, or one that is far too large."""
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * (pipelines.MOST_BYTES + 1))
    for file, words in ((tmp_path, "directory"), (tmp_path / "no", "No such file"), (large, "larger than 1,048,576")):
        with pytest.raises(UsageError, match=words):
            filled(file)


def test_preset_without_a_file() -> None:
    """It names nothing."""
    with pytest.raises(UsageError, match="--preset names a table of a file"):
        pipelines.fill({"preset": "web"}, ResizeOptions)


def test_wrong_value_of_an_option_is_told_as_ever(tmp_path: Path) -> None:
    """What the file says is checked as if it had been given."""
    file = tmp_path / "p.toml"
    file.write_text("quality = 500")
    with pytest.raises(UsageError, match="--quality 500: it goes from 1 to 100"):
        ResizeOptions(**filled(file))


def test_pipeline_from_python(house: Path, tmp_path: Path) -> None:
    """Options by name, the file as text; given operations follow."""
    saved(corners(), tmp_path / "in/a.png")
    out = tmp_path / "out"
    toolkit.resize(
        tmp_path / "in", out, pipeline=str(house), preset="web", format=None, op="invert", model="sequential"
    )
    assert {path.name for path in out.iterdir() if path.name[0] != "."} == {"a.webp", "a.jpg"}
    with Image.open(out / "a.jpg") as image:
        pixels = image.convert("RGB")
    assert image.size == (20, 13)
    red, green, blue = pixels.getpixel((2, 2))  # type: ignore[misc]  # of red, grey, inverted
    assert max(red, green, blue) - min(red, green, blue) <= 2
    assert abs(red - (255 - 76)) < 12
