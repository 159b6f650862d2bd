"""Arguments of operations: what may be written, and what it is read as."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Protocol

from toolkit.apps.resize.colour_words import Colour, parse_colour
from toolkit.apps.resize.operations.files import File, parse_file


@dataclass(frozen=True, slots=True)
class Length:
    """So many pixels of the result, or a percentage of its shorter side."""

    amount: float
    percent: bool = False

    def pixels(self, size: tuple[int, int]) -> int:
        """Return the length on a picture of that size: whole pixels, halves up."""
        return math.floor((self.amount * min(size) / 100 if self.percent else self.amount) + 0.5)


Value = float | int | str | Colour | Length | File | None


class Kind(Protocol):
    """A sort of argument."""

    @property
    def limits(self) -> str:
        """What may be written, in words that follow "it is"."""

    def read(self, text: str) -> Value:
        """Return what the text means; raises ValueError, with a message where there is more to say than limits."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of an operation. usual: what is taken if it is left out, as a user would write it; None: nothing."""

    name: str
    kind: Kind
    usual: str | None
    meaning: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number between limits, both allowed."""

    least: float
    most: float

    @property
    def limits(self) -> str:
        """The range."""
        return f"a number from {self.least:g} to {self.most:g}"

    def read(self, text: str) -> float:
        """Return the number."""
        value = float(text)
        if not self.least <= value <= self.most:
            raise ValueError
        return value + 0.0  # -0 is 0, for settings are compared as text


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number between limits, both allowed; every step-th from the least."""

    least: int
    most: int
    step: int = 1

    @property
    def limits(self) -> str:
        """The range."""
        kind = "an odd number" if self.step > 1 else "a whole number"
        return f"{kind} from {self.least} to {self.most}"

    def read(self, text: str) -> int:
        """Return the number."""
        value = int(text)
        if value not in range(self.least, self.most + 1, self.step):
            raise ValueError
        return value


@dataclass(frozen=True, slots=True)
class Distance:
    """A Length: pixels, or percent of the shorter side."""

    most: int
    most_percent: int
    least: int = 0

    @property
    def limits(self) -> str:
        """Both ranges."""
        return f"{self.least} to {self.most} pixels, or up to {self.most_percent}% of the shorter side"

    def read(self, text: str) -> Length:
        """Return the length."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(px|%)?", text)
        if not match:
            raise ValueError
        amount, percent = float(match[1]), match[2] == "%"
        if amount < self.least * (not percent) or amount > (self.most_percent if percent else self.most):
            raise ValueError
        return Length(amount, percent)


@dataclass(frozen=True, slots=True)
class Shade:
    """A colour."""

    limits: str = "a colour"

    def read(self, text: str) -> Colour:
        """Return the colour."""
        return parse_colour(text)


@dataclass(frozen=True, slots=True)
class Word:
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def limits(self) -> str:
        """The words."""
        return f"one of {', '.join(self.words)}"

    def read(self, text: str) -> str:
        """Return the word."""
        if text not in self.words:
            raise ValueError
        return text


@dataclass(frozen=True, slots=True)
class Text:
    """Any text that holds something to see."""

    most: int = 500

    @property
    def limits(self) -> str:
        """The length."""
        return f"1 to {self.most} characters"

    def read(self, text: str) -> str:
        """Return the text."""
        if not text.strip() or len(text) > self.most:
            raise ValueError
        return text


@dataclass(frozen=True, slots=True)
class Source:
    """A file that can be read; where nothing is written, None."""

    limits: str = "a file"

    def read(self, text: str) -> File | None:
        """Return the file and the digest of its content."""
        return parse_file(text) if text else None
