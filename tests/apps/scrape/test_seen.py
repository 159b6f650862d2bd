"""What a run has met is remembered in eight bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from toolkit.apps.scrape.seen import Seen


@given(st.lists(st.text(max_size=3), max_size=200))
def test_seen_when_compared_with_a_set(texts: list[str]) -> None:
    """It answers as a set would."""
    seen, known = Seen(), set[str]()
    for text in texts:
        assert seen.add(text) is (text not in known)
        known.add(text)
    assert len(seen) == len(known)


def test_seen_when_it_grows() -> None:
    """Growing forgets nothing, and takes no more than 24 bytes for each text."""
    seen = Seen()
    assert all(seen.add(f"http://h/{number}") for number in range(20_000))
    assert not any(seen.add(f"http://h/{number}") for number in range(20_000))
    assert seen._slots.itemsize * len(seen._slots) <= 24 * 20_000
