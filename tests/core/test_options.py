"""Options are dataclass fields with a description."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields

import pytest

from toolkit.core.errors import UsageError
from toolkit.core.options import Description, check, option


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
