"""Standard input as a list, which may have nothing yet."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Iterator

from toolkit.core.lists.entry import LINE_LIMIT
from toolkit.core.lists.opening import lines_of


def stdin_lines() -> Iterator[str | None]:
    """Yield lines as lines_of does, and None when there is nothing yet.

    They are read in a thread, so that a slow writer at the other end does not hold up what runs.
    """
    lines: queue.Queue[str | Exception | None] = queue.Queue(maxsize=1000)

    def read() -> None:
        try:
            with open(sys.stdin.fileno(), encoding="utf-8-sig", errors="surrogateescape", closefd=False) as stream:
                for line in lines_of(stream, LINE_LIMIT):
                    lines.put(line)
            lines.put(None)
        except Exception as error:  # raised again where the lines are wanted
            lines.put(error)

    threading.Thread(target=read, name="toolkit-stdin", daemon=True).start()
    while True:
        try:
            line = lines.get_nowait()
        except queue.Empty:
            yield None
            continue
        if line is None:
            return
        if isinstance(line, Exception):
            raise line
        yield line
