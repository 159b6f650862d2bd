"""Links: what a page's references are relative to, and those that lead on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.apps.scrape.urls import base_of, resolve

SAFE = re.compile(r"[A-Za-z0-9_.~:@!$&'()*+,;=/?%-]*").fullmatch
"""Tells which fragments stay as they are written."""
WHOLE = re.compile(r"[A-Za-z0-9_.~:@!$&'()*+,;=/?%#-]*").fullmatch
"""Tells which references have such fragments only, and nothing at their ends that is stripped."""
UNENDORSED = frozenset({"nofollow", "ugc", "sponsored"})
"""What a link's rel says if the page does not vouch for it."""

Carry = tuple[tuple[str, Any], ...]
"""A row so far, as pairs of column and value."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link that a rule leads along.

    url: absolute, as browsers resolve it, without its fragment. rule: the rule's name. page: the type that it is to be
    read as, or None for what its URL says. nofollow: whether the page does not vouch for it. carry: the listing's row,
    which the linked page's row completes, or None. record: that row's place among all records of the page, or -1.
    """

    url: str
    rule: str
    page: str | None = None
    nofollow: bool = False
    pagination: bool = False
    carry: Carry | None = None
    record: int = -1


class References:
    """Makes a page's references absolute; each is worked out once, whatever fragments it is written with."""

    def __init__(self, url: str, href: str | None, encoding: str) -> None:
        self._encoding = encoding
        self._base = url if href is None else base_of(url, href, encoding)
        self._known: dict[str, str] = {}

    def resolve(self, reference: str) -> str:
        """Return a reference as an absolute URL, as `urls.resolve` does."""
        head, sign, fragment = reference.partition("#")
        if not sign:
            return self._known.get(head) or self.bare(head)
        if not SAFE(fragment) or (head and head[-1] <= " "):
            return resolve(self._base, reference, self._encoding)
        return f"{self._known.get(head) or self.bare(head)}#{fragment}"

    def all(self, references: Sequence[str]) -> list[str]:
        """Return each as `resolve` does; a page's many links take half as long as one by one."""
        if not WHOLE("".join(references)):
            return [self.resolve(reference) for reference in references]
        known, bare = self._known.get, self.bare
        parts = [reference.partition("#") for reference in references]
        return [f"{known(head) or bare(head)}{sign}{fragment}" for head, sign, fragment in parts]

    def bare(self, reference: str) -> str:
        """Return a reference that has no fragment as an absolute URL."""
        known = self._known.get(reference)
        if known is None:
            known = self._known[reference] = resolve(self._base, reference, self._encoding)
        return known
