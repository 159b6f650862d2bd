"""What a page refers to: links with their text and relation, related documents, images."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from toolkit.apps.scrape.auto.view import View

MOST = 10_000
"""Entries of one list."""
LONGEST = 1000
"""Characters of a link's or image's text; the rest is cut."""
IDLE = ("javascript:", "data:", "blob:", "about:")
"""What leads nowhere."""
RELATED = ("type", "hreflang", "media", "sizes", "title")
"""Attributes of a link element that are told, where it has them."""
LAZY = ("data-src", "data-original", "data-lazy-src")
"""Where pages keep an image's URL until it is scrolled to."""
CANDIDATE = re.compile(r"[\s,]*+([^\s]*[^\s,])(?:,|\s++([^,()]*+(?:\([^()]*+\)[^,()]*+)*+)(?:,|\Z)|\Z)")

Problem = Callable[[str], None]


def links(view: View, problem: Problem) -> Iterator[dict[str, Any]]:
    """Yield each link as {"url", "text", "rel"}: absolute URL, text or its image's, and relations in lower case."""
    for node in _some(view.find("a[href], area[href]"), problem):
        url = view.resolve(view.document.attribute(node, "href") or "")
        if not url.lower().startswith(IDLE):
            yield {"url": view.budget.take(url), "text": _label(view, node), "rel": _relations(view, node)}


def related(view: View, problem: Problem) -> Iterator[dict[str, Any]]:
    """Yield each link element (style sheets and hints to the browser aside) as {"rel", "url", …}."""
    for node in _some(view.find("link[href]"), problem):
        relations = [rel for rel in _relations(view, node) if rel not in HINTS]
        if relations and "stylesheet" not in relations:
            url = view.budget.take(view.resolve(view.get(node, "href")))
            more = {name: value[:LONGEST] for name in RELATED if (value := view.get(node, name))}
            yield {"rel": relations, "url": url, **more}


def images(view: View, problem: Problem) -> Iterator[dict[str, Any]]:
    """Yield each image as {"url", "alt", "width", "height"}: the sizes in CSS pixels, None where it does not say.

    An image that is not loaded at once counts with the URL that it will have.
    """
    for node in _some(view.find("img"), problem):
        if source := _source(view, node):
            width, height = (_pixels(view.get(node, name)) for name in ("width", "height"))
            url = view.budget.take(view.resolve(source))
            yield {"url": url, "alt": view.get(node, "alt")[:LONGEST], "width": width, "height": height}


HINTS = frozenset({"preload", "prefetch", "preconnect", "dns-prefetch", "modulepreload", "prerender"})


def largest(srcset: str) -> str:
    """Return the URL of the widest or densest candidate of a srcset, "" for none (HTML, 4.8.4.3)."""
    best, url, at = -1.0, "", 0
    while found := CANDIDATE.match(srcset, at):
        at = found.end()
        size = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)[wx]", (found[2] or "1x").strip().partition(" ")[0])
        if size is not None and float(size[1]) > best:
            best, url = float(size[1]), found[1]
    return url


def _some(nodes: Any, problem: Problem) -> Any:
    if len(nodes) > MOST:
        problem(f"only the first {MOST:,} of {len(nodes):,} are given")
    return nodes[:MOST]


def _relations(view: View, node: Any) -> list[str]:
    return list(dict.fromkeys(view.get(node, "rel").lower().split()))


def _label(view: View, node: Any) -> str:
    """Return a link's text; without one what its image, or it itself, is called."""
    if text := view.text(node):
        return text[:LONGEST]
    image = view.first("img[alt]", node)
    said = "" if image is None else view.get(image, "alt")
    said = said or view.get(node, "alt") or view.get(node, "aria-label") or view.get(node, "title")
    return " ".join(said.split())[:LONGEST]


def _source(view: View, node: Any) -> str:
    shown = view.get(node, "src")
    if shown and not shown.lower().startswith(IDLE):
        return shown
    lazy = next((url for name in LAZY if (url := view.get(node, name))), "")
    found = lazy or largest(view.get(node, "srcset")) or largest(view.get(node, "data-srcset"))
    return "" if found.lower().startswith(IDLE) else found


def _pixels(text: str) -> int | None:
    digits = text.removesuffix("px").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 7 else None  # noqa: PLR2004
