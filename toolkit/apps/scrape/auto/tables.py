"""Tables of data: those that hold no other table and are not marked as mere layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from toolkit.apps.scrape.auto.view import View
from toolkit.apps.scrape.rules.numbers import Unfit
from toolkit.apps.scrape.rules.tables import CELLS, records

LAYOUT = frozenset({"presentation", "none"})


def tables(view: View, problem: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """Yield each table as {"caption", "rows"}: a record for each row, by the names in the header."""
    cells = 0
    for number, node in enumerate(view.find("table"), start=1):
        view.budget.check()
        if view.get(node, "role").lower() in LAYOUT or view.first("table", node) is not None:
            continue
        try:
            rows = records(view.document, node)
        except Unfit as error:
            problem(f"table {number} is not {error}")
            continue
        cells += sum(map(len, rows))
        if cells > CELLS:
            problem(f"the tables from number {number} on are left out: together they have more than {CELLS:,} cells")
            return
        for row in rows:
            for text in row.values():
                view.budget.take(text)
        if rows:
            yield {"caption": _caption(view, node), "rows": rows}


def _caption(view: View, table: Any) -> str | None:
    found = [child for child in view.document.children(table) if view.document.tag(child) == "caption"]
    return view.text(found[0]) or None if found else None
