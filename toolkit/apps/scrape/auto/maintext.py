"""The main text of a page, without navigation and notices, as trafilatura finds it."""

from __future__ import annotations

import logging
import re

from toolkit.apps.scrape.auto.view import Spent, View

LARGEST = 2_000_000
"""Characters of a page whose main text is looked for."""
MOST_TAGS, MOST_TABLES = 60_000, 1000
"""Tags and tables of such a page: trafilatura's time grows with their square, to seconds for so many."""


def main_text(view: View) -> str | None:
    """Return the main text, its paragraphs on lines of their own; None where there is none."""
    if (wrong := _too_much(view.html)) is not None:
        raise Spent(f"the page has more than {wrong}: its main text was not looked for")
    # What it has to say of odd pages goes to those who listen to its log, not to the terminal.
    logging.getLogger("trafilatura").addHandler(_SILENT)
    import trafilatura

    try:
        text = trafilatura.extract(view.html, url=view.url, include_comments=False, include_tables=True)
    except (ValueError, RecursionError, AttributeError, TypeError) as error:
        raise Spent(f"trafilatura cannot read the page: {type(error).__name__}") from error
    return text or None


def _too_much(html: str) -> str | None:
    """Return what the page has too much of, or None."""
    if len(html) > LARGEST:
        return f"{LARGEST:,} characters"
    if html.count("<") > MOST_TAGS:
        return f"{MOST_TAGS:,} tags"
    return f"{MOST_TABLES:,} tables" if len(_TABLE.findall(html)) > MOST_TABLES else None


_TABLE = re.compile("<table", re.IGNORECASE)
_SILENT = logging.NullHandler()
