"""What the report shows of a picture: the widest result, and nothing where the source is gone."""

from __future__ import annotations

from pathlib import Path

from toolkit.apps.resize.gallery import pair
from toolkit.apps.resize.result import Output, Resized


def made(*outputs: Output) -> Resized:
    return Resized(outputs, ("narrowed",), 5000, 0, "", "png", 600, 400, decode=0.1, process=0.2, encode=0.3)


def test_pair_shows_the_widest_result_and_its_facts(tmp_path: Path) -> None:
    """The first of those that are equally wide; its figures beside those of the source."""
    for name in ("a.png", "a-320.webp", "a-640.webp", "a-640.avif"):
        (tmp_path / name).touch()
    outputs = [Output("a-320.webp", "webp", 900, 320, 213), Output("a-640.webp", "webp", 400, 640, 427, quality=80)]
    value = made(*outputs, Output("a-640.avif", "avif", 300, 640, 427))
    found = pair("x/a.png", str(tmp_path / "a.png"), tmp_path, value)
    assert found is not None
    assert (found["name"], found["before"]) == ("x/a.png", str(tmp_path / "a.png"))
    assert found["after"] == str(tmp_path / "a-640.webp")
    wanted = {"before_bytes": 5000, "before_width": 600, "before_format": "png", "width": 640, "bytes": 400, "files": 3}
    assert wanted.items() <= found["facts"].items()
    assert (found["facts"]["quality"], found["facts"]["ssim"], found["facts"]["warnings"]) == (80, None, ["narrowed"])


def test_there_is_no_pair_when_the_source_is_gone(tmp_path: Path) -> None:
    """A result in the place of its source leaves nothing to compare; so does a source that was moved away."""
    (tmp_path / "a.png").touch()
    value = made(Output("a.png", "png", 100, 320, 213))
    assert pair("a.png", str(tmp_path / "a.png"), tmp_path, value) is None
    assert pair("a.png", str(tmp_path / "gone.png"), tmp_path, value) is None
    assert pair("a.png", str(tmp_path / "a.png"), tmp_path, made()) is None
