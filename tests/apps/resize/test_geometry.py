"""Geometry is whole-number arithmetic that keeps what it promises for every size."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.apps.resize.geometry import (
    CENTER,
    MAX_SIDE,
    Area,
    Box,
    Edge,
    Fit,
    Geometry,
    Layout,
    Place,
    Scale,
    Size,
    as_stored,
    draft_size,
    layout,
    parse_geometry,
    place_of,
    upright,
)
from toolkit.core.errors import TaskError

FITS: tuple[Fit, ...] = get_args(Fit)

sides = st.integers(1, 20_000)
sizes = st.tuples(sides, sides)
shares = st.floats(0, 1)
places = st.builds(Place, shares, shares, st.booleans())
goals = st.one_of(
    st.builds(Box, sides, st.none() | sides),
    st.builds(Box, st.none(), sides),
    st.builds(Edge, sides, st.sampled_from(["long", "short"])),
    st.builds(Area, st.integers(1, 10**8)),
)
geometries = st.builds(
    Geometry, goals, st.sampled_from([None, "outside"]), st.sampled_from([None, "larger", "smaller"])
)


@pytest.mark.parametrize(
    ("picture", "box", "fit", "enlarge", "size", "canvas"),
    [
        ((600, 400), "300x300", "contain", False, (300, 200), (300, 200)),
        ((600, 400), "300x300", "inside", False, (300, 200), (300, 200)),
        ((400, 600), "300x300", "contain", False, (200, 300), (200, 300)),
        ((600, 400), "300x", "contain", False, (300, 200), (300, 200)),
        ((600, 400), "x100", "cover", False, (150, 100), (150, 100)),
        ((600, 400), "300", "stretch", False, (300, 200), (300, 200)),
        ((600, 400), "300", "pad", False, (300, 200), (300, 200)),
        ((600, 400), "300", "outside", False, (300, 200), (300, 200)),
        ((60, 40), "300x300", "contain", False, (60, 40), (60, 40)),
        ((60, 40), "300x300", "contain", True, (300, 200), (300, 200)),
        ((60, 40), "300x", "contain", False, (60, 40), (60, 40)),
        ((60, 40), "300x", "contain", True, (300, 200), (300, 200)),
        ((60, 40), "x80", "contain", True, (120, 80), (120, 80)),
        ((600, 400), "300x300", "stretch", False, (300, 300), (300, 300)),
        ((600, 100), "300x300", "stretch", False, (300, 100), (300, 100)),
        ((600, 100), "300x300", "stretch", True, (300, 300), (300, 300)),
        ((600, 400), "300x300", "cover", False, (300, 300), (300, 300)),
        ((600, 200), "300x300", "cover", False, (200, 200), (200, 200)),
        ((600, 200), "300x300", "cover", True, (300, 300), (300, 300)),
        ((200, 600), "400x300", "cover", False, (200, 150), (200, 150)),
        ((600, 400), "300x300", "pad", False, (300, 200), (300, 300)),
        ((60, 40), "300x300", "pad", False, (60, 40), (300, 300)),
        ((60, 40), "300x300", "pad", True, (300, 200), (300, 300)),
        ((600, 400), "300x300", "outside", False, (450, 300), (450, 300)),
        ((60, 40), "300x300", "outside", False, (60, 40), (60, 40)),
        ((60, 40), "300x300", "outside", True, (450, 300), (450, 300)),
        ((1000, 1), "10x10", "contain", False, (10, 1), (10, 1)),
        ((3, 2), "2x2", "contain", False, (2, 1), (2, 1)),
        ((4, 3), "2x2", "contain", False, (2, 2), (2, 2)),  # 1.5 is rounded up
    ],
)
def test_layout_when_known(picture: Size, box: str, fit: Fit, enlarge: bool, size: Size, canvas: Size) -> None:
    """Each fit gives the sizes that its description says."""
    laid = layout(picture, parse_geometry(box), fit, enlarge=enlarge)
    assert (laid.size, laid.canvas) == (size, canvas)


@pytest.mark.parametrize(
    ("picture", "word", "size"),
    [
        ((600, 400), "800", (800, 533)),
        ((600, 400), "x300", (450, 300)),
        ((600, 400), "500x200", (300, 200)),
        ((600, 400), "300x300^", (450, 300)),
        ((600, 400), "800x300^", (800, 533)),
        ((600, 400), "300^", (450, 300)),
        ((600, 400), "x300^", (450, 300)),
        ((400, 600), "300^", (300, 450)),
        ((600, 400), "800x!", (800, 400)),
        ((600, 400), "x300!", (600, 300)),
        ((600, 400), "800x600!", (800, 600)),
        ((600, 400), "50%", (300, 200)),
        ((601, 401), "50%", (301, 201)),
        ((601, 401), "33%", (198, 132)),
        ((600, 400), "33.3%", (200, 133)),
        ((601, 401), "50%x25%", (301, 100)),
        ((5, 2), "50%", (3, 1)),
        ((5, 3), "50%", (3, 2)),
        ((600, 400), "800x600>", (600, 400)),
        ((600, 400), "500x600>", (500, 333)),
        ((600, 400), "601x>", (600, 400)),
        ((600, 400), "x300>", (450, 300)),
        ((600, 400), "800x300^>", (600, 400)),
        ((600, 400), "500x300^>", (500, 333)),
        ((600, 400), "500x380^>", (570, 380)),
        ((600, 400), "800x300!>", (600, 300)),
        ((600, 400), "500x500!>", (500, 400)),
        ((600, 400), "800x600<", (800, 533)),
        ((600, 400), "800x300<", (600, 400)),
        ((600, 400), "599x401<", (600, 400)),
        ((600, 400), "600x600<", (600, 400)),
        ((600, 400), "800<", (800, 533)),
        ((600, 400), "500<", (600, 400)),
        ((600, 400), "800x300^<", (800, 533)),
        ((600, 400), "800x600^<", (900, 600)),
        ((600, 400), "800x300!<", (800, 400)),
        ((600, 400), "500x300!<", (600, 400)),
        ((4000, 3000), "2000000@", (1632, 1224)),
        ((3001, 1999), "1000000@", (1225, 816)),
        ((777, 333), "50000@", (341, 146)),
        ((100, 100), "20000@", (141, 141)),
        ((100, 100), "20000@>", (100, 100)),
        ((100, 100), "20000@<", (141, 141)),
        ((100, 100), "1@", (1, 1)),
    ],
)
def test_layout_when_imagemagick_was_asked(picture: Size, word: str, size: Size) -> None:
    """A word gives the size that `convert -resize` gave (ImageMagick 6.9.11), which always enlarges."""
    laid = layout(picture, parse_geometry(word), "contain", enlarge=True)
    assert laid == Layout((0, 0, *picture), size, size)


@pytest.mark.parametrize(
    ("word", "size"),
    [
        ("80x60", (60, 40)),
        ("80x60^", (60, 40)),
        ("20000@", (60, 40)),
        ("80^", (60, 40)),
        ("80x60!", (80, 60)),
        ("80x30!", (80, 30)),
        ("80!", (80, 40)),
        ("200%", (120, 80)),
        ("200%x50%", (120, 20)),
        ("80x60<", (80, 53)),
        ("20000@<", (173, 115)),
    ],
)
def test_layout_when_small_grows_only_if_asked(word: str, size: Size) -> None:
    """Without enlarge a word enlarges only where it says so: `!`, factors and `<`."""
    assert layout((60, 40), parse_geometry(word), "contain", enlarge=False).size == size


@pytest.mark.parametrize("fit", ["cover", "pad"])
def test_layout_when_only_the_larger(fit: Fit) -> None:
    """`>` is the promise not to enlarge, even where that is allowed."""
    word, box = parse_geometry("300x300>"), parse_geometry("300x300")
    for picture in ((600, 400), (60, 40), (600, 40)):
        assert layout(picture, word, fit, enlarge=True) == layout(picture, box, fit, enlarge=False)


@pytest.mark.parametrize("fit", ["cover", "pad"])
def test_layout_when_only_the_smaller(fit: Fit) -> None:
    """`<` fills the box from what would grow, and leaves all else as it is: neither cut nor padded."""
    word, box = parse_geometry("300x300<"), parse_geometry("300x300")
    assert layout((60, 40), word, fit, enlarge=False) == layout((60, 40), box, fit, enlarge=True)
    for picture in ((600, 400), (300, 300), (300, 301)):
        assert layout(picture, word, fit, enlarge=True) == Layout((0, 0, *picture), picture, picture)


def test_layout_when_the_word_says_the_fit() -> None:
    """What the word itself says goes before the fit."""
    for fit in FITS:
        assert layout((600, 400), parse_geometry("300x300^"), fit, enlarge=False).canvas == (450, 300)
        assert layout((600, 400), parse_geometry("300x300!"), fit, enlarge=False).size == (300, 300)
        assert layout((600, 400), Geometry(Edge(300, "long")), fit, enlarge=False).canvas == (300, 200)


def test_layout_when_nothing_is_asked() -> None:
    """No geometry leaves the picture as it is, however large."""
    assert layout((70_000, 3), None, "cover", enlarge=True) == Layout((0, 0, 70_000, 3), (70_000, 3), (70_000, 3))


def test_layout_when_it_would_be_too_large() -> None:
    """A side grows to 65,535 pixels and no further; one that is longer already may shrink."""
    assert layout((6_553, 1), Geometry(Scale(10, 10)), "contain", enlarge=False).size == (65_530, 10)
    for word in ("1001%", "x11", "11^", "99999999@"):
        with pytest.raises(TaskError, match=rf"a side may have {MAX_SIDE}") as caught:
            layout((6_553, 1), parse_geometry(word), "contain", enlarge=True)
        assert caught.value.kind == "too_large"
    assert layout((100_000, 10), parse_geometry("90%"), "contain", enlarge=False).size == (90_000, 9)


def test_layout_when_covering_uses_the_place() -> None:
    """The middle is kept by default; gravity says which end is."""
    box = Geometry(Box(100, 100))
    regions = {
        "center": (100, 0, 500, 400),
        "west": (0, 0, 400, 400),
        "southeast": (200, 0, 600, 400),
        "north": (100, 0, 500, 400),
    }
    assert layout((600, 400), box, "cover", enlarge=False).region == regions["center"]
    for gravity in ("center", "west", "southeast", "north"):
        assert layout((600, 400), box, "cover", enlarge=False, place=place_of(gravity)).region == regions[gravity]
    assert layout((400, 600), box, "cover", enlarge=False, place=place_of("northeast")).region == (0, 0, 400, 400)
    assert layout((400, 600), box, "cover", enlarge=False).region == (0, 100, 400, 500)


@pytest.mark.parametrize(
    ("x", "left"), [(0, 0), (0.3, 0), (1 / 3, 0), (0.5, 100), (0.6, 160), (2 / 3, 200), (0.9, 200), (1, 200)]
)
def test_layout_when_covering_keeps_the_focus(x: float, left: float) -> None:
    """The cut is centred on the point as far as the picture reaches."""
    laid = layout((600, 400), Geometry(Box(100, 100)), "cover", enlarge=False, place=Place(x, 0.9, is_focus=True))
    assert laid.region == pytest.approx((left, 0, left + 400, 400))


def test_layout_when_padded_uses_the_place() -> None:
    """The margins are even, the odd pixel below, or where gravity says; a point that matters changes nothing."""
    box = Geometry(Box(100, 101))
    for place, at in (
        (CENTER, (0, 17)),
        (place_of("north"), (0, 0)),
        (place_of("southwest"), (0, 34)),
        (Place(0, 0.9, is_focus=True), (0, 17)),
    ):
        assert layout((600, 400), box, "pad", enlarge=False, place=place).at == at
    assert layout((60, 40), box, "pad", enlarge=False, place=place_of("southeast")).at == (40, 61)


@pytest.mark.parametrize("first", range(1, 401, 50))
def test_rounding_at_every_width(first: int) -> None:
    """The side that follows is the exact share, rounded half up, at least 1; whatever the fit, the box holds."""
    for width in range(first, first + 50):
        for picture in ((400, 293), (293, 400), (401, 400), (150, 3), (3, 150), (width, 7)):
            size = layout(picture, Geometry(Box(width, None)), "contain", enlarge=True).size
            assert size == (width, _rounded(Fraction(width * picture[1], picture[0])))
            for height in (1, 7, 293, 400):
                _check_fits(picture, (width, height))


def test_factors_at_every_width() -> None:
    """A factor is taken as the decimal number that was written: 14.5% of 100 is 15, not 14.4999 and so 14."""
    for percent in ("0.1", "14.5", "33.3", "50", "66.67", "150"):
        geometry, factor = parse_geometry(f"{percent}%"), Fraction(percent) / 100
        for side in range(1, 401):
            size = layout((side, 2 * side), geometry, "contain", enlarge=False).size
            assert size == (_rounded(side * factor), _rounded(2 * side * factor))


@given(sizes, st.integers(1, 10**9), st.booleans())
def test_area_always(picture: Size, pixels: int, enlarge: bool) -> None:
    """No more pixels than that, and the next longer side would have more."""
    width, height = layout(picture, Geometry(Area(pixels)), "contain", enlarge=False).size
    assert width * height <= pixels
    assert width <= picture[0]
    assert height <= picture[1]
    if (width, height) != picture:
        long, short = max(picture), min(picture)
        side = max(width, height)
        assert min(width, height) == _rounded(Fraction(side * short, long))
        assert (side + 1) * _rounded(Fraction((side + 1) * short, long)) > pixels


@given(sizes, sizes, st.sampled_from(FITS), st.booleans(), places)
def test_layout_always(picture: Size, wanted: Size, fit: Fit, enlarge: bool, place: Place) -> None:
    """Nothing exceeds the box but what covers it, nothing is empty, and nothing grows unless that was asked for."""
    try:
        laid = layout(picture, Geometry(Box(*wanted)), fit, enlarge=enlarge, place=place)
    except TaskError:
        assert fit == "outside"
        return
    _check_layout(picture, laid)
    for side in (0, 1):
        used = laid.region[side + 2] - laid.region[side]
        assert fit == "outside" or laid.canvas[side] <= wanted[side]
        if not enlarge:
            assert laid.size[side] < used + 1
    if fit == "pad" or (enlarge and fit in {"cover", "stretch"}):
        assert laid.canvas == wanted
    if fit != "pad":
        assert (laid.size, laid.at) == (laid.canvas, (0, 0))  # what is no padding is filled


@given(sizes, geometries, st.sampled_from(FITS), st.booleans(), places)
def test_layout_when_any_word(picture: Size, geometry: Geometry, fit: Fit, enlarge: bool, place: Place) -> None:
    """Whatever is asked, the part that is used lies in the picture, and goes on the canvas; > and < hold."""
    try:
        laid = layout(picture, geometry, fit, enlarge=enlarge, place=place)
    except TaskError:
        assert enlarge or geometry.when == "smaller"
        return
    _check_layout(picture, laid)
    if geometry.when == "larger" or (geometry.when is None and not enlarge):
        assert all(size <= own for size, own in zip(laid.size, picture, strict=True))
    if geometry.when == "smaller" and laid.size != picture:
        assert any(size > own for size, own in zip(laid.size, picture, strict=True))


@given(sizes, sizes, st.sampled_from(["cover", "pad"]), st.booleans(), st.tuples(shares, shares))
def test_place_when_moved_moves_one_way(picture: Size, wanted: Size, fit: Fit, is_focus: bool, ends: Size) -> None:
    """Further right is never further left, neither for a cut nor for a margin."""
    laid = [
        layout(picture, Geometry(Box(*wanted)), fit, enlarge=True, place=Place(share, share, is_focus))
        for share in sorted(ends)
    ]
    for side in (0, 1):
        assert laid[0].region[side] <= laid[1].region[side]
        assert laid[0].at[side] <= laid[1].at[side]


@given(sizes, sizes, places)
def test_layout_when_covering_keeps_the_shape(picture: Size, wanted: Size, place: Place) -> None:
    """The part that is used has the shape of the box, so that nothing is distorted."""
    left, top, right, bottom = layout(picture, Geometry(Box(*wanted)), "cover", enlarge=True, place=place).region
    assert (right - left) * wanted[1] == pytest.approx((bottom - top) * wanted[0], rel=1e-6)
    assert right - left == pytest.approx(picture[0]) or bottom - top == pytest.approx(picture[1])


@given(sizes, sizes)
def test_draft_size_leaves_twice_the_result(picture: Size, wanted: Size) -> None:
    """Shrink-on-load leaves at least twice the pixels that are needed, but for half a pixel of rounding."""
    laid = layout(picture, Geometry(Box(*wanted)), "cover", enlarge=False)
    draft = draft_size(picture, laid.region, laid.size)
    for side in (0, 1):
        used = laid.region[side + 2] - laid.region[side]
        assert draft[side] * used / picture[side] >= 2 * laid.size[side] - 1 - 1e-6


@given(sizes, sizes, places, st.integers(1, 8))
def test_cut_when_stored_turned(picture: Size, wanted: Size, place: Place, orientation: int) -> None:
    """A cut of the upright picture is a cut of the stored one, of the same size."""
    region = layout(picture, Geometry(Box(*wanted)), "cover", enlarge=False, place=place).region
    left, top, right, bottom = as_stored(region, picture, orientation)
    width, height = upright(picture, orientation)
    assert -1e-6 <= left < right <= width + 1e-6
    assert -1e-6 <= top < bottom <= height + 1e-6
    assert (right - left) * (bottom - top) == pytest.approx((region[2] - region[0]) * (region[3] - region[1]))


def _check_layout(picture: Size, laid: Layout) -> None:
    for side in (0, 1):
        assert 0 <= laid.region[side] < laid.region[side + 2] <= picture[side]
        assert 1 <= laid.size[side] <= laid.canvas[side]
        assert 0 <= laid.at[side] <= laid.canvas[side] - laid.size[side]


def _check_fits(picture: Size, box: Size) -> None:
    """Check what each fit makes of a picture against fractions."""
    factors = [Fraction(box[side], picture[side]) for side in (0, 1)]
    fits: tuple[tuple[Fit, Fraction], ...] = (("contain", min(factors)), ("outside", max(factors)))
    for fit, factor in fits:
        exact = _rounded(picture[0] * factor), _rounded(picture[1] * factor)
        assert layout(picture, Geometry(Box(*box), fit), "contain", enlarge=True).size == exact
        kept = exact if factor < 1 else picture
        assert layout(picture, Geometry(Box(*box), fit), "contain", enlarge=False).size == kept
    padded = layout(picture, Geometry(Box(*box)), "pad", enlarge=False)
    assert (padded.size, padded.canvas) == (layout(picture, Geometry(Box(*box)), "inside", enlarge=False).size, box)
    part = max(Fraction(1), *factors)  # how much of the box a picture that may not grow fills
    cut = layout(picture, Geometry(Box(*box)), "cover", enlarge=False).size
    assert cut == (min(picture[0], _rounded(box[0] / part)), min(picture[1], _rounded(box[1] / part)))


def _rounded(exact: Fraction) -> int:
    return max(1, floor(exact + Fraction(1, 2)))
