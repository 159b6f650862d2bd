"""Pictures before and after, as HTML: one over the other, with what became of size, bytes and quality below."""

from __future__ import annotations

import html
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.reporting.words import plural, shown, size

LONGEST = 400
"""Characters of a name or message that are shown; what is longer is cut in its middle."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A pair as the page shows it. before, after: JPEGs, or why there is none.

    facts, each of which may be missing: before_width, before_height, width, height (pixels), before_bytes, bytes,
    before_format, format, files (how many were made of it), quality, ssim, decode, process, encode (seconds), warnings.
    """

    name: str
    before: bytes | str
    after: bytes | str
    facts: Mapping[str, Any]


def text(words: str) -> str:
    """Return text from outside as HTML: redacted, escaped, of bearable length, with nothing that cannot be seen."""
    words = shown(words)
    if len(words) > LONGEST:
        words = f"{words[: LONGEST // 2]}…{words[-LONGEST // 2 :]}"
    return html.escape(words)


def figures(pairs: Sequence[Shown], pictures: int) -> Iterator[str]:
    """Yield the section of pictures; pictures: results that pairs are some of."""
    if not pairs:
        return
    some = f"<p>{len(pairs):,} of {plural(pictures, 'result')}, spread over the run.</p>\n"
    yield "<section>\n<h2>Before and after</h2>\n" + (some if len(pairs) < pictures else "")
    yield '<p class="plainly">Point at a picture, or tick its box, to see it as it was before.</p>\n'
    yield '<div class="gallery">\n'
    for pair in pairs:
        yield f'<figure class="pair">\n<div class="stack">\n{_picture(pair.before, "before")}'
        yield f'{_picture(pair.after, "after")}</div>\n<label class="flip"><input type="checkbox"> before</label>\n'
        yield f"<figcaption>\n<strong>{text(pair.name)}</strong>\n{_caption(pair.facts)}</figcaption>\n</figure>\n"
    yield "</div>\n</section>\n"


def _picture(data: bytes | str, which: str) -> str:
    if isinstance(data, str):
        return f'<p class="{which} none">{text(f"{which}: {data}")}</p>\n'
    return f'<img class="{which}" alt="{which}" src="data:image/jpeg;base64,{b64encode(data).decode()}">\n'


def _caption(facts: Mapping[str, Any]) -> str:
    sizes = f"{_one(facts, 'before_')} → {_one(facts)}{_saved(facts)}"
    lines = [sizes, " · ".join(_how(facts))]
    said = "".join(f'<span class="fact">{text(line)}</span>\n' for line in lines if line)
    return said + "".join(f'<span class="warning">{text(str(each))}</span>\n' for each in facts.get("warnings", ()))


def _how(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is known of how a picture was made, in a few words each."""
    if facts.get("quality") is not None:
        yield f"quality {facts['quality']}"
    if facts.get("ssim") is not None:
        yield f"SSIM {facts['ssim']:.4f}"
    for part in ("decode", "process", "encode"):
        if facts.get(part) is not None:
            yield f"{part} {facts[part] * 1000:,.0f} ms"
    if facts.get("files", 1) > 1:
        yield f"one of {facts['files']:,} files"


def _one(facts: Mapping[str, Any], when: str = "") -> str:
    """Return size, bytes and format of one side, as far as they are known."""
    wide, high, volume = (facts.get(when + name) for name in ("width", "height", "bytes"))
    parts = [f"{wide} × {high}"] if wide and high else []
    parts += [size(volume)] if volume is not None else []
    parts += [str(facts[f"{when}format"])] if facts.get(f"{when}format") else []
    return ", ".join(parts) or "?"


def _saved(facts: Mapping[str, Any]) -> str:
    before, after = facts.get("before_bytes"), facts.get("bytes")
    if not before or after is None:
        return ""
    share = 1 - after / before
    return f" ({share:.0%} saved)" if share >= 0 else f" ({-share:.0%} more)"
