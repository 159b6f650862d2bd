"""How far a crawl goes."""

from __future__ import annotations

import pytest

from toolkit.apps.scrape import scope
from toolkit.apps.scrape.scope import HostCounts, Scope, check_patterns
from toolkit.core.errors import UsageError


@pytest.mark.parametrize(
    ("host", "within"),
    [
        ("example.org", True),
        ("www.example.org", True),
        ("EXAMPLE.org.", True),
        ("notexample.org", False),
        ("example.org.evil.com", False),
        ("org", False),
        ("", False),
    ],
)
def test_domains_hold_hosts_and_all_below_them(host: str, within: bool) -> None:
    """Names are compared piece by piece, never by how they end."""
    assert Scope(frozenset({"example.org"})).holds(host) is within


@pytest.mark.parametrize(
    ("url", "depth", "reason"),
    [
        ("http://e.org/book/1", 1, ""),
        ("http://other.org/book/1", 1, scope.OUT_OF_SCOPE),
        ("http://e.org/book/login", 1, scope.DENIED),
        ("http://e.org/about", 1, scope.NOT_ALLOWED),
        ("http://e.org/book/1", 3, scope.TOO_DEEP),
        ("http://e.org/book/" + "x" * 3000, 1, scope.TOO_LONG),
        ("http://e.org/book/a/b/a/b/a/b/a/b/", 1, scope.REPEATS),
    ],
)
def test_scope_tells_why_not(url: str, depth: int, reason: str) -> None:
    """Each URL that is not visited has its reason."""
    limits = Scope(frozenset({"e.org"}), allow=("/book/",), deny=("login$",), max_depth=2)
    assert limits.refusal(url, depth) == reason


@pytest.mark.parametrize(
    ("path", "endless"),
    [
        ("/a/a/a", False),
        ("/a/a/a/a", True),
        ("/x/a/b/a/b/a/b/a/b/y", True),
        ("/a/b/a/b/a/b", False),
        ("/a/b/c" * 4, True),
        ("/2024/01/01/01-01", False),
        ("/" + "/".join(map(str, range(41))), True),
        ("/" + "/".join(map(str, range(40))), False),
        ("", False),
    ],
)
def test_paths_that_repeat_themselves(path: str, endless: bool) -> None:
    """More than three times the same in a row, or very many pieces, is a trap."""
    assert scope.repeats(path) is endless


def test_pages_of_a_host_are_counted() -> None:
    """A host has so many pages, and others have theirs."""
    counts = HostCounts(2)
    room = []
    for host in ("a", "a", "b", "a"):
        room.append(counts.has_room(host))
        counts.take(host)
    assert room == [True, True, True, False]
    endless = HostCounts(None)
    endless.take("a")
    assert endless.has_room("a")
    assert not endless.counts


def test_pattern_when_wrong() -> None:
    """A pattern that is none is refused before anything is fetched."""
    with pytest.raises(UsageError, match=r"--deny '\(': this is no regular expression"):
        check_patterns("deny", ("(",))
