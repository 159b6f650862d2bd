"""Tables from .cube files are read as the specification says, and refused with the reason where they are not so."""

from __future__ import annotations

from array import array
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.apps.resize.operations.catalogue import parse_operation
from toolkit.apps.resize.operations.cube import parse_cube

EIGHT = "0 0 0\n1 0 0\n0 1 0\n1 1 0\n0 0 1\n1 0 1\n0 1 1\n1 1 1"


def test_cube_with_all_that_may_stand_in_it() -> None:
    """Titles, comments, blank lines, notes, domains, any line end and any space."""
    head = 'TITLE "a # b"\r\n# made by hand\n\nAuthor: me\n\tLUT_3D_SIZE   2\n'
    text = f"{head}DOMAIN_MIN 0 0 0\nDOMAIN_MAX 1 1 1\n{EIGHT}\n\n"
    cube = parse_cube(text)
    assert (cube.dimensions, cube.size) == (3, 2)
    assert cube.rows == array("d", map(float, EIGHT.split()))


@pytest.mark.parametrize(
    ("domain", "curve"),
    [
        ("", [0.0, 64 / 255, 128 / 255, 1.0]),
        ("DOMAIN_MAX 2 2 2\n", [0.0, 32 / 255, 64 / 255, 0.5]),
        ("LUT_1D_INPUT_RANGE -1.0 1.0\n", [0.5, 0.5 + 32 / 255, 0.5 + 64 / 255, 1.0]),
        ("DOMAIN_MIN 0.5 0.5 0.5\n", [0.0, 0.0, 2 * 128 / 255 - 1, 1.0]),
    ],
)
def test_curve_of_one_dimension(domain: str, curve: list[float]) -> None:
    """A curve is straight between its rows; before and after its domain, it goes on as it begins and ends."""
    whole = parse_cube(f"LUT_1D_SIZE 3\n{domain}0 0 0\n.5 .5 .5\n1 1 1\n").curve(2)
    assert len(whole) == 256
    assert [whole[at] for at in (0, 64, 128, 255)] == pytest.approx(curve)


def test_lattice_when_its_domain_is_another() -> None:
    """A table for another domain is worked out for 0 to 1, each channel by its own."""
    cube = parse_cube(f"LUT_3D_SIZE 2\nDOMAIN_MIN 0 -1 0.5\nDOMAIN_MAX 2 1 1\n{EIGHT}")
    assert cube.size == 65
    for red, green, blue in [(0, 0, 0), (64, 0, 0), (16, 32, 64), (64, 64, 48), (0, 64, 16)]:
        at = 3 * (red + 65 * (green + 65 * blue))
        wanted = [red / 128, (green / 64 + 1) / 2, max(0.0, blue / 32 - 1)]
        assert list(cube.rows[at : at + 3]) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "there is no LUT_1D_SIZE or LUT_3D_SIZE"),
        (EIGHT, "line 1: numbers before LUT_1D_SIZE or LUT_3D_SIZE"),
        ("LUT_3D_SIZE 2\n" + EIGHT[:-6], "there are 7 rows of numbers, and its size needs 8"),
        ("LUT_3D_SIZE 2\n" + EIGHT + "\n0 0 0", "line 10: more rows of numbers than the 8 of its size"),
        ("LUT_3D_SIZE 2\nnan 0 0", "line 2: expected 3 numbers from -1e6 to 1e6, not 'nan 0 0'"),
        ("LUT_3D_SIZE 2\n0 inf 0", "line 2: expected 3 numbers from -1e6 to 1e6, not '0 inf 0'"),
        ("LUT_3D_SIZE 2\n0 1e300 0", "line 2: expected 3 numbers"),
        ("LUT_3D_SIZE 2\n0 0", "line 2: expected 3 numbers"),
        ("LUT_3D_SIZE 2\n0 0 0 0", "line 2: expected 3 numbers"),
        ("LUT_3D_SIZE 2\n0 0 x", "line 2: expected 3 numbers"),
        ("LUT_3D_SIZE 999999999999", "line 1: the size is a whole number from 2 to 65 here, not 999999999999"),
        ("LUT_3D_SIZE 66", "line 1: the size is a whole number from 2 to 65 here, not 66"),
        ("LUT_3D_SIZE 1", "from 2 to 65"),
        ("LUT_3D_SIZE -2", "from 2 to 65"),
        ("LUT_3D_SIZE 2.5", "from 2 to 65"),
        ("LUT_3D_SIZE", "not nothing"),
        ("LUT_3D_SIZE 2 2 2", "not 2 2 2"),
        ("LUT_3D_SIZE " + "9" * 5000, "from 2 to 65"),
        ("LUT_1D_SIZE 65537", "from 2 to 65,536"),
        ("LUT_1D_SIZE 2\nLUT_3D_SIZE 2", "line 2: a second size: only one table in a file is supported"),
        ("LUT_3D_SIZE 2\nLUT_IN_VIDEO_RANGE", "line 2: LUT_IN_VIDEO_RANGE is not supported"),
        ("LUT_3D_SIZE 2\nDOMAIN_MIN 1 1 1\n" + EIGHT, "DOMAIN_MIN must be below DOMAIN_MAX"),
        ("LUT_3D_SIZE 2\nDOMAIN_MIN nan 0 0\n" + EIGHT, "line 2: expected 3 numbers"),
        ("LUT_3D_SIZE 2\nDOMAIN_MIN 0 0\n" + EIGHT, "line 2: expected 3 numbers"),
        ("LUT_3D_SIZE 2\nLUT_3D_INPUT_RANGE 0\n" + EIGHT, "line 2: expected 2 numbers"),
    ],
)
def test_cube_when_it_is_malformed(text: str, words: str) -> None:
    """Each fault has its line and its reason."""
    with pytest.raises(ValueError) as caught:
        parse_cube(text)
    assert words in str(caught.value)


@given(st.text(st.sampled_from("LUT_3D_SIZE 12\n0 .e-+naif#DOMAIN_MINX\x00"), max_size=120))
@settings(max_examples=100, deadline=None)
def test_cube_of_anything(text: str) -> None:
    """Whatever stands in a file, it is a table or a ValueError."""
    try:
        cube = parse_cube("LUT_1D_SIZE 2\n" + text)
    except ValueError:
        return
    assert len(cube.curve(0)) == 256


@pytest.mark.parametrize("data", [b"", b"\0" * 1000, b"\xff\xfe\x00", b"LUT_3D_SIZE 3"])
def test_lut_when_its_file_is_no_table(tmp_path: Path, data: bytes) -> None:
    """It is refused as the options are read, by its name."""
    (tmp_path / "a.cube").write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.cube is not a \.cube table that can be used: "):
        parse_operation(f"lut:{tmp_path / 'a.cube'}")


def test_lut_when_its_file_has_a_byte_order_mark(tmp_path: Path) -> None:
    """Some editors write one."""
    (tmp_path / "a.cube").write_bytes(b"\xef\xbb\xbfLUT_1D_SIZE 2\n0 0 0\n1 1 1\n")
    assert parse_operation(f"lut:{tmp_path / 'a.cube'}").name == "lut"
