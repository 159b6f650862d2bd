"""How the tests read one part of a page, under each parser."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.apps.scrape.auto import read_auto

URL = "http://h.org/d/page"
every_parser = pytest.mark.parametrize("parser", ["lexbor", "lxml", "bs4"])


def part(name: str, html: str, parser: str = "lexbor", url: str = URL) -> Any:
    """Return one part, which must be without problems."""
    auto = read_auto(html, url, [name], parser=parser)
    assert auto.problems == ()
    return auto.values[name]


def head(inside: str) -> str:
    """Return a whole page with this in its head."""
    return f"<!doctype html><html><head><title>T</title>{inside}</head><body><p>x</p></body></html>"
