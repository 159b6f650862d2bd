"""Which file gets which name, so that the outcome is the same in every run, under every model, in any order.

Names from the plan (a user's, a template's, a URL's) come first, in the order of the list. A name that a server gives
is known only when its file has come; it goes to the first in the list of those that ask for it, whichever came first:
a file that has it already moves to its marked name then. All of it is in the store before a file is moved.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from toolkit import storage
from toolkit.apps.download import names
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.job import Memory
from toolkit.core.urls import wire_url

FOLDER = "/"
"""Who owns the name of a folder, in the store."""
LONGEST = 4096
"""Characters of a path, more than which no system takes; each folder on the way is claimed, so that it would cost."""
MOST_FOLDERS = 10_000
"""Folders that are remembered to be ours without asking the store."""


@dataclass(frozen=True, slots=True)
class Suggested:
    """Who owns a name that a server gave: a task of a plan, at its place there. name: as it is spelled on the disk."""

    key: str
    index: int
    plan: str
    name: str

    @property
    def owner(self) -> str:
        """The text that the store keeps; owners of planned names are URLs, and begin otherwise."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, owner: str) -> Suggested | None:
        """Return what such a text says, or None if it is another sort of owner."""
        return cls(**json.loads(owner)) if owner.startswith("{") else None


class Naming:
    """Gives names in one folder, and keeps account of them in the store. Safe to use from several threads."""

    def __init__(self, folder: Path, *, overwrite: bool) -> None:
        """overwrite: whether a name that a server gives may replace a file that is not ours."""
        self.folder = folder
        self.moved: dict[tuple[str, int], str] = {}
        self.live = False
        self._overwrite = overwrite
        self._lock = threading.Lock()
        self._folders: set[str] = set()
        self._late: dict[str, str] = {}

    def planned(self, name: str, key: str, url: str, memory: Memory) -> str:
        """Return the path that a task has in this folder for ever: the one given, or that with a mark of its URL.

        A server's suggestion of the same plan gives way. Raises TaskError name, disk, or input.
        """
        with self._lock:
            if "/" in name:
                if len(name) > LONGEST:
                    raise TaskError(FailureKind.NAME, f"its path would be {len(name):,} characters long")
                name = self._in_folders(name, memory)
            for candidate in _candidates(name, url):
                if self._take(candidate, key, url, memory):
                    return candidate
        raise TaskError(FailureKind.NAME, f"no free name for {url}")

    def other(self, name: str, key: str, url: str, memory: Memory) -> str:
        """Return a path for a file whose planned name somebody else's file has."""
        return self.planned(names.distinct(name, url), key, url, memory)

    def suggested(self, name: str, key: str, index: int, plan: str, memory: Memory) -> str:
        """Return the path for a file that its server called name, once the way is free for it.

        Raises TaskError name or disk if a file that has it by now cannot be moved.
        """
        with self._lock:
            self._settle_late(memory)
            for candidate in _candidates(name, wire_url(key)):
                if self._may_have(Suggested(key, index, plan, candidate), memory):
                    self._commit(memory)
                    return candidate
        raise TaskError(FailureKind.NAME, f"no free name for {key}")

    def kept(self, name: str, key: str, memory: Memory) -> str:
        """Return the path of a file that got a server's name earlier: this one, or the marked one if it had to move."""
        owner = memory.claimed(names.folded(name))
        if owner is None or owner == key or _key(owner) == key:
            return name
        return self._marked(name, key, memory)

    def finish(self, memory: Memory) -> None:
        """Note in the store the moves of files that were not in it yet."""
        with self._lock:
            self._settle_late(memory)

    def _in_folders(self, name: str, memory: Memory) -> str:
        *folders, last = name.split("/")
        path = ""
        for folder in folders:
            path = self._folder(path + folder, memory) + "/"
        return path + last

    def _folder(self, path: str, memory: Memory) -> str:
        if path in self._folders:
            return path
        for candidate in _candidates(path, path):
            if self._take(candidate, FOLDER, "", memory):
                if candidate == path:
                    self._folders = self._folders if len(self._folders) < MOST_FOLDERS else set()
                    self._folders.add(path)
                return candidate
        raise TaskError(FailureKind.NAME, f"no free name for the folder {path!r}")

    def _take(self, name: str, key: str, url: str, memory: Memory) -> bool:
        """Reserve a name for the plan; tell whether it is the task's, or the folder's, now."""
        folded = names.folded(name)
        owner = memory.claim(folded, key)
        if owner == key:
            return True
        other = Suggested.read(owner)
        if other is None:
            return bool(url) and _is_same(owner, url)
        if other.key != key and other.plan != memory.plan:
            return False  # it has had its name since an earlier run
        memory.disown(folded, key)
        if other.key != key:
            self._move(other, memory)
        return True

    def _may_have(self, wish: Suggested, memory: Memory) -> bool:
        """Reserve a name for a suggestion, if it may have it."""
        folded = names.folded(wish.name)
        owner = memory.claimed(folded)
        if owner is None:
            if not self._overwrite and os.path.lexists(self.folder / wish.name):
                return False
            memory.claim(folded, wish.owner)
            return True
        other = Suggested.read(owner)
        if other is None:
            return owner == wish.key
        if other.key != wish.key and (other.plan != wish.plan or other.index <= wish.index):
            return False
        memory.disown(folded, wish.owner)
        if other.key != wish.key:
            self._move(other, memory)
        return True

    def _move(self, other: Suggested, memory: Memory) -> None:
        """Move the file of a task that lost its name to its marked one."""
        name = self._marked(other.name, other.key, memory)
        memory.claim(names.folded(name), Suggested(other.key, other.index, other.plan, name).owner)
        self.moved[other.key, other.index] = self._late[other.key] = name
        self._settle_late(memory)
        self._commit(memory)
        if self.live:
            # If it was removed, or never came this far, the next run sees to it.
            with storage.naming_errors(self.folder / name), suppress(FileNotFoundError):
                os.replace(self.folder / other.name, self.folder / name)

    def _commit(self, memory: Memory) -> None:
        """Have the store keep who owns what before a file is moved; a preview moves none, and keeps nothing."""
        if self.live:
            memory.commit()

    def _marked(self, name: str, key: str, memory: Memory) -> str:
        """Return the first name with a mark that is the task's, or free."""
        for candidate in list(_candidates(name, wire_url(key)))[1:]:
            owner = memory.claimed(names.folded(candidate))
            if owner is None:
                if self._overwrite or not os.path.lexists(self.folder / candidate):
                    return candidate
            elif _key(owner) == key:
                return candidate
        raise TaskError(FailureKind.NAME, f"no free name for {key}")

    def _settle_late(self, memory: Memory) -> None:
        """Correct what the store keeps of files that moved before it had them."""
        for key, name in list(self._late.items()):
            known = memory.recall(key)
            if known is not None and "name" in known.value:
                memory.amend(key, {**known.value, "name": name})
                del self._late[key]


def _candidates(name: str, url: str) -> Iterator[str]:
    yield name
    yield names.distinct(name, url)
    yield names.distinct(name, url, 16)


def _key(owner: str) -> str:
    other = Suggested.read(owner)
    return other.key if other else owner


def _is_same(key: str, url: str) -> bool:
    """Tell whether a key is another spelling of a URL."""
    try:
        return wire_url(key) == url
    except TaskError:
        return False
