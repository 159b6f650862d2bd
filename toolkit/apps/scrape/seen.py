"""Which URLs a run has met: eight bytes for each, so that millions fit."""

from __future__ import annotations

import hashlib
from array import array


class Seen:
    """A set of texts that remembers only their 64-bit hashes: two of a million are mixed up once in 37 million runs."""

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * 1024))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, text: str) -> bool:
        """Add the text; return whether it is new."""
        code = int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()) or 1
        slot = self._find(code)
        if self._slots[slot]:
            return False
        self._slots[slot] = code
        self._count += 1
        if self._count * 3 > len(self._slots) * 2:
            self._grow()
        return True

    def _find(self, code: int) -> int:
        """Return the slot that holds the code, or the free one where it belongs."""
        slots, mask = self._slots, len(self._slots) - 1
        slot = code & mask
        while slots[slot] and slots[slot] != code:
            slot = (slot + 1) & mask
        return slot

    def _grow(self) -> None:
        old, self._slots = self._slots, array("Q", bytes(8 * 2 * len(self._slots)))
        for code in old:
            if code:
                self._slots[self._find(code)] = code
