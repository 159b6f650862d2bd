"""What a page says of itself to crawlers: its base, its canonical URL, and whether it wants to be kept or followed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from toolkit.apps.scrape.parsers import Document

SELECTOR = "base, link, meta"
WORDS = frozenset({"noindex", "nofollow", "none"})


@dataclass(frozen=True, slots=True)
class PageHead:
    """base, canonical: the first such reference as written, or None. robots: which of the three words it says."""

    base: str | None
    canonical: str | None
    robots: frozenset[str]


def read_head(document: Document, selector: Any, agent: str) -> PageHead:
    """Return what a page says; selector: SELECTOR, compiled. agent: our token, which a meta tag may name."""
    base: str | None = None
    canonical: str | None = None
    robots: set[str] = set()
    for node in document.find(selector):
        tag = document.tag(node)
        if tag == "base":
            base = document.attribute(node, "href") if base is None else base
        elif tag == "link":
            if canonical is None and "canonical" in (document.attribute(node, "rel") or "").lower().split():
                canonical = document.attribute(node, "href")
        elif (document.attribute(node, "name") or "").strip().lower() in ("robots", agent):
            robots.update((document.attribute(node, "content") or "").lower().replace(",", " ").split())
    return PageHead(base, canonical, frozenset(robots & WORDS))
