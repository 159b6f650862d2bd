"""Whether what is to come fits on the disk, as far as lists tell the size of files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from toolkit.core.errors import RunStopped, TaskError
from toolkit.core.lists import COUNTED, is_url, read_urls
from toolkit.core.lists.columns import READERS, read_details
from toolkit.core.quantities import shown_bytes

Here = Callable[[str], int]
"""Returns the bytes of a URL's file that need not come again."""


def check(sources: Sequence[str], url_column: str | None, folder: Path, here: Here) -> None:
    """Raise RunStopped if the files of known size that are still to come need more than is free.

    Reads lists that are small files and have a column of sizes; others say nothing, or can be read only once.
    """
    lists = [source for source in sources if _has_sizes(source, url_column)]
    free = _free(folder) if lists else None
    if free is None or sum(size for _, size in _sizes(lists, url_column)) <= free:
        return
    needed = sum(max(0, size - here(url)) for url, size in dict(_sizes(lists, url_column)).items())
    if needed > free:
        what = f"the files of known size need {shown_bytes(needed)}, {shown_bytes(free)} are free in {folder}"
        raise RunStopped(f"{what}: make room, or choose another folder")


def _has_sizes(source: str, url_column: str | None) -> bool:
    """Tell whether a list is a file that may be read beforehand, and its first entry has a column of sizes."""
    if source == "-" or is_url(source) or not Path(source).is_file() or os.path.getsize(source) >= COUNTED:
        return False
    lines = read_urls([source], url_column)
    line = next(lines, None)
    return line is not None and any(name.strip().lower() in READERS for name, _ in line.columns)


def _sizes(lists: Sequence[str], url_column: str | None) -> Iterator[tuple[str, int]]:
    for line in read_urls(lists, url_column):
        with suppress(TaskError):  # told where it is met in earnest
            size = read_details(line.columns).size if line is not None and not line.bad else None
            if line is not None and size:
                yield line.text.partition("#")[0], size


def _free(folder: Path) -> int | None:
    """Return the free bytes where the folder is, or will be made; None if the file system does not tell."""
    for place in (folder.absolute(), *folder.absolute().parents):
        with suppress(OSError):
            usage = shutil.disk_usage(place)
            return usage.free if usage.total else None
    return None
