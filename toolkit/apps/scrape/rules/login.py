"""How to log in, as a rules file says it; what is filled in may come from the environment, and is never shown."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from toolkit.apps.scrape.rules.model import Login
from toolkit.core.errors import UsageError

KEYS = ("url", "form", "success", "fields")
ENVIRONMENT = "env:"
"""What a value begins with that is the name of an environment variable."""


def read_login(
    tree: Mapping[str, Any],
    where: Callable[[Sequence[str | int]], str],
    environment: Mapping[str, str] | None = None,
    *,
    offline: bool = False,
) -> Login | None:
    """Return what the table [login] says, None without one; raises UsageError, which never shows what is filled in.

    where: returns the file and line of a key, to go before a message. offline: variables need not be set.
    """
    table = tree.get("login")
    if table is None:
        return None
    if not isinstance(table, dict):
        raise UsageError(f'{where(("login",))}login must be a table: [login] and below it url = "https://…"')
    for key in table:
        if key not in KEYS:
            raise UsageError(f"{where(('login', key))}a login has no {key!r}: there are {', '.join(KEYS)}")
    texts = {key: _text(table, key, where) for key in ("url", "form", "success")}
    if not texts["url"]:
        raise UsageError(f'{where(("login",))}a login needs the page with the form: url = "https://…"')
    _check_url(texts["url"], where(("login", "url")))
    fields = table.get("fields")
    if not isinstance(fields, dict) or not fields:
        raise UsageError(
            f"{where(('login', 'fields'))}a login needs a table [login.fields] of what to fill in, by the names that"
            ' the form has: user = "me" or password = "env:SHOP_PASSWORD"'
        )
    variables = None if offline else os.environ if environment is None else environment
    filled = tuple((name, _value(name, value, where, variables)) for name, value in fields.items())
    return Login(texts["url"], filled, texts["form"], texts["success"])


def _text(table: Mapping[str, Any], key: str, where: Callable[[Sequence[str | int]], str]) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise UsageError(f"{where(('login', key))}{key} must be a text in quotes")
    if key in table and not value.strip():
        raise UsageError(f"{where(('login', key))}{key} is empty: fill it in, or leave it out")
    return value.strip()


def _check_url(url: str, before: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(f"{before}url must be an address that begins with https:// or http://, without a user name")


def _value(
    name: str, value: Any, where: Callable[[Sequence[str | int]], str], variables: Mapping[str, str] | None
) -> str:
    before = where(("login", "fields", name))
    if not isinstance(value, str):
        raise UsageError(f'{before}{name!r} must be a text in quotes; "env:NAME" takes it from the environment')
    if not value.startswith(ENVIRONMENT) or variables is None:
        return value
    variable = value.removeprefix(ENVIRONMENT).strip()
    found = variables.get(variable)
    if not found:
        raise UsageError(
            f"{before}{name!r} is to come from the environment variable {variable!r}, which is not set: set it before"
            " you start toolkit"
        )
    return found
