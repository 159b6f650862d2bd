"""What a task of a crawl goes to see, and how the frontier keeps it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from toolkit.apps.scrape.keys import key_of
from toolkit.apps.scrape.rules import Link
from toolkit.core.lists import Columns


@dataclass(frozen=True, slots=True)
class Visit:
    """One page to see.

    url: as it goes on the wire; name: as the user wrote it, if that is not the same. depth: links from a start page;
    home: the host of that.
    page: the type that it is read as, or None for what its URL says. carry: a listing's row, which it completes.
    columns: what the user's list says besides the URL. rule: the follow rule that led here. kind: what stands there.
    public: whether it must be at a public address, since the page that names it is.
    """

    url: str
    depth: int = 0
    home: str = ""
    page: str | None = None
    carry: tuple[tuple[str, Any], ...] | None = None
    columns: Columns = ()
    rule: str = ""
    kind: str = "page"
    name: str = ""
    public: bool = False

    @property
    def key(self) -> str:
        """What tells it from other visits: its page, and the row of a listing that it completes."""
        key = key_of(self.url)
        if self.carry is None:
            return key
        row = json.dumps(self.carry, default=str).encode()
        return f"{key} {blake2b(row, digest_size=8).hexdigest()}"

    def along(self, link: Link, *, public: bool = False) -> Visit:
        """Return the visit that a link of this page leads to; pagination is no deeper."""
        depth = self.depth + (not link.pagination)
        columns = self.columns
        return Visit(link.url, depth, self.home, link.page, link.carry, columns, link.rule, public=public)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, without what is usual."""
        facts: dict[str, Any] = {"url": self.url}
        for name in ("depth", "home", "page", "rule", "name", "public"):
            if value := getattr(self, name):
                facts[name] = value
        if self.kind != "page":
            facts["kind"] = self.kind
        if self.carry is not None:
            facts["carry"] = [list(pair) for pair in self.carry]
        if self.columns:
            facts["columns"] = [list(pair) for pair in self.columns]
        return facts


def visit_of(facts: dict[str, Any]) -> Visit:
    """Return what to_json gave."""
    carry, columns = facts.get("carry"), facts.get("columns", ())
    told = {**facts, "columns": tuple((name, value) for name, value in columns)}
    if carry is not None:
        told["carry"] = tuple((name, value) for name, value in carry)
    return Visit(**told)
