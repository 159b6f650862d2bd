"""How far a crawl goes: which links are followed, and a reason for each that is not."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from toolkit.core.errors import UsageError

LONGEST = 2083
"""Characters of a URL; longer ones come from pages that make up links."""
MOST_REPEATS = 3
"""Times that one piece of a path, or a row of them, may follow itself: /a/b/a/b/a/b/ is a trap."""
MOST_PIECES = 40
"""Pieces of a path."""

_PLAIN = re.compile(r"https?://([a-z0-9][a-z0-9.-]*)(?::[0-9]*)?(/[\x21\x22\x24-\x3e\x40-\x7e]*)?(?=[?#]|\Z)")
"""URLs that need no taking apart with care, as nearly all are; the host and the path in them."""

NO_URL = "not a URL"
OUT_OF_SCOPE = "out of scope"
DENIED = "denied by a rule"
NOT_ALLOWED = "allowed by no rule"
TOO_DEEP = "deeper than --max-depth"
TOO_LONG = "the URL is too long"
REPEATS = "the path repeats itself"
TOO_MANY = "more pages of this host than --max-per-host"


@dataclass(frozen=True, slots=True)
class Scope:
    """The limits of a crawl; small and picklable.

    domains: hosts that may be visited, each with all below it (`example.org` has `www.example.org`). allow: patterns of
    which a URL must match one, if there are any; deny: patterns of which it must match none. max_depth: links from a
    start page, at most.
    """

    domains: frozenset[str] = frozenset()
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    max_depth: int | None = None

    def refusal(self, url: str, depth: int = 0, home: str = "") -> str:
        """Return why a URL is not visited, or nothing; for links, and for each hop of a redirect.

        home: the one host that may be visited where there are no domains, or "" for any.
        """
        if len(url) > LONGEST:
            return TOO_LONG
        if self.max_depth is not None and depth > self.max_depth:
            return TOO_DEEP
        host, path = host_and_path(url)
        if self.domains and not self.holds(host):
            return OUT_OF_SCOPE
        if any(re.search(pattern, url) for pattern in self.deny):
            return DENIED
        if self.allow and not any(re.search(pattern, url) for pattern in self.allow):
            return NOT_ALLOWED
        strays = OUT_OF_SCOPE if home and not self.domains and host != home else ""
        return REPEATS if repeats(path) else strays

    def holds(self, host: str) -> bool:
        """Tell whether a host is one of the domains, or below one: never by a part of a name."""
        host = host.lower().rstrip(".")
        while host:
            if host in self.domains:
                return True
            host = host.partition(".")[2]
        return False


def host_and_path(url: str) -> tuple[str, str]:
    """Return the host, in small letters, "" if there is none, and the path; raises ValueError for what is no URL."""
    if plain := _PLAIN.match(url):
        return plain[1], plain[2] or ""
    parts = urlsplit(url)
    return parts.hostname or "", parts.path


@dataclass(slots=True)
class HostCounts:
    """How many pages of each host a crawl has taken; kept by the conductor alone."""

    most: int | None
    counts: Counter[str] = field(default_factory=Counter)

    def has_room(self, host: str) -> bool:
        """Tell whether another page of a host may be taken."""
        return self.most is None or self.counts[host] < self.most

    def take(self, host: str) -> None:
        """Count another page of a host."""
        if self.most is not None:
            self.counts[host] += 1


def check_patterns(name: str, patterns: tuple[str, ...]) -> None:
    """Raise UsageError for a pattern that is no regular expression."""
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise UsageError(f"--{name} {pattern!r}: this is no regular expression: {error}") from error


def repeats(path: str) -> bool:
    """Tell whether a path looks endless: very many pieces, or one to three that follow themselves again and again."""
    pieces = [piece for piece in path.split("/") if piece]
    if len(pieces) > MOST_PIECES:
        return True
    if len(pieces) - len(set(pieces)) < MOST_REPEATS:  # a run has the same piece once more often than that
        return False
    return any(_longest_run(pieces, width) > MOST_REPEATS for width in (1, 2, 3))


def _longest_run(pieces: list[str], width: int) -> int:
    longest = 0
    for start in range(len(pieces)):
        run, at = 1, start + width
        while pieces[at : at + width] == pieces[start : start + width] and at + width <= len(pieces):
            run, at = run + 1, at + width
        longest = max(longest, run)
    return longest
