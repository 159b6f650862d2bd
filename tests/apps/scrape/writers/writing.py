"""A process that writes rows until it is killed, as the app does: row, mark, and only then the note that it is safe."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.apps.scrape.writers.reading import COLUMNS, TYPES, row
from toolkit.apps.scrape.writers import open_appender


def main(path: Path, notes: Path, most: int) -> None:
    """Go on from the last note, which is "rows mark"; say so when the first row of this run is there."""
    done, mark = last_note(notes)
    appender = open_appender(path, COLUMNS, types=TYPES, mark=mark)
    with notes.open("a") as file:
        for number in range(done, most):
            appender.add(row(number, title="a\n" * (number % 50)))
            if number == done:
                os.write(1, b"begun\n")
            if number % 7 == 0:
                os.write(file.fileno(), f"{number + 1} {appender.mark()}\n".encode())
    appender.close()


def last_note(notes: Path) -> tuple[int, int | None]:
    """Return how many rows are safe, and their mark."""
    lines = notes.read_text().splitlines() if notes.exists() else []
    if not lines:
        return 0, 0 if notes.exists() else None
    done, mark = lines[-1].split()
    return int(done), int(mark)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
