"""Where pictures are cut: the border that is one colour, the part that has most to see, the point that must stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.apps.resize.making import BLUE, GREEN, RED, WHITE, array, near, one, photo, saved, stored
from toolkit.apps.resize.cropping import content, proxy_size, smart_place
from toolkit.apps.resize.geometry import CENTER, Place

BOX = (12, 5, 52, 25)
INNER = (12.0, 5.0, 52.0, 25.0)


def _framed(mode: str = "RGB", border: Any = WHITE, inner: Any = RED) -> Image.Image:
    """Return a picture of 80 x 40 with something at BOX."""
    image = Image.new(mode, (80, 40), border)
    image.paste(inner, BOX)
    return image


@pytest.mark.parametrize(
    ("mode", "border", "inner"),
    [
        ("L", 255, 0),
        ("LA", (255, 255), (0, 255)),
        ("RGB", WHITE, (255, 255, 200)),
        ("RGBA", (255, 255, 255, 255), (255, 0, 0, 255)),
        ("RGBA", (0, 255, 0, 0), (0, 255, 0, 255)),
        ("RGBA", (1, 2, 3, 255), (1, 2, 3, 128)),
        ("LA", (9, 0), (9, 40)),
        ("I;16", 60_000, 9),
    ],
)
def test_content_without_its_border(mode: str, border: Any, inner: Any) -> None:
    """In every mode; where the border is transparent, what is seen is what counts."""
    assert content(_framed(mode, border, inner), 10) == INNER


@pytest.mark.parametrize(("step", "tolerance", "found"), [(10, 10, None), (11, 10, INNER), (1, 0, INNER), (0, 0, None)])
def test_content_within_the_tolerance(step: int, tolerance: int, found: Any) -> None:
    """What differs by no more than the tolerance in any channel is border."""
    assert content(_framed(inner=(255, 255, 255 - step)), tolerance) == found


def test_content_under_hidden_colours() -> None:
    """A transparent border may have all colours; nobody sees them."""
    image = Image.merge("RGBA", (*photo(80, 40).split(), Image.new("L", (80, 40), 0)))
    image.paste((0, 0, 0, 255), BOX)
    assert content(image, 0) == INNER


def test_content_when_there_is_no_border_or_nothing_else() -> None:
    """Nothing is cut off then."""
    assert content(photo(80, 40), 10) is None
    assert content(Image.new("RGB", (80, 40), RED), 10) is None
    assert content(Image.new("RGBA", (80, 40), (0, 0, 0, 0)), 10) is None


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_trim_then_size(tmp_path: Path, engine: str, orientation: int) -> None:
    """The border goes first, and the rest is what is fitted, however it is stored."""
    source = stored(orientation, tmp_path / "a.png", _framed())
    image, _ = one(source, tmp_path / "o1", trim=True, engine=engine)
    assert image.size == (40, 20)
    assert near(array(image), RED, 0)
    small, _ = one(source, tmp_path / "o2", trim=True, size="20x20", engine=engine)
    assert small.size == (20, 10)
    whole, _ = one(source, tmp_path / "o3", size="20x20", engine=engine)
    assert whole.size == (20, 10)
    assert near(whole.getpixel((0, 0)), WHITE, 0)


@pytest.mark.parametrize(
    "options", [{"size": "17x"}, {"size": "9x9", "fit": "cover"}, {"size": "150x", "enlarge": True}]
)
@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize(
    ("mode", "border", "inner"),
    [
        ("L", 250, 40),
        ("RGB", (250, 250, 250), (10, 80, 200)),
        ("RGBA", (250, 250, 250, 255), (10, 80, 200, 255)),
        ("RGBA", (0, 0, 0, 0), (10, 80, 200, 255)),
        ("I;16", 60_000, 9_000),
    ],
)
def test_trim_leaves_nothing_of_the_border(
    tmp_path: Path, engine: str, mode: str, border: Any, inner: Any, linear: bool, options: dict[str, Any]
) -> None:
    """Scaling does not mix what was cut off back into the rim, however the filter reaches around."""
    framed = _framed(mode, border, 0 if mode == "I;16" else inner)
    if mode == "I;16":  # Pillow pastes only bytes there
        framed = Image.fromarray(np.where(array(framed) == 0, inner, border).astype(np.uint16))
    source = saved(framed, tmp_path / "a.png")
    image, _ = one(source, tmp_path / "out", trim=True, linear=linear, engine=engine, **options)
    assert image.mode == mode
    assert near(array(image), inner, 1)


@pytest.mark.parametrize("linear", [False, True])
def test_trim_then_size_is_as_of_the_part_alone(tmp_path: Path, engine: str, linear: bool) -> None:
    """Trimmed and scaled, a picture is what its inner part becomes by itself."""
    inner = photo(90, 60)
    framed = Image.new("RGB", (140, 100), WHITE)
    framed.paste(inner, (30, 20))
    wanted: dict[str, Any] = {"size": "37x29", "fit": "cover", "linear": linear, "engine": engine, "format": "png"}
    image, _ = one(saved(framed, tmp_path / "framed.png"), tmp_path / "o1", trim=True, **wanted)
    alone, _ = one(saved(inner, tmp_path / "inner.png"), tmp_path / "o2", **wanted)
    assert np.array_equal(array(image), array(alone))


def test_trim_of_a_noisy_jpeg(tmp_path: Path, engine: str) -> None:
    """The usual tolerance is enough for what JPEG leaves on a border, also where only little is wanted."""
    source = saved(_framed().resize((640, 320), Image.Resampling.NEAREST), tmp_path / "a.jpg", quality=80)
    image, _ = one(source, tmp_path / "out", trim=True, size="40x", engine=engine, format="png")
    assert image.size == (40, 20)
    assert near(array(image)[2:-2, 2:-2], RED, 12)


def test_trim_when_nothing_is_left(tmp_path: Path, engine: str) -> None:
    """A picture of one colour stays as it is."""
    source = saved(Image.new("RGB", (30, 20), RED), tmp_path / "a.png")
    assert one(source, tmp_path / "out", trim=True, engine=engine)[0].size == (30, 20)


def _busy(size: tuple[int, int], box: tuple[int, int, int, int], mode: str = "RGB") -> Image.Image:
    """Calm grey, and a bright chequered thing in a box."""
    image = Image.new("RGB", size, (120, 125, 130))
    draw = ImageDraw.Draw(image)
    for x in range(box[0], box[2], 8):
        for y in range(box[1], box[3], 8):
            draw.rectangle((x, y, x + 3, y + 3), fill=(255, 220, 40))
    return image.convert(mode)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((600, 200), (10, 60, 110, 140)),
        ((600, 200), (490, 60, 590, 140)),
        ((600, 200), (330, 60, 430, 140)),
        ((200, 600), (60, 10, 140, 110)),
        ((200, 600), (60, 490, 140, 590)),
        ((200, 600), (60, 170, 140, 270)),
    ],
)
def test_smart_crop_holds_what_there_is_to_see(
    tmp_path: Path, engine: str, size: tuple[int, int], box: tuple[int, int, int, int], mode: str
) -> None:
    """The one thing in a picture is wholly inside the cut, at whichever side it is."""
    source = saved(_busy(size, box, mode), tmp_path / "a.png")
    image, _ = one(source, tmp_path / "out", size="200x200", fit="cover", crop="smart", engine=engine)
    assert image.size == (200, 200)
    assert _marked(image) == _marked(_busy(size, box, mode))


def _marked(image: Image.Image) -> int:
    grey = array(image, "L")
    return int((grey > 180).sum())


def test_smart_crop_of_16_bit_grey(tmp_path: Path, engine: str) -> None:
    """Its levels are scaled, not cut off, when it is looked at."""
    levels = array(_busy((600, 200), (490, 60, 590, 140), "L")) * 200 + 5000
    source = saved(Image.fromarray(levels.astype(np.uint16)), tmp_path / "a.png")
    image, _ = one(source, tmp_path / "out", size="200x200", fit="cover", crop="smart", engine=engine)
    assert (array(image) > 40_000).sum() == (levels > 40_000).sum()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_smart_crop_when_stored_otherwise(tmp_path: Path, engine: str, orientation: int) -> None:
    """What is looked at is the upright picture."""
    picture = _busy((600, 200), (490, 60, 590, 140))
    source = stored(orientation, tmp_path / "a.png", picture)
    image, _ = one(source, tmp_path / "out", size="200x200", fit="cover", crop="smart", engine=engine)
    assert _marked(image) == _marked(picture)


def test_smart_crop_of_a_turned_picture(tmp_path: Path) -> None:
    """What is looked at is the turned picture: the thing has moved with it."""
    picture = _busy((600, 200), (10, 60, 110, 140))
    source = saved(picture, tmp_path / "a.png")
    image, _ = one(source, tmp_path / "out", size="150x150", fit="cover", crop="smart", rotate=85.0)
    whole, _ = one(source, tmp_path / "whole", size="150x150", fit="outside", rotate=85.0)
    assert _marked(image) >= 0.9 * _marked(whole)


def test_smart_crop_takes_the_middle_of_equals(tmp_path: Path, engine: str) -> None:
    """Where nothing is better than anything else, the middle is."""
    ramp = Image.linear_gradient("L").rotate(90).resize((600, 200))
    source = saved(Image.new("RGB", (600, 200), GREEN), tmp_path / "a.png")
    one(source, tmp_path / "o1", size="200x200", fit="cover", crop="smart", engine=engine)
    image, _ = one(saved(ramp, tmp_path / "b.png"), tmp_path / "o2", size="200x200", fit="cover", crop="smart")
    plain, _ = one(tmp_path / "b.png", tmp_path / "o3", size="200x200", fit="cover")
    assert np.abs(array(image) - array(plain)).max() <= 12


def test_smart_place_when_all_is_used() -> None:
    """There is no choice then, nor where the cut is as long as the small picture."""
    assert smart_place(photo(64, 64), (64, 64), (64.0, 64.0)) == CENTER
    assert smart_place(photo(2, 1), (200, 100), (199.9, 100.0)) == CENTER
    place = smart_place(_busy((256, 85), (4, 20, 44, 60)), (768, 255), (255.0, 255.0))
    assert place.x == pytest.approx(0.0, abs=0.1)
    assert place.y == 0.5
    assert isinstance(place, Place)


@pytest.mark.parametrize(
    ("size", "small"), [((512, 256), (256, 128)), ((100, 50), (100, 50)), ((9000, 3), (256, 1)), ((1, 1), (1, 1))]
)
def test_proxy_size(size: tuple[int, int], small: tuple[int, int]) -> None:
    """Its longer side is at most 256, and no side is nothing."""
    assert proxy_size(size) == small


@pytest.mark.parametrize(
    ("focus", "colour", "left"),
    [("0,0.5", RED, 0), ("0.05,0.5", RED, 0), ("0.5,0.5", GREEN, 100), ("0.45,0.9", GREEN, 85), ("1,0", BLUE, 200)],
)
def test_focus_is_in_the_middle_as_far_as_there_is_room(
    tmp_path: Path, engine: str, focus: str, colour: tuple[int, int, int], left: int
) -> None:
    """The cut is around the point, and stays within the picture."""
    picture = Image.new("RGB", (300, 100), GREEN)
    picture.paste(RED, (0, 0, 100, 100))
    picture.paste(BLUE, (200, 0, 300, 100))
    source = saved(picture, tmp_path / "a.png")
    image, _ = one(source, tmp_path / "out", size="100x100", fit="cover", focus=focus, engine=engine)
    assert np.abs(array(image) - array(picture)[:, left : left + 100]).max() == 0
    assert near(image.getpixel((60, 50)), colour, 0)


def test_focus_is_a_share_of_what_is_left_to_cut(tmp_path: Path, engine: str) -> None:
    """After trimming and turning: each step goes on from what the last one made."""
    bare = Image.new("RGB", (200, 100), GREEN)
    bare.paste(BLUE, (0, 0, 20, 100))
    framed = Image.new("RGB", (600, 120), WHITE)
    framed.paste(bare, (390, 10))
    for source, options in (
        (saved(framed, tmp_path / "a.png"), {"trim": True}),
        (saved(bare.rotate(90, expand=True), tmp_path / "b.png"), {"rotate": 90.0}),
    ):
        image, _ = one(source, tmp_path / "out", size="100x100", fit="cover", focus="0.3,0.5", engine=engine, **options)
        assert np.abs(array(image) - array(bare)[:, 10:110]).max() == 0
