"""A login is read with its line, and what is filled in is never shown."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from toolkit.apps.scrape.rules import Rules, load_rules
from toolkit.core.errors import UsageError

PAGE = '[fields]\ntitle = "title"\n'
WHOLE = f"""{PAGE}
[login]
url = "https://shop.example/login"
form = "form#in"
success = ".account a"
[login.fields]
user = "me"
password = "env:SHOP_PASSWORD"
"""
SECRET = "s3cret-word"


def load(tmp_path: Path, text: str) -> Rules:
    """Return the rules of a file with this text."""
    path = tmp_path / "rules.toml"
    path.write_text(text)
    return load_rules(path)


def test_login_when_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts stand as they are, variables are looked up, and both reach the workers; nothing shows them."""
    monkeypatch.setenv("SHOP_PASSWORD", SECRET)
    rules = load(tmp_path, WHOLE)
    login = pickle.loads(pickle.dumps(rules)).login
    assert (login.url, login.form, login.success) == ("https://shop.example/login", "form#in", ".account a")
    assert login.fields == (("user", "me"), ("password", SECRET))
    assert SECRET not in repr(login)
    assert SECRET not in repr(rules)


def test_digest_when_the_password_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is filled in is no part of it: a new password makes no page stale, another login page does."""
    monkeypatch.setenv("SHOP_PASSWORD", SECRET)
    before = load(tmp_path, WHOLE).digest()
    monkeypatch.setenv("SHOP_PASSWORD", "other")
    assert load(tmp_path, WHOLE).digest() == before
    assert load(tmp_path, WHOLE.replace("/login", "/enter")).digest() != before
    assert load(tmp_path, PAGE).digest() != before


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("[login]", '[login]\nname = "x"', 5, "a login has no 'name': there are url, form, success, fields"),
        ('url = "https://shop.example/login"', "", 4, "needs the page with the form"),
        ("https://shop.example/login", "ftp://shop.example/", 5, "begins with https:// or http://"),
        ("https://shop.example/login", "/login", 5, "begins with https:// or http://"),
        ("https://shop", "https://me:word@shop", 5, "without a user name"),
        ("https://shop.example/login", "https://[shop", 5, "begins with https:// or http://"),
        ('"form#in"', "3", 6, "form must be a text in quotes"),
        ("form#in", "", 6, "form is empty"),
        ("form#in", "form[", 6, "login: form: 'form[' is not a CSS selector"),
        (".account a", "a::", 7, "login: success: 'a::' is not a CSS selector"),
        ('user = "me"', "user = 3", 9, "'user' must be a text in quotes"),
        ("SHOP_PASSWORD", "NOT_SET", 10, "the environment variable 'NOT_SET', which is not set"),
        ('user = "me"\npassword = "env:SHOP_PASSWORD"', "", 8, "needs a table [login.fields]"),
    ],
)
def test_login_when_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, line: int, what: str
) -> None:
    """It is refused with its line."""
    monkeypatch.setenv("SHOP_PASSWORD", SECRET)
    with pytest.raises(UsageError) as caught:
        load(tmp_path, WHOLE.replace(old, new))
    assert f"rules.toml, line {line}: " in str(caught.value)
    assert what in str(caught.value)
    assert SECRET not in str(caught.value)


def test_login_when_no_table(tmp_path: Path) -> None:
    """What is no table is told how to be written; without any there is no login."""
    with pytest.raises(UsageError, match="login must be a table"):
        load(tmp_path, f'login = "me"\n{PAGE}')
    assert load(tmp_path, PAGE).login is None


def test_login_when_nobody_will_log_in(tmp_path: Path) -> None:
    """Rules are tried on saved pages without what is filled in."""
    path = tmp_path / "rules.toml"
    path.write_text(
        '[fields]\nt = "title"\n[login]\nurl = "https://h.org/"\n[login.fields]\nword = "env:NOT_SET_HERE"\n'
    )
    assert load_rules(path, offline=True).login is not None
    with pytest.raises(UsageError, match="NOT_SET_HERE"):
        load_rules(path)
