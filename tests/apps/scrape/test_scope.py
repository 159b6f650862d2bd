"""How far a crawl goes."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.apps.scrape import scope
from toolkit.apps.scrape.scope import HostCounts, Scope, check_patterns, repeats
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


PARTS = [
    "http://",
    "https://",
    "e.org",
    "E",
    "u@",
    ":80",
    ":41385",
    ":x",
    "/",
    "a",
    ".",
    "?",
    "#",
    "[",
    "]",
    "é",
    " ",
    "\\",
    '"',
]


@given(st.sampled_from(["http://e.org", "https://e.org:8080/a", ""]), st.lists(st.sampled_from(PARTS), max_size=6))
def test_host_and_path_when_anything(start: str, parts: list[str]) -> None:
    """The short way gives what the standard library gives."""
    url = start + "".join(parts)
    try:
        expected = urlsplit(url).hostname or "", urlsplit(url).path
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            scope.host_and_path(url)
    else:
        assert scope.host_and_path(url) == expected


@given(st.lists(st.sampled_from("abc"), max_size=16))
def test_repeats_when_anything(pieces: list[str]) -> None:
    """What is seen at a glance is what looking at each piece tells."""
    runs = any(scope._longest_run(pieces, width) > scope.MOST_REPEATS for width in (1, 2, 3))
    assert repeats("/" + "/".join(pieces)) is runs


@pytest.mark.parametrize(
    ("url", "home", "reason"),
    [
        ("http://e.org/a", "e.org", ""),
        ("http://E.org:81", "e.org", ""),
        ("http://www.e.org/a", "e.org", scope.OUT_OF_SCOPE),
        ("http://www.e.org/a/a/a/a", "e.org", scope.REPEATS),
        ("http://www.e.org/a", "", ""),
    ],
)
def test_scope_when_there_is_a_home(url: str, home: str, reason: str) -> None:
    """Without domains a crawl stays on the host it began on; with domains these decide."""
    assert Scope().refusal(url, home=home) == reason
    assert Scope(frozenset({"e.org"})).refusal("http://www.e.org/a", home=home) == ""
