"""Who we are, by the options: what is read, what is refused, and what never shows."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from toolkit.core.credentials import Credentials, Visitor, load_credentials
from toolkit.core.errors import UsageError
from toolkit.core.http import Request

HOME = "https://shop.test/a"


def fields(credentials: Credentials | None, *urls: str) -> list[str]:
    """Return what is sent as Authorization to each URL of a chain of redirects."""
    assert credentials is not None
    visitor = Visitor(credentials, urls[0])
    sent = [dict(visitor.dressed(Request(url)).headers) for url in urls]
    return [each.get("Authorization", "") for each in sent]


def test_nothing_given_is_nothing() -> None:
    """So that a download without a login costs none of this."""
    assert load_credentials() is None


@pytest.mark.parametrize(
    "urls",
    [
        (HOME, "http://shop.test/a"),
        (HOME, "https://shop.test:8443/a"),
        (HOME, "https://www.shop.test/a"),
        (HOME, "https://shop.test.evil.test/a"),
        (HOME, "https://evil.test/a", "https://shop.test/b"),
    ],
)
def test_login_is_for_the_origin_and_gone_for_good(urls: tuple[str, ...]) -> None:
    """Scheme, host and port; coming back does not bring it back."""
    assert fields(load_credentials(user="u:p"), *urls) == ["Basic dTpw", *("" for _ in urls[1:])]
    assert fields(load_credentials(bearer="t"), *urls) == ["Bearer t", *("" for _ in urls[1:])]


def test_origin_is_the_same_however_it_is_written() -> None:
    """Case and the usual port make no difference."""
    assert fields(load_credentials(user="u:p"), HOME, "HTTPS://SHOP.test:443/b") == ["Basic dTpw"] * 2


def test_netrc_is_not_lured_into_the_open(tmp_path: Path) -> None:
    """Once a chain was secure, no hop in the clear has a password; before that, each has its host's."""
    (tmp_path / "n").write_text("machine Shop.test login u password p\nmachine b.test login b password c\n")
    netrc = load_credentials(netrc_file=tmp_path / "n")
    assert fields(netrc, HOME, "http://shop.test/a", "https://b.test/") == ["Basic dTpw", "", "Basic Yjpj"]
    assert fields(netrc, "http://b.test/", "http://shop.test/") == ["Basic Yjpj", "Basic dTpw"]
    assert fields(netrc, "http://a.b.test/", "http://evilb.test/") == ["", ""]


def test_option_goes_before_the_netrc(tmp_path: Path) -> None:
    """Said for this run, it is meant."""
    (tmp_path / "n").write_text("machine shop.test login n password q\n")
    assert fields(load_credentials(user="u:p", netrc_file=tmp_path / "n"), HOME) == ["Basic dTpw"]


def test_netrc_of_the_home_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every other program looks; one that others may read is refused by name."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    with pytest.raises(UsageError, match=r"^--netrc ~/\.netrc: No such file"):
        load_credentials(use_netrc=True)
    (tmp_path / ".netrc").write_text("machine shop.test login u password p\n")
    (tmp_path / ".netrc").chmod(0o600)
    assert fields(load_credentials(use_netrc=True), HOME) == ["Basic dTpw"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"user": "s3cret"}, "--user: write NAME:PASSWORD"),
        ({"user": "a:s3cret\n"}, "--user: write NAME:PASSWORD"),
        ({"bearer": "s3cret word"}, "--bearer: a token has letters"),
        ({"bearer": ""}, "--bearer: a token has letters"),
        ({"bearer": "s3cret", "user": "a:s3cret"}, "choose one"),
        ({"bearer": "s3cret", "digest": True}, "choose one"),
        ({"netrc_file": "machine a login b passwrd s3cret"}, "--netrc-file .*: line 1: cannot be read as a netrc"),
        ({"netrc_file": b"\xff\xfe\x00s3cret"}, "--netrc-file .*: "),
        ({"netrc_file": None}, "--netrc-file .*: No such file"),
        ({"cookies": "s3cret"}, "--cookies .*:1: a cookie has seven fields"),
        ({"cookies": b"\xff\xfe\x00s3cret"}, "--cookies .*: not a text file"),
        ({"cookies": None}, "--cookies .*: No such file"),
    ],
)
def test_wrong_usage_is_named_without_the_secret(options: dict[str, Any], words: str, tmp_path: Path) -> None:
    """Which option, what to do, and nothing of what is in it."""
    for name in ("netrc_file", "cookies"):
        if name in options:
            text, path = options[name], tmp_path / name
            if text is not None:
                path.write_bytes(text if isinstance(text, bytes) else text.encode())
            options = {name: path}
    with pytest.raises(UsageError, match=words) as caught:
        load_credentials(**options)
    assert "s3cret" not in str(caught.value)


def test_nothing_shows_and_all_arrives_in_another_process(tmp_path: Path) -> None:
    """In logs and tracebacks there is nothing to find; in a worker nothing is missing."""
    (tmp_path / "c").write_text("shop.test\tFALSE\t/\tFALSE\t0\tn\ts3cret\n")
    (tmp_path / "n").write_text("machine b.test login u password s3cret\n")
    given = load_credentials(user="u:s3cret", netrc_file=tmp_path / "n", cookies=tmp_path / "c")
    assert "s3cret" not in repr(given)
    there = pickle.loads(pickle.dumps(given))
    assert fields(there, "https://b.test/") == fields(given, "https://b.test/")
    (cookie,) = (value for name, value in Visitor(there, HOME).dressed(Request(HOME)).headers if name == "Cookie")
    assert cookie == "n=s3cret"
