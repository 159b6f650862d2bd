"""OpenGraph (ogp.me) and Twitter cards, from meta tags that name them in `property` or in `name`, as pages do both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from toolkit.apps.scrape.auto.view import View
from toolkit.apps.scrape.text import tidy

SPACES = frozenset({"og", "article", "book", "profile", "music", "video", "product", "fb", "al"})
"""Namespaces of OpenGraph; og's own properties go by their name alone, `og:title` as "title"."""
MEDIA = frozenset({"image", "video", "audio"})
"""Properties that are lists of objects: `og:image:width` belongs to the `og:image` before it."""
REPEATED = """
    locale:alternate see_also restrictions:country:allowed restrictions:country:disallowed article:author article:tag
    book:author book:tag video:actor video:director video:writer video:tag music:album music:musician music:song
"""
LISTS = frozenset(REPEATED.split())
"""Properties that are lists; of all others the first one counts."""
URLS = frozenset({"url", "secure_url", "image", "image:src", "player", "player:stream"})


def opengraph(view: View) -> dict[str, Any]:
    """Return the OpenGraph properties by name."""
    found: dict[str, Any] = {}
    for name, content in _properties(view):
        space, _, rest = name.partition(":")
        if space not in SPACES or not rest:
            continue
        key = rest if space == "og" else name
        medium, _, detail = key.partition(":")
        if space == "og" and medium in MEDIA:
            _add_medium(found.setdefault(medium, []), detail or "url", _resolved(view, detail or "url", content))
        elif key in LISTS:
            found.setdefault(key, []).append(content)
        else:
            found.setdefault(key, _resolved(view, key, content))
    return found


def twitter(view: View) -> dict[str, str]:
    """Return the properties of the Twitter card by name: `twitter:card` as "card"."""
    found: dict[str, str] = {}
    for name, content in _properties(view):
        space, _, key = name.partition(":")
        if space == "twitter" and key:
            found.setdefault(key, _resolved(view, key, content))
    return found


def _properties(view: View) -> Iterator[tuple[str, str]]:
    """Yield names in lower case and contents that say something."""
    for node in view.find("meta[content]"):
        named = view.get(node, "property") or view.get(node, "name")
        content = tidy(view.get(node, "content"))
        if content and ":" in named:
            for name in named.lower().split():
                yield name, view.budget.take(content)


def _add_medium(media: list[dict[str, str]], detail: str, content: str) -> None:
    last = media[-1] if media else None
    if last is None or (detail == "url" and last.get("url", content) != content):
        media.append({detail: content})
    else:
        last.setdefault(detail, content)


def _resolved(view: View, key: str, content: str) -> str:
    return view.resolve(content) if key in URLS else content
