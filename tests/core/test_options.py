"""Options are dataclass fields with a description."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, Literal

import pytest

from toolkit.core.errors import UsageError
from toolkit.core.options import Description, check, option, read, shown_type
from toolkit.core.quantities import parse_bytes


@dataclass(frozen=True, slots=True)
class Sample:
    """Two options."""

    size: int = option(metavar="N", help="How large.", flags=("--size", "-s"))
    colour: str | None = option(None, "Which colour.", parse=str.lower)


def test_option_describes_its_field() -> None:
    """The command line finds all that it needs in the metadata."""
    size, colour = fields(Sample)
    assert size.metadata["option"] == Description("How large.", ("--size", "-s"), "N")
    assert colour.metadata["option"] == Description("Which colour.", parse=str.lower)
    assert (size.default, colour.default) == (MISSING, None)


def test_option_is_an_ordinary_field_in_python() -> None:
    """Required without a default, optional with one."""
    assert Sample(3) == Sample(size=3, colour=None)
    with pytest.raises(TypeError, match="size"):
        Sample()


@dataclass(frozen=True, slots=True)
class Private:
    """An option that is nobody's business."""

    word: str = option("", secret=True)


def test_secret_is_never_shown() -> None:
    """Neither in a repr nor when it is of a wrong type."""
    assert "pw" not in repr(Private("pw"))
    with pytest.raises(UsageError, match=r"^word: give str$"):
        check(Private(("me", "pw")))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Wide:
    """An option of each sort."""

    limit: int | None = option(None, parse=parse_bytes)
    sizes: str | None = option(None, metavar="SIZE,...")
    size: str | None = option(None, metavar="SIZE")
    share: float | None = option(None)
    most: str | int | None = option(None)
    op: tuple[str, ...] = option(())
    file: Path | None = option(None)
    fit: Literal["cover", "pad"] = option("cover")
    flag: bool = option(False)


@pytest.mark.parametrize(
    ("name", "given", "taken"),
    [
        ("limit", "200KB", 200_000),
        ("limit", 200, 200),
        ("limit", None, None),
        ("sizes", [320, 640], "320,640"),
        ("sizes", ("320x", Path("1")), "320x,1"),
        ("size", 800, "800"),
        ("size", 0.5, "0.5"),
        ("size", Path("a/b"), "a/b"),
        ("size", [1, 2], [1, 2]),
        ("size", True, True),
        ("share", "1", "1"),
        ("most", 5, 5),
        ("op", "blur:2", ("blur:2",)),
        ("op", ["blur:2", "invert"], ("blur:2", "invert")),
        ("op", Path("x"), ("x",)),
        ("op", {"a": "b"}, {"a": "b"}),
        ("op", [["a"]], [["a"]]),
        ("file", "x", Path("x")),
        ("fit", "pad", "pad"),
        ("flag", True, True),
    ],
)
def test_values_are_read_as_python_writes_them(name: str, given: Any, taken: Any) -> None:
    """Text, lists, numbers and paths are what they plainly mean; what means nothing stays for check() to refuse."""
    found = read(Wide, {name: given})
    assert found == {name: taken}
    assert type(found[name]) is type(taken)


def test_text_that_cannot_be_read_is_refused() -> None:
    """In the words of the command line."""
    with pytest.raises(UsageError, match=r"^--limit: 'much' is not a size: write it as"):
        read(Wide, {"limit": "much"})


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (int, "int"),
        (int | None, "int | None"),
        (Literal["a", "b"] | None, "'a' | 'b' | None"),
        (tuple[str, ...], "tuple[str, ...]"),
        (Path | str, "Path | str"),
    ],
)
def test_types_are_shown_as_people_write_them(hint: Any, words: str) -> None:
    """Choices by their values."""
    assert shown_type(hint) == words
