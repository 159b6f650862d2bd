"""What a page declares in its head: title, description, canonical URL, language, and its meta tags."""

from __future__ import annotations

from typing import Any

from toolkit.apps.scrape.auto.view import View
from toolkit.apps.scrape.text import tidy

WEB = ("http://", "https://")
NAMES = ("name", "property", "http-equiv")
"""Attributes of a meta tag that say what its content is."""


def title(view: View) -> str | None:
    """Return the text of the page's title; titles of drawings are none."""
    node = view.first(":not(svg) > title")
    return None if node is None else view.text(node) or None


def description(view: View) -> str | None:
    """Return the first description that says something: the page's own, else OpenGraph's, else Twitter's."""
    said = _named(view, ("description", "og:description", "twitter:description"))
    return next((text for text in said if text), None)


def canonical(view: View) -> str | None:
    """Return the http(s) URL that the page calls its own, absolute and without fragment."""
    for node in view.find("link[href]"):
        if "canonical" in view.get(node, "rel").lower().split():
            url = view.resolve(view.get(node, "href")).partition("#")[0]
            return url if url.startswith(WEB) else None
    return None


def language(view: View) -> str | None:
    """Return the language tag as written: of the html element, else of a meta tag (HTML, 4.2.5.3)."""
    root = view.first("html")
    if root is not None and (tag := view.get(root, "lang") or view.get(root, "xml:lang")):
        return tag
    for node in view.find("meta[http-equiv]"):
        words = view.get(node, "content").split()
        if view.get(node, "http-equiv").lower() == "content-language" and words and "," not in " ".join(words):
            return words[0]
    return None


def meta(view: View) -> dict[str, Any]:
    """Return the content of each meta tag by its name in lower case: a text, or a list where a name comes again."""
    found: dict[str, Any] = {}
    for node in view.find("meta[content]"):
        name = next((name for one in NAMES if (name := view.get(node, one).lower())), None)
        if name is None:
            continue
        content = view.budget.take(tidy(view.get(node, "content")))
        if name not in found:
            found[name] = content
        elif isinstance(found[name], list):
            found[name].append(content)
        else:
            found[name] = [found[name], content]
    return found


def _named(view: View, names: tuple[str, ...]) -> list[str]:
    """Return the first content of each name, "" for none."""
    found = dict.fromkeys(names, "")
    for node in view.find("meta[content]"):
        for one in ("name", "property"):
            name = view.get(node, one).lower()
            if name in found and not found[name]:
                found[name] = tidy(view.get(node, "content"))
    return list(found.values())
