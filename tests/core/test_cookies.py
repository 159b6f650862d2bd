"""Cookies from a file, and the URLs that they go to."""

from __future__ import annotations

import pytest

from toolkit.core.cookies import read_cookies
from toolkit.core.errors import UsageError

NOW = 1_000_000.0
FILE = """# Netscape HTTP Cookie File
# a comment

.shop.test\tTRUE\t/\tFALSE\t0\tall\t1
shop.test\tFALSE\t/\tFALSE\t0\tjust\t2
#HttpOnly_.shop.test\tTRUE\t/cart\tTRUE\t2000000\tsafe\t3
.shop.test\tTRUE\t/\tFALSE\t999999\told\t4
other.test\tTRUE\t/a/\tFALSE\t1000000.5\tdeep\t5
localhost\tTRUE\t/\tFALSE\t\tlocal\t
10.0.0.1\tTRUE\t/\tFALSE\t0\tip\t6
"""


@pytest.mark.parametrize(
    ("url", "field"),
    [
        ("http://shop.test/", "all=1; just=2"),
        ("HTTP://SHOP.test:8080/x?y", "all=1; just=2"),
        ("http://www.shop.test/", "all=1"),
        ("https://www.shop.test/cart/1", "safe=3; all=1"),
        ("https://www.shop.test/cart", "safe=3; all=1"),
        ("https://www.shop.test/carts", "all=1"),
        ("http://www.shop.test/cart", "all=1"),
        ("http://myshop.test/", ""),
        ("http://test/", ""),
        ("http://other.test/a/b", "deep=5"),
        ("http://other.test/a", ""),
        ("http://localhost:8000", "local="),
        ("http://sub.localhost/", ""),
        ("http://10.0.0.1/", "ip=6"),
        ("http://1.10.0.0.1.test/", ""),
        ("http://user:pw@shop.test/", "all=1; just=2"),
    ],
)
def test_cookies_go_where_they_belong(url: str, field: str) -> None:
    """Domain, path, Secure and expiry decide; longer paths come first."""
    assert read_cookies(FILE, "c.txt").field(url, NOW) == field


def test_the_last_of_the_same_name_counts() -> None:
    """A file that was appended to."""
    lines = "h.test\tFALSE\t/\tFALSE\t0\tn\t{}\n"
    assert read_cookies(lines.format("old") + lines.format("new"), "c").field("http://h.test/", NOW) == "n=new"


@pytest.mark.parametrize(
    "line",
    [
        "h.test FALSE / FALSE 0 name value",
        "h.test\tFALSE\t/\tFALSE\tsoon\tname\tvalue",
        "h.test\tperhaps\t/\tFALSE\t0\tname\tvalue",
        "\tFALSE\t/\tFALSE\t0\tname\tvalue",
        "h.test\tFALSE\t/\tFALSE\t0\tname\ta; b=c",
        "h.test\tFALSE\t/\tFALSE\t0\tna\x01me\tvalue",
        '{"name": "value"}',
    ],
)
def test_a_line_that_is_no_cookie_is_named(line: str) -> None:
    """By its number, and never by what is in it: that may be somebody's session."""
    with pytest.raises(UsageError, match=r"^c\.txt:2: a cookie has seven fields") as caught:
        read_cookies(f"# Netscape\n{line}\n", "c.txt")
    assert "value" not in str(caught.value).replace("name, value)", "")


def test_nothing_of_a_cookie_shows() -> None:
    """Neither in a repr nor in one of what holds it."""
    assert "3" not in repr(read_cookies(FILE, "c.txt")._by_host["shop.test"][2]).replace("shop.test", "")
