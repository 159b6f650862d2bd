"""The main text of a page, without navigation and notices, as trafilatura finds it."""

from __future__ import annotations

import logging

from toolkit.apps.scrape.auto.view import Spent, View

LARGEST = 2_000_000
"""Characters of a page whose main text is looked for: trafilatura takes seconds for more."""


def main_text(view: View) -> str | None:
    """Return the main text, its paragraphs on lines of their own; None where there is none."""
    if len(view.html) > LARGEST:
        raise Spent(f"the page is larger than {LARGEST:,} characters: its main text was not looked for")
    # What it has to say of odd pages goes to those who listen to its log, not to the terminal.
    logging.getLogger("trafilatura").addHandler(_SILENT)
    import trafilatura

    try:
        text = trafilatura.extract(view.html, url=view.url, include_comments=False, include_tables=True)
    except (ValueError, RecursionError, AttributeError, TypeError) as error:
        raise Spent(f"trafilatura cannot read the page: {type(error).__name__}") from error
    return text or None


_SILENT = logging.NullHandler()
