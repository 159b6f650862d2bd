"""Microdata, by the algorithms of the HTML standard (5.2 and 5.4): items with type, id and properties.

One step beyond it: an element whose text would be the value, but that has a `content`, gives that, as pages mean it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from toolkit.apps.scrape.auto.view import View

DEEPEST = 50
"""Levels of items in items."""
SOURCES = dict.fromkeys(("audio", "embed", "iframe", "img", "source", "track", "video"), "src")
URLS = SOURCES | dict.fromkeys(("a", "area", "link"), "href") | {"object": "data"}
"""Elements whose value is a URL, and the attribute that holds it."""
VALUES = {"meta": "content", "data": "value", "meter": "value"}
"""Elements whose value is an attribute."""
ERROR = "ERROR"
"""What stands for an item that is its own property, by the standard."""

Item = dict[str, Any]


def items(view: View, problem: Callable[[str], None]) -> Iterator[Item]:
    """Yield each item that is no property of another, as {"type", "id", "properties"}."""
    if view.first("[itemscope]") is None:
        return
    tree = _Tree(view)
    for index in range(len(tree.nodes)):
        if index in tree.scopes and index not in tree.names:
            yield _Reader(view, tree, problem).item(index, ())


class _Tree:
    """The page's elements by their place in the document, where parsers' nodes cannot be compared.

    ends: the place after an element's last descendant. scopes: places of items. names: properties by place.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self.nodes: list[Any] = []
        self.ends: list[int] = []
        self.scopes: set[int] = set()
        self.names: dict[int, list[str]] = {}
        self._walk(view.first("html"))

    def children(self, index: int) -> Iterator[int]:
        """Yield the places of an element's children."""
        child = index + 1
        while child < self.ends[index]:
            yield child
            child = self.ends[child]

    @cached_property
    def ids(self) -> dict[str, int]:
        """The first element of each id."""
        found: dict[str, int] = {}
        for index, node in enumerate(self.nodes):
            if name := self._view.document.attribute(node, "id"):
                found.setdefault(name, index)
        return found

    def _walk(self, root: Any) -> None:
        # A stack of our own: pages nest deeper than Python recurses. None on it ends an element.
        document = self._view.document
        stack: list[Any] = [] if root is None else [root]
        open_: list[int] = []
        while stack:
            node = stack.pop()
            if node is None:
                self.ends[open_.pop()] = len(self.nodes)
                continue
            index = len(self.nodes)
            self.nodes.append(node)
            self.ends.append(0)
            open_.append(index)
            if not index % 1000:
                self._view.budget.check()
            if document.attribute(node, "itemscope") is not None:
                self.scopes.add(index)
            if names := (document.attribute(node, "itemprop") or "").split():
                self.names[index] = list(dict.fromkeys(names))
            stack.append(None)
            stack += reversed(document.children(node))


class _Reader:
    """Reads one item and those in it."""

    def __init__(self, view: View, tree: _Tree, problem: Callable[[str], None]) -> None:
        self._view = view
        self._tree = tree
        self._problem = problem

    def item(self, index: int, above: tuple[int, ...]) -> Item:
        """Return an item. above: those that it is in."""
        view, node = self._view, self._tree.nodes[index]
        found: Item = {}
        if types := list(dict.fromkeys(view.get(node, "itemtype").split())):
            found["type"] = types
        if name := view.get(node, "itemid"):
            found["id"] = view.resolve(name)
        properties: dict[str, list[Any]] = {}
        found["properties"] = properties
        for place in self._places(index):
            value = self._value(place, (*above, index))
            for name in self._tree.names[place]:
                properties.setdefault(name, []).append(value)
        return found

    def _places(self, root: int) -> list[int]:
        """Return where an item's properties are, in the document's order (5.2.5)."""
        tree = self._tree
        seen = {root}
        pending = list(tree.children(root))
        named = self._view.get(tree.nodes[root], "itemref").split()
        pending += [tree.ids[name] for name in named if name in tree.ids]
        places = []
        while pending:
            index = pending.pop()
            if index in seen:
                continue
            seen.add(index)
            if not len(seen) % 1000:
                self._view.budget.check()
            if index not in tree.scopes:
                pending += tree.children(index)
            if index in tree.names:
                places.append(index)
        return sorted(places)

    def _value(self, index: int, above: tuple[int, ...]) -> Any:
        """Return a property's value (5.2.4)."""
        view, tree = self._view, self._tree
        view.budget.check()
        node = tree.nodes[index]
        if index in tree.scopes:
            if index in above:
                return ERROR
            if len(above) >= DEEPEST:
                self._problem(f"items are nested deeper than {DEEPEST} levels")
                return ERROR
            return self.item(index, above)
        tag = view.document.tag(node)
        if tag in URLS:
            reference = view.document.attribute(node, URLS[tag])
            return "" if reference is None else view.resolve(reference)
        if tag in VALUES:
            return view.budget.take(view.document.attribute(node, VALUES[tag]) or "")
        said = view.document.attribute(node, "datetime" if tag == "time" else "content")
        return view.text(node) if said is None else view.budget.take(said.strip())
