"""Writers of rows, one file each, found by the output's suffix."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import IO, Any, Protocol

Row = dict[str, Any]
"""One row: column to text, number, list of texts or None."""


class Write(Protocol):
    """What a file in this folder gives under the name `write`."""

    def __call__(self, file: IO[bytes], columns: Sequence[str], rows: Iterable[Row]) -> None:
        """Write every row, in order, holding one at a time in memory."""
