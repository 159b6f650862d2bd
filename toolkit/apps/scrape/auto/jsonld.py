"""JSON-LD: the objects in a page's scripts, as written, mended where they are broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from toolkit.apps.scrape.auto.mending import objects_in
from toolkit.apps.scrape.auto.view import View

TYPE = "application/ld+json"


def objects(view: View, problem: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """Yield each object that stands by itself or in a list; a graph stays in its object."""
    scripts = [node for node in view.find("script[type]") if _is_data(view.get(node, "type"))]
    for number, node in enumerate(scripts, start=1):
        text = view.budget.take(view.document.pre(node))
        if not text.strip():
            continue
        found, wrong = objects_in(text)
        if wrong is not None:
            problem(f"JSON-LD script {number}: {wrong}")
        yield from found


def _is_data(kind: str) -> bool:
    return kind.partition(";")[0].strip().lower() == TYPE
