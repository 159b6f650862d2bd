"""The tables of a rules file as page types, fields and follow rules; an unknown or misused key is an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from toolkit.apps.scrape.rules.filters import parse_filter, plural, reduces, type_of
from toolkit.apps.scrape.rules.model import TAKES, Field, Filter, Follow, PageType, compiled, glob_pattern
from toolkit.apps.scrape.rules.short import XPATH, bad_name, parse_rule
from toolkit.core.errors import UsageError

At = tuple[str | int, ...]
Table = dict[str, Any]

TOP = ("parser", "strict", "page", "follow", "fields", "rows", "login")
PAGE = ("name", "match", "glob", "rows", "fields", "follow", "render", "wait")
FIELD = (
    "css",
    "xpath",
    "attr",
    "take",
    "many",
    "cast",
    "re",
    "default",
    "required",
    "join",
    "fields",
    "filters",
    "from",
)
FOLLOW = (
    "name", "css", "xpath", "attr", "allow", "deny", "domains", "depth", "page", "pagination", "join",
)  # fmt: skip
DEEPEST = 20
"""Records within records."""


class Reader:
    """Reads the tables. where: returns the file and line of a key, to go before a message."""

    def __init__(self, where: Callable[[Sequence[str | int]], str]) -> None:
        self._where = where

    def pages(self, tree: Table) -> tuple[PageType, ...]:
        """Return the page types; the fields at the top are one of their own, for what is left."""
        self._known(tree, TOP, (), "the file")
        tables = self._tables(tree.get("page", []), ("page",))
        pages = [self._page(table, ("page", number)) for number, table in enumerate(tables)]
        if "fields" in tree:
            table = {key: tree[key] for key in ("fields", "rows") if key in tree}
            pages.append(self._page({"name": "page"} | table, ("page", len(pages))))
        elif "rows" in tree:
            raise self._error(("rows",), "rows without fields: add a [fields] table, or write it below a [[page]]")
        if not pages:
            raise self._error((), 'no page type: begin with [[page]], name = "…" and a [page.fields] table')
        return tuple(pages)

    def follow(self, tree: Table) -> tuple[Follow, ...]:
        """Return the follow rules that hold for all pages."""
        return self._rules(tree, (), "follow")

    def text(self, table: Table, at: At) -> str | None:
        """Return a text, or None if the key is not there."""
        value = table.get(str(at[-1]))
        if value is not None and not isinstance(value, str):
            raise self._error(at, f"{at[-1]} must be a text in quotes, not {_shown(value)}")
        return value

    def flag(self, table: Table, at: At) -> bool:
        """Return a yes or no; no if the key is not there."""
        value = table.get(str(at[-1]), False)
        if not isinstance(value, bool):
            raise self._error(at, f"{at[-1]} must be true or false, not {_shown(value)}")
        return value

    def _page(self, table: Table, at: At) -> PageType:
        self._known(table, PAGE, at, "a page type")
        name = self.text(table, (*at, "name"))
        if not name:
            raise self._error(at, 'a page type needs a name: name = "item"')
        match = [*self._patterns(table, (*at, "match"))]
        match += [glob_pattern(glob) for glob in self._texts(table, (*at, "glob"))]
        rows = self.text(table, (*at, "rows"))
        xpath = rows is not None and rows.startswith(XPATH)
        rows = rows.removeprefix(XPATH).strip() if rows is not None else None
        if rows == "":
            raise self._error((*at, "rows"), "rows is empty: name the element of each record, or leave it out")
        fields = table.get("fields", {})
        if not isinstance(fields, dict):
            raise self._error((*at, "fields"), 'fields must be a table: [page.fields] and below it name = "selector"')
        found = tuple(self._field(name, rule, (*at, "fields", name), rows is not None) for name, rule in fields.items())
        follow = self._rules(table, at, name)
        return PageType(name, found, tuple(match), rows, xpath, follow, *self._rendering(table, at))

    def _rendering(self, table: Table, at: At) -> tuple[bool, str]:
        """Return whether a browser is to run the page's scripts, and the selector of what it is to wait for."""
        render, wait = self.flag(table, (*at, "render")), self.text(table, (*at, "wait"))
        if wait is not None and not (render and wait.strip()):
            raise self._error((*at, "wait"), "wait needs render = true, and says in CSS what must be there")
        return render, (wait or "").strip()

    def _rules(self, table: Table, at: At, prefix: str) -> tuple[Follow, ...]:
        tables = self._tables(table.get("follow", []), (*at, "follow"))
        return tuple(
            self._follow(one, (*at, "follow", number), f"{prefix} {number + 1}") for number, one in enumerate(tables)
        )

    def _follow(self, table: Table, at: At, name: str) -> Follow:
        self._known(table, FOLLOW, at, "a follow rule")
        selector, xpath = self._selector(table, at)
        depth = table.get("depth")
        if depth is not None and (isinstance(depth, bool) or not isinstance(depth, int) or depth < 0):
            raise self._error((*at, "depth"), f"depth must be a number of links, 0 or more, not {_shown(depth)}")
        attribute = self.text(table, (*at, "attr"))
        return Follow(
            self.text(table, (*at, "name")) or name,
            "a" if selector is None else selector,
            (attribute or "href").lower(),
            xpath,
            tuple(self._patterns(table, (*at, "allow"))),
            tuple(self._patterns(table, (*at, "deny"))),
            tuple(domain.lower().strip(".") for domain in self._texts(table, (*at, "domains"))),
            depth,
            self.text(table, (*at, "page")),
            self.flag(table, (*at, "pagination")),
            self.flag(table, (*at, "join")),
        )

    def _field(self, name: str, rule: Any, at: At, record: bool) -> Field:  # noqa: FBT001
        many = name.endswith("[]")
        plain = name.removesuffix("[]").strip()
        if not plain or bad_name(plain):
            raise self._error(at, f"{name!r} cannot be the name of a field: no white space, brackets or @")
        if isinstance(rule, str):
            with self._placed(at):
                return parse_rule(plain, rule, many=many, record=record)
        if not isinstance(rule, dict):
            raise self._error(at, f"field {plain!r} must be a selector in quotes or a table, not {_shown(rule)}")
        return self._long(plain, rule, at, many=many, record=record)

    def _long(self, name: str, table: Table, at: At, *, many: bool, record: bool) -> Field:
        self._known(table, FIELD, at, f"field {name!r}")
        if len(at) > 3 * DEEPEST:
            raise self._error(at, f"field {name!r}: records nest more than {DEEPEST} deep")
        selector, xpath = self._selector(table, at)
        take = self.text(table, (*at, "take")) or "text"
        if take not in TAKES:
            raise self._error((*at, "take"), f"take = {take!r}: there are {', '.join(TAKES)}")
        attribute = self.text(table, (*at, "attr"))
        if attribute and "take" in table:
            raise self._error((*at, "take"), f"field {name!r}: take and attr exclude each other")
        whole = self.text(table, (*at, "from"))
        if whole not in (None, "page", "record"):
            raise self._error((*at, "from"), f"from = {whole!r}: there are page and record")
        fields = table.get("fields", {})
        if not isinstance(fields, dict):
            raise self._error((*at, "fields"), f"field {name!r}: fields must be a table")
        inner = tuple(self._field(key, rule, (*at, "fields", key), True) for key, rule in fields.items())
        field = Field(
            name,
            selector or "",
            attribute.lower() if attribute else None,
            many or self.flag(table, (*at, "many")),
            next(one for one in TAKES if one == take),
            self._filters(name, table, at),
            None,
            self.flag(table, (*at, "required")),
            xpath,
            whole == "page",
            inner,
        )
        self._check(field, table, at, record=record)
        return self._defaulted(field, table, at)

    def _check(self, field: Field, table: Table, at: At, *, record: bool) -> None:
        if not field.selector and not record:
            raise self._error(at, f'field {field.name!r}: name its element: css = "…" or xpath = "…"')
        if field.fields and (
            clash := [key for key in ("attr", "take", "cast", "re", "join", "filters") if key in table]
        ):
            raise self._error((*at, clash[0]), f"field {field.name!r} is a record: {clash[0]} goes to its own fields")
        if field.many and any(reduces(one) for one in field.filters if one.name != "join"):
            raise self._error(at, f"field {field.name!r}: first, last and nth make one value: leave out many")

    def _filters(self, name: str, table: Table, at: At) -> tuple[Filter, ...]:
        """Return the steps: re, cast, what filters lists, then join."""
        texts = [text for key in ("re", "cast") if (text := self.text(table, (*at, key))) is not None]
        texts = [f"re:{text}" if number == 0 and "re" in table else text for number, text in enumerate(texts)]
        found: list[Filter] = []
        with self._placed(at):
            found += [parse_filter(name, text) for text in (*texts, *self._texts(table, (*at, "filters")))]
        if wrong := next((one.name for one in found if one.name in ("default", "required")), None):
            raise self._error(at, f"field {name!r}: {wrong} is a key of its own here")
        join = self.text(table, (*at, "join"))
        return tuple(found) if join is None else (*found, Filter("join", f'"{join}"'))

    def _defaulted(self, field: Field, table: Table, at: At) -> Field:
        value = table.get("default")
        if value is None:
            return field
        wanted = type_of(field)
        if wanted is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if wanted is not object and type(value) is not wanted:
            raise self._error(
                (*at, "default"), f"field {field.name!r} is {wanted.__name__}: its default cannot be {_shown(value)}"
            )
        return replace(field, default=tuple(value) if isinstance(value, list) and plural(field) else value)

    def _selector(self, table: Table, at: At) -> tuple[str | None, bool]:
        css, xpath = self.text(table, (*at, "css")), self.text(table, (*at, "xpath"))
        if css is not None and xpath is not None:
            raise self._error((*at, "xpath"), "css and xpath exclude each other: leave out one")
        text = (css if xpath is None else xpath) or ""
        return (None if css is None and xpath is None else text.strip()), xpath is not None

    def _texts(self, table: Table, at: At) -> list[str]:
        value = table.get(str(at[-1]), [])
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(one, str) and one for one in values):
            raise self._error(at, f"{at[-1]} must be a text or a list of texts, not {_shown(value)}")
        return values

    def _patterns(self, table: Table, at: At) -> list[str]:
        texts = self._texts(table, at)
        for text in texts:
            compiled(text, self._where(at) + str(at[-1]))
        return texts

    def _tables(self, value: Any, at: At) -> list[Table]:
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            name = ".".join(str(part) for part in at if isinstance(part, str))
            raise self._error(at, f"{at[-1]} must be written with two brackets: [[{name}]]")
        return value

    def _known(self, table: Table, keys: Sequence[str], at: At, what: str) -> None:
        for key in table:
            if key not in keys:
                raise self._error((*at, key), f"{what} has no {key!r}: there are {', '.join(keys)}")

    @contextmanager
    def _placed(self, at: At) -> Iterator[None]:
        """Put the file and line before the message of a UsageError."""
        try:
            yield
        except UsageError as error:
            raise UsageError(self._where(at) + str(error)) from error

    def _error(self, at: At, message: str) -> UsageError:
        return UsageError(self._where(at) + message)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:40] + "…"  # noqa: PLR2004 - fits in a line
