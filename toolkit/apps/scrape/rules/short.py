"""A field in one line: `name = selector@attribute | filter | filter:argument`."""

from __future__ import annotations

import re
from typing import get_args

from toolkit.apps.scrape.rules.css import closed, parted
from toolkit.apps.scrape.rules.filters import default_of, parse_filter, reduces
from toolkit.apps.scrape.rules.model import TAKES, Field, Filter, Take
from toolkit.core.errors import UsageError

XPATH = "xpath:"


def parse_field(text: str) -> Field:
    """Return the field that `name=…` or `name[]=…` describes; raises UsageError."""
    name, equals, rest = text.partition("=")
    name = name.strip()
    many = name.endswith("[]")
    name = name.removesuffix("[]").strip()
    if not equals or not name or bad_name(name):
        raise UsageError(f"field {text!r}: write it as name=selector, name=selector@attribute or name[]=selector")
    return parse_rule(name, rest, many=many)


def bad_name(name: str) -> bool:
    """Tell whether a column cannot be called so."""
    return re.search(r"[\[\]@\s]", name) is not None


def parse_rule(name: str, text: str, *, many: bool = False, record: bool = False) -> Field:
    """Return the field that `selector@attribute | filter …` describes; raises UsageError.

    record: the field is looked up in a record, which it stands for if it has no selector.
    """
    first, *rest = _pieces(text)
    filters = [parse_filter(name, one) for one in rest]
    selector, attribute, take, xpath = first.strip(), None, "text", False
    if selector.startswith(XPATH):
        selector, xpath = selector.removeprefix(XPATH).strip(), True
    else:
        selector, attribute, take = _split(name, selector)
    if not selector and not (record and not xpath and first.strip()):
        raise UsageError(f"field {name!r}: the selector is missing")
    if not xpath and not closed(selector):
        raise UsageError(f"field {name!r}: {selector!r} is not a CSS selector: a quote or bracket is not closed")
    if not xpath and len(parted(selector, "|")) > 1:  # no parser here knows a namespace: it would find nothing
        raise UsageError(f"field {name!r}: write a filter with a space on both sides of |, unlike in {selector!r}")
    required = Filter("required") in filters
    defaults = [one for one in filters if one.name == "default"]
    steps = tuple(one for one in filters if one.name not in ("required", "default"))
    if many and any(reduces(one) for one in steps):
        raise UsageError(f"field {name!r}: a list cannot come out of {'first, last, nth or join'}: leave out the []")
    field = Field(name, selector, attribute, many, _take(take), steps, None, required, xpath)
    if not defaults:
        return field
    return default_of(field, defaults[-1].argument or "")


def _pieces(text: str) -> list[str]:
    """Return the selector and the filters; ` | ` parts them, in a selector only outside of quotes and brackets."""
    first, *rest = parted(text, " | ")
    return [first, *(" | ".join(rest)).split(" | ")] if rest else [first]


def _split(name: str, selector: str) -> tuple[str, str | None, str]:
    if found := re.fullmatch(r"(.*?)\s*::\s*([A-Za-z-]*)", selector, re.DOTALL):
        if found[2].lower() not in TAKES:
            known = ", ".join(f"::{take}" for take in TAKES)
            raise UsageError(f"field {name!r}: what is ::{found[2]}? There are {known}, and @attribute")
        return found[1], None, found[2].lower()
    if found := re.fullmatch(r"(.*?)\s*@\s*([A-Za-z_:][\w:.-]*)?", selector, re.DOTALL):
        if found[2] is None:
            raise UsageError(f"field {name!r}: the name of an attribute is missing after @")
        return found[1], found[2].lower(), "text"
    return selector, None, "text"


def _take(text: str) -> Take:
    return next(take for take in get_args(Take) if take == text)
