"""Whether a file is what it was: by its content, where size and time alone cannot tell."""

from __future__ import annotations

from typing import IO

import xxhash

_BLOCK = 1 << 20


def content_hash(file: IO[bytes]) -> str:
    """Return the XXH3 hash (128 bits, as hexadecimal) of a file from its position on; it keeps no secrets.

    Reads 1 MiB at a time, and raises OSError.
    """
    state = xxhash.xxh3_128()
    block = memoryview(bytearray(_BLOCK))
    while size := file.readinto(block):  # type: ignore[attr-defined]  # IO does not tell
        state.update(block[:size])
    return state.hexdigest()
