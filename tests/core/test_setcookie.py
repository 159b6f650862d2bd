"""What a Set-Cookie field says, by the letter of RFC 6265, and by what the names of cookies promise."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.core.cookies import Cookie
from toolkit.core.setcookie import cookie_date, read_set_cookie

NOW = 1_000_000_000.0
URL = "https://www.shop.test/a/b/page?x=/y/"


def read(field: str, url: str = URL) -> Cookie | None:
    return read_set_cookie(field, url, NOW)


@pytest.mark.parametrize(
    ("field", "name", "value"),
    [
        ("a=b", "a", "b"),
        ("a=", "a", ""),
        (" \ta = b c\t; Path=/", "a", "b c"),
        ("a=b=c", "a", "b=c"),
        ('a="b c"', "a", '"b c"'),
        ("a=b;", "a", "b"),
        ("a=b; nonsense; ; =; x=y", "a", "b"),
        ("a=caf\xc3\xa9", "a", "café"),
    ],
)
def test_name_and_value_are_taken_as_written(field: str, name: str, value: str) -> None:
    """Up to the first semicolon, around the first equals sign; quotes belong to the value."""
    cookie = read(field)
    assert cookie is not None
    assert (cookie.name, cookie.value) == (name, value)
    assert (cookie.host, cookie.exact, cookie.secure, cookie.expires) == ("www.shop.test", True, False, 0.0)


@pytest.mark.parametrize("field", ["", ";", "a", "=b", "; a=b", "a=b\x00c", "a=b\rc", "a=\xff", "a=" + 4096 * "x"])
def test_what_is_no_cookie_is_none(field: str) -> None:
    """No name, a control character, bytes that are no UTF-8, more than 4 KiB."""
    assert read(field) is None


def test_the_largest_cookie_is_one() -> None:
    """4,096 bytes of name and value."""
    assert read("a=" + 4095 * "x") is not None


@pytest.mark.parametrize(
    ("url", "said", "path"),
    [
        (URL, "", "/a/b"),
        (URL, "; Path=/x", "/x"),
        (URL, "; path=/x/; Path=/y", "/y"),
        (URL, "; Path=", "/a/b"),
        (URL, "; Path=x", "/a/b"),
        ("https://h.test", "", "/"),
        ("https://h.test?q", "", "/"),
        ("https://h.test/page", "", "/"),
        ("https://h.test/a/", "", "/a"),
    ],
)
def test_path_is_the_folder_unless_another_is_said(url: str, said: str, path: str) -> None:
    """RFC 6265, 5.1.4 and 5.2.4; the last attribute of a name counts."""
    cookie = read("a=b" + said, url)
    assert cookie is not None
    assert cookie.path == path


@pytest.mark.parametrize(
    ("domain", "taken"),
    [
        ("www.shop.test", True),
        (".www.shop.test", True),
        ("SHOP.test", True),
        ("", True),
        ("hop.test", False),
        ("other.test", False),
        ("deep.www.shop.test", False),
    ],
)
def test_domain_widens_nothing(domain: str, taken: bool) -> None:
    """A cookie for the host's own domain is the host's alone; one for somebody else's is nobody's."""
    cookie = read(f"a=b; Domain={domain}")
    assert (cookie is not None) is taken
    assert cookie is None or (cookie.host, cookie.exact) == ("www.shop.test", True)


def test_domain_of_an_address_is_the_address() -> None:
    """Its last numbers are no domain."""
    assert read("a=b; Domain=127.0.0.1", "http://127.0.0.1:80/") is not None
    assert read("a=b; Domain=0.0.1", "http://127.0.0.1:80/") is None


@pytest.mark.parametrize(
    ("field", "https", "http"),
    [
        ("a=b; Secure", True, False),
        ("a=b; SECURE=no", True, False),
        ("__Secure-a=b; Secure", True, False),
        ("__Secure-a=b", False, False),
        ("__Host-a=b; Secure; Path=/", True, False),
        ("__host-a=b; Secure", False, False),
        ("__Host-a=b; Secure; Path=/a", False, False),
        ("__Host-a=b; Secure; Path=/; Domain=www.shop.test", False, False),
        ("a=b; HttpOnly; SameSite=Strict; Partitioned", True, True),
    ],
)
def test_what_a_cookie_promises_must_be_so(field: str, https: bool, http: bool) -> None:
    """Secure is for https to set; __Secure- says Secure, __Host- also says: whole host, and no domain."""
    assert (read(field, "https://www.shop.test/") is not None) is https
    assert (read(field, "http://www.shop.test/") is not None) is http


@pytest.mark.parametrize(
    ("said", "end"),
    [
        ("Max-Age=60", NOW + 60),
        ("max-age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", NOW + 60),
        ("Max-Age=0", -1.0),
        ("Max-Age=-5", -1.0),
        ("Max-Age=-", 0.0),
        ("Max-Age=", 0.0),
        ("Max-Age=soon", 0.0),
        ("Max-Age=6.5", 0.0),
        ("Max-Age=0000000000000000060", NOW + 60),
        ("Max-Age=" + "9" * 5000, NOW + 999_999_999_999),
        ("Expires=Sun, 09 Sep 2001 01:46:41 GMT", NOW + 1),
        ("Expires=Thu, 01 Jan 1970 00:00:00 GMT", -1.0),
        ("Expires=Wed, 31 Dec 1969 23:59:50 GMT", -10.0),
        ("Expires=never", 0.0),
        ("Expires=", 0.0),
    ],
)
def test_end_is_said_in_two_ways(said: str, end: float) -> None:
    """Max-Age goes before Expires; what cannot be read is not said."""
    cookie = read("a=b; " + said)
    assert cookie is not None
    assert cookie.expires == end


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)),
        ("Sun Nov  6 08:49:37 1994", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)),
        ("6 november 69 8:9:7", datetime(2069, 11, 6, 8, 9, 7, tzinfo=UTC)),
        ("1:2:3 2030 feb 28th", datetime(2030, 2, 28, 1, 2, 3, tzinfo=UTC)),
        ("Sun, 30 Feb 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 24:49:37 GMT", None),
        ("Sun, 06 Nov 1994", None),
        ("Nov 1994 08:49:37", None),
        ("06 Nov 1600 08:49:37", None),
        ("", None),
    ],
)
def test_date_is_read_in_any_order(text: str, moment: datetime | None) -> None:
    """RFC 6265, 5.1.1: what looks like a time, a day, a month, a year."""
    assert cookie_date(text) == moment


@given(st.text(st.characters(max_codepoint=255)), st.text(st.characters(max_codepoint=255)))
def test_no_field_does_harm(field: str, said: str) -> None:
    """Whatever bytes come, there is a cookie or none."""
    for text in (field, f"a=b; Expires={said}", f"a=b; Max-Age={said}", f"a=b; Domain={said}; Path={said}"):
        cookie = read(text)
        assert cookie is None or (cookie.host == "www.shop.test" and cookie.path.startswith("/"))


def test_nothing_of_a_cookie_shows() -> None:
    """Its value is somebody's session."""
    assert "s3cret" not in repr(read("a=s3cret"))
