"""The HTML that offers a browser one picture in several sizes and formats: a `<picture>` element, ready to paste."""

from __future__ import annotations

import html
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath
from urllib.parse import quote_from_bytes

from toolkit.apps.resize.names import shown
from toolkit.apps.resize.result import Output

MODERN = ("avif", "webp", "jxl", "heic")
"""Formats that not every browser shows, in the order in which they are offered: the first one known is taken."""

FALLBACKS = ("jpeg", "png", "gif", "webp", "avif", "jxl", "heic", "tiff")
"""What `<img>` shows where nothing else is known: the first of these that was made."""


def snippet(alt: str, outputs: Sequence[Output]) -> str:
    """Return one `<picture>` of at least one output, without a line break at its end.

    The most modern format comes first, then an `<img>` that every browser shows; each with all widths, the same width
    once. Names become relative URLs (RFC 3986); width and height are those of the largest, so that nothing jumps.
    """
    made = {output.format for output in outputs}
    fallback = next((form for form in FALLBACKS if form in made), outputs[0].format)
    lines = [
        f'  <source type="image/{form}" srcset="{_srcset(outputs, form)}" sizes="100vw">'
        for form in MODERN
        if form in made and form != fallback
    ]
    largest = max(_widths(outputs, fallback), key=lambda output: output.width)
    image = (
        f'  <img src="{_url(largest.name)}" srcset="{_srcset(outputs, fallback)}" sizes="100vw"'
        f' width="{largest.width}" height="{largest.height}" alt="{html.escape(shown(alt))}" loading="lazy">'
    )
    return "\n".join(["<picture>", *lines, image, "</picture>"])


def page(rows: Iterable[tuple[str, Sequence[Output]]]) -> Iterator[str]:
    """Yield the text of a file of snippets: one for each (picture's name, its outputs), under a comment that names it.

    The words of the file name stand in for the text that describes the picture to those who cannot see it.
    """
    for name, outputs in rows:
        if outputs:
            words = PurePath(name).stem.replace("_", " ").replace("-", " ")
            yield f"<!-- {html.escape(shown(name), quote=False)} -->\n{snippet(words, outputs)}\n\n"


def _srcset(outputs: Sequence[Output], form: str) -> str:
    return ", ".join(f"{_url(output.name)} {output.width}w" for output in _widths(outputs, form))


def _widths(outputs: Sequence[Output], form: str) -> list[Output]:
    """Return the outputs of a format, the narrowest first, the same width once."""
    by_width: dict[int, Output] = {}
    for output in outputs:
        if output.format == form:
            by_width.setdefault(output.width, output)
    return [by_width[width] for width in sorted(by_width)]


def _url(name: str) -> str:
    """Return a name below the output folder as a relative URL; a comma or a space would end it within a srcset."""
    return quote_from_bytes(os.fsencode(name.replace(os.sep, "/")), safe="/")
