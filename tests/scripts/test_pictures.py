"""The pictures of the resize benchmark: what is taken, and what is made of it."""

from __future__ import annotations

from pathlib import Path

import _pictures
import pytest
from _pictures import build, found, kinds_of
from PIL import Image

from toolkit.core.errors import UsageError


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Return a JPEG and a PNG in folders as wallpapers have them, each in two sizes, with a picture of the screen."""
    for name, suffix in (("Lake", "jpg"), ("Rock", "png")):
        folder = tmp_path / "photos" / name
        folder.mkdir(parents=True)
        for side in (40, 600):
            Image.effect_noise((side, side), 90).convert("RGB").save(folder / f"{side}.{suffix}")
        Image.new("RGB", (900, 900)).save(folder / "screenshot.png", compress_level=0)
    return found(tmp_path / "photos")


def test_folder_is_searched(photos: list[Path], tmp_path: Path) -> None:
    """All pictures below it are photographs; without any, what to do is said."""
    assert [f"{path.parent.name}/{path.name}" for path in photos] == [
        "Lake/40.jpg",
        "Lake/600.jpg",
        "Rock/40.png",
        "Rock/600.png",
    ]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="there are no JPEG or PNG files below it"):
        found(tmp_path / "empty")


def test_largest_of_each_wallpaper_is_taken(
    photos: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They come in many sizes; where none are installed, the package is named."""
    monkeypatch.setattr(_pictures, "WALLPAPERS", tmp_path / "photos")
    assert found(None) == [photos[1], photos[3]]
    monkeypatch.setattr(_pictures, "WALLPAPERS", tmp_path / "nothing")
    with pytest.raises(UsageError, match="apt install plasma-workspace-wallpapers"):
        found(None)


def test_shelves(photos: list[Path], tmp_path: Path) -> None:
    """There are as many as asked for, numbered; copies come after those that differ; nothing is made twice."""
    made = build(tmp_path, "photos", photos, 6)
    assert [path.name[:5] for path in made] == [f"{number:04}-" for number in range(6)]
    assert {path.suffix for path in made} == {".jpg"}
    assert sorted(made[0].parent.iterdir()) == made
    assert kinds_of("photos", photos) == 4
    assert made[4].read_bytes() == made[0].read_bytes() == photos[0].read_bytes()
    assert len({path.read_bytes() for path in made}) == 4
    before = [path.stat().st_mtime_ns for path in made]
    assert [path.stat().st_mtime_ns for path in build(tmp_path, "photos", photos, 6)] == before
    assert [path.suffix for path in build(tmp_path, "mixed", photos, 4)] == [".jpg", ".jpg", ".png", ".png"]


def test_made_pictures_have_soft_edges(photos: list[Path], tmp_path: Path) -> None:
    """Alpha goes from nothing to all by steps; icons have their sizes, and a corner that is clear."""
    with Image.open(build(tmp_path, "alpha", photos[1:2], 1)[0]) as faded:
        alpha = faded.getchannel("A")
        assert (faded.mode, alpha.getextrema()) == ("RGBA", (0, 255))
        assert sum(count > 0 for count in alpha.histogram()) > 100
    icons = build(tmp_path, "icons", photos[1:2], 9)
    sizes = set()
    for path in icons:
        with Image.open(path) as icon:
            sizes.add(icon.size)
            assert icon.getchannel("A").getpixel((0, 0)) == 0
    assert sizes == {(side, side) for side in range(64, 129, 8)}
