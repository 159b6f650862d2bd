"""Whether a tool has the rows of all pages, and in which of them they are not what is in the page."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from pathlib import Path

from _scrape_pages import Row, Rows, came, without_code
from _scrapers import rows_of
from _tools import Tool

FEW = 0.01
"""Part of the pages in which a parser may differ from the reference: those are counted and told."""
NAMED = 3


@dataclass(slots=True)
class Judge:
    """Looks at the rows of each tool. whole: whether rows have all fields. odd: what was found to differ, by tool."""

    wanted: Rows
    whole: bool = True
    odd: dict[str, str] = field(default_factory=dict)

    def __call__(self, tool: Tool, out: Path, thoroughly: bool) -> str:  # noqa: FBT001 - a race tells it so
        """Return what is wrong: the number of rows each time, every field of them if it is thorough."""
        file = rows_of(out)
        if not file.exists():
            return "no rows, though it said that all is well"
        if not thoroughly:
            with file.open("rb") as lines:
                count = sum(1 for _ in lines)
            return "" if count == len(self.wanted) else f"{count:,} of {len(self.wanted):,} rows"
        return self._rows(tool, file)

    def _rows(self, tool: Tool, file: Path) -> str:
        rows = list(came(file))
        urls = Counter(url for url, _ in rows)
        if urls != Counter(self.wanted.keys()):
            lacking, more = Counter(self.wanted.keys()) - urls, urls - Counter(self.wanted.keys())
            example = next(iter(lacking or more))
            return f"{sum(lacking.values()):,} pages are missing, {sum(more.values()):,} too many, such as {example}"
        kinds: Counter[str] = Counter()
        pages: list[str] = []
        for url, row in rows:
            if differing := _differing(row if self.whole else without_code(row), self.wanted[url]):
                kinds.update(differing)
                pages.append(url)
        if pages:
            told = f"{len(pages):,} pages ({', '.join(f'{name} in {count}' for name, count in kinds.items())})"
            self.odd[tool.name] = f"{told}: {', '.join(sorted(pages)[:NAMED])}{', …' if len(pages) > NAMED else ''}"
            if len(pages) > FEW * len(rows):
                return f"other rows in {self.odd[tool.name]}"
        return ""


def _differing(row: Row, wanted: Row) -> list[str]:
    return [each.name for each in fields(Row) if getattr(row, each.name) != getattr(wanted, each.name)]
