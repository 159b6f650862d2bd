"""Folders that are watched: one signal each time something in them has changed and come to rest.

What changed is not said: whoever asks looks at everything again, and so misses nothing, whatever a signal stood for.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from glob import has_magic
from pathlib import Path
from typing import Any

from toolkit.core.errors import MissingExtra, UsageError

_TICK = 50
"""Milliseconds between looks; also how soon a stop is noticed."""
_LONGEST = 20
"""Times the quiet that ends a burst, after which one that goes on is told of all the same."""
_TEMPORARY = (".part", ".partial", ".crdownload", ".download", ".tmp", ".temp", "~")


def changes(
    sources: Sequence[str],
    *,
    exclude: Sequence[Path] = (),
    stop: threading.Event,
    debounce_ms: int = 500,
) -> Iterator[None]:
    """Start to watch, then return an iterator that yields after each burst of changes, once it was quiet for so long.

    sources: files, folders and patterns; new folders are watched, too. exclude: what the run itself writes to. Changes
    after this call are all told of, also those that come while a signal is being worked on. Hidden and temporary files
    and those that go do not count. Ends when stop is set, or by Ctrl-C. Raises MissingExtra, and UsageError for what
    cannot be watched.
    """
    scope = _scope(sources, exclude)
    for folder in scope.folders:
        if not (os.path.isdir(folder) and os.access(folder, os.R_OK)):  # the library would watch nothing, quietly
            raise UsageError(f"cannot watch {folder}: it is no folder that can be read")
    watchers = [
        _watch(sorted(folders), stop, recursive=recursive)
        for folders, recursive in ((scope.folders, True), ({os.path.dirname(file) for file in scope.files}, False))
        if folders
    ]
    try:
        first = [next(watcher) for watcher in watchers]  # they watch from here on
    except StopIteration:
        return iter(())
    except (OSError, RuntimeError) as error:
        raise UsageError(f"cannot watch {', '.join(sources)}: {error}") from error
    return _bursts(zip(*watchers, strict=False), scope, debounce_ms / 1000, pending=any(map(scope.any_of, first)))


@dataclass(frozen=True, slots=True)
class _Scope:
    """What changes count: real paths of folders with all that is in them, of files, and of what is left out."""

    folders: frozenset[str]
    files: frozenset[str]
    exclude: tuple[str, ...]

    def any_of(self, changed: set[tuple[Any, str]]) -> bool:
        """Tell whether one of these changes counts."""
        return any(change.name != "deleted" and self.has(path) for change, path in changed)

    def has(self, path: str) -> bool:
        """Tell whether a change of this file or folder counts."""
        if any(_below(path, out) is not None for out in self.exclude):
            return False
        if path in self.files:
            return True
        places = (_below(path, folder) for folder in self.folders)
        return any(place is not None and not _is_hidden(place) for place in places)


def _scope(sources: Sequence[str], exclude: Sequence[Path]) -> _Scope:
    files = {source for source in sources if os.path.isfile(source)}
    folders = {_fixed_part(source) for source in sources if source not in files}
    return _Scope(
        frozenset(map(os.path.realpath, folders)),
        frozenset(os.path.join(os.path.realpath(os.path.dirname(file)), os.path.basename(file)) for file in files),
        tuple(map(os.path.realpath, exclude)),
    )


def _fixed_part(source: str) -> str:
    while has_magic(source) and not os.path.lexists(source):
        source = os.path.dirname(source)
    return source or "."


def _below(path: str, folder: str) -> str | None:
    """Return the place of a path in a folder ("" for the folder itself), or None."""
    if path == folder:
        return ""
    start = os.path.join(folder, "")
    return path[len(start) :] if path.startswith(start) else None


def _is_hidden(place: str) -> bool:
    return place.lower().endswith(_TEMPORARY) or any(part.startswith((".", "~$")) for part in place.split(os.sep))


def _watch(folders: Sequence[str], stop: threading.Event, *, recursive: bool) -> Iterator[set[tuple[Any, str]]]:
    """Return a generator of changes that gives an empty set after each tick without one."""
    try:
        from watchfiles import watch
    except ModuleNotFoundError as error:
        raise MissingExtra("--watch needs the package 'watchfiles', which", "watch") from error
    return watch(
        *folders,
        watch_filter=None,
        debounce=_TICK,
        step=_TICK // 2,
        stop_event=stop,
        rust_timeout=_TICK,
        yield_on_timeout=True,
        recursive=recursive,
        ignore_permission_denied=True,
    )


def _bursts(
    ticks: Iterator[tuple[set[tuple[Any, str]], ...]], scope: _Scope, quiet: float, *, pending: bool
) -> Iterator[None]:
    """Yield once there was no change for so many seconds, or a burst goes on for many times that."""
    began = last = time.monotonic()
    try:
        for changed in ticks:
            now = time.monotonic()
            if any(map(scope.any_of, changed)):
                began, last, pending = began if pending else now, now, True
            if pending and (now - last >= quiet or now - began >= _LONGEST * quiet):
                pending = False
                yield
    except KeyboardInterrupt:
        return
