"""Rules from flags, and from a TOML file; what is wrong in it is told with its line."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from toolkit.apps.scrape.rules.check import check
from toolkit.apps.scrape.rules.lines import Lines
from toolkit.apps.scrape.rules.login import read_login
from toolkit.apps.scrape.rules.model import Field, Follow, PageType, Rules
from toolkit.apps.scrape.rules.short import parse_field
from toolkit.apps.scrape.rules.toml import Reader
from toolkit.core.errors import UsageError

DEFAULT_FIELDS = ("title=title", "h1=h1", "description=meta[name=description]@content", "links[]=a@href")
"""What a row holds when the user names no field."""
DEFAULT_PARSER = "lexbor"
LARGEST = 1_000_000
"""Bytes of a rules file."""


def read_rules(parser: str | None, texts: Sequence[str]) -> Rules:
    """Return the rules for these fields, one row a page; raises UsageError that names the field which is wrong."""
    fields = tuple(parse_field(text) for text in texts or DEFAULT_FIELDS)
    chosen = _parser_of(parser, None, any(_uses_xpath(field) for field in fields))
    return check(Rules(chosen, (PageType("page", fields),)), lambda _: "", strict=False)


def load_rules(path: Path, parser: str | None = None, fields: Sequence[str] = (), *, offline: bool = False) -> Rules:
    """Return the rules of a TOML file, with fields added to each of its page types, or put in place of their own.

    parser: None for the file's own, else what the file's selectors must be made for. offline: nobody will log in, so
    that what is filled in need not be known. Raises UsageError that names the file, the line and what to do.
    """
    text = _text_of(path)
    try:
        tree = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: not TOML: {error}") from error
    lines = Lines(text)
    single = "fields" in tree

    def where(at: Sequence[str | int]) -> str:
        return f"{path}, line {lines.of(_own(tuple(at), tree, single=single))}: "

    extra = tuple(parse_field(one) for one in fields)
    reader = Reader(where)
    pages = tuple(_with(page, extra) for page in reader.pages(tree))
    follow = reader.follow(tree)
    named = reader.text(tree, ("parser",))
    strict = reader.flag(tree, ("strict",))
    chosen = _parser_of(parser, named, any(map(_page_xpath, pages)) or any(rule.xpath for rule in follow))
    login = read_login(tree, where, offline=offline)
    return check(Rules(chosen, pages, follow, login), where, strict=strict)


def _own(at: tuple[str | int, ...], tree: dict[str, Any], *, single: bool) -> tuple[str | int, ...]:
    """Return where a page type's key stands, which for the one without a [[page]] is at the top."""
    if single and at[:2] == ("page", len(tree.get("page", ()))):
        return at[2:]
    return at


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path}: the rules cannot be read: {error.strerror or error}") from error
    if len(data) > LARGEST:
        raise UsageError(f"{path}: no rules are larger than {LARGEST:,} bytes: is this the right file?")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: the rules are not UTF-8 text: {error}") from error


def _parser_of(asked: str | None, named: str | None, uses_xpath: bool) -> str:  # noqa: FBT001
    """Return the parser: what was asked for, else what the file names, else what the rules need."""
    return asked or named or ("lxml" if uses_xpath else DEFAULT_PARSER)


def _with(page: PageType, extra: tuple[Field, ...]) -> PageType:
    if not extra:
        return page
    named = {field.name: field for field in extra}
    own = tuple(named.pop(field.name, field) for field in page.fields)
    return replace(page, fields=own + tuple(named.values()))


def _uses_xpath(field: Field) -> bool:
    return field.xpath or any(_uses_xpath(one) for one in field.fields)


def _page_xpath(page: PageType) -> bool:
    followed: tuple[Follow, ...] = page.follow
    return page.rows_xpath or any(map(_uses_xpath, page.fields)) or any(rule.xpath for rule in followed)
