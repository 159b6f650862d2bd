"""A set that fits a million lines."""

from __future__ import annotations

import pytest

from toolkit.core.lists import Seen


def test_seen_tells_new_from_old_when_there_are_many() -> None:
    """100,000 texts: none is taken for another while the table grows, and all are known afterwards."""
    seen = Seen()
    assert all(seen.add(f"http://h/{n}") for n in range(100_000))
    assert not any(seen.add(f"http://h/{n}") for n in range(0, 100_000, 7))
    assert seen.add("http://h/100000")
    assert 16 * 100_001 <= len(seen._slots) * 8 <= 32 * 100_001


@pytest.mark.parametrize("text", ["", "\0", "\ud800", "日" * 10_000])
def test_seen_takes_any_text(text: str) -> None:
    """Empty, long, and what is no UTF-8."""
    seen = Seen()
    assert (seen.add(text), seen.add(text), seen.add(text + " ")) == (True, False, True)


def test_seen_knows_a_text_when_its_hash_is_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    """Zero marks an empty slot, so a hash of zero is stored as another number."""

    class Zero:
        def __init__(self, *_: object, **__: object) -> None:
            pass

        def digest(self) -> bytes:
            return bytes(8)

    monkeypatch.setattr("toolkit.core.lists.seen.blake2b", Zero)
    seen = Seen()
    assert (seen.add("a"), seen.add("a")) == (True, False)
