"""One thread looks at all, and only as long as there is something to look at."""

from __future__ import annotations

import threading

from toolkit.clients._watch import Watch

PATIENCE = 5.0


class Looked:
    """Notes that it was looked at."""

    def __init__(self) -> None:
        self.seen = threading.Event()
        self.threads: set[threading.Thread] = set()

    def look(self, _: float) -> None:
        """Note it."""
        self.threads.add(threading.current_thread())
        self.seen.set()


def watchers() -> list[threading.Thread]:
    """Return the threads that look."""
    return [each for each in threading.enumerate() if each.name == "toolkit-watch"]


def test_all_are_looked_at_by_one_thread_that_ends_with_the_last() -> None:
    """And that begins again when something new comes."""
    watch, before = Watch(), watchers()
    for _ in range(2):
        one, two = Looked(), Looked()
        watch.add(one)
        watch.add(two)
        assert one.seen.wait(PATIENCE)
        assert two.seen.wait(PATIENCE)
        assert len(one.threads | two.threads) == 1
        watch.remove(one)
        two.seen.clear()
        assert two.seen.wait(PATIENCE)
        watch.remove(two)
        assert watchers() == before


def test_what_is_not_there_can_be_removed() -> None:
    """Closing twice does no harm."""
    watch, one = Watch(), Looked()
    watch.remove(one)
    watch.add(one)
    watch.remove(one)
    watch.remove(one)
