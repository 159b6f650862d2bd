"""What pages may ask for, and what goes out in their stead."""

from __future__ import annotations

import pytest

from toolkit.apps.scrape.rendering.subresources import (
    MOST,
    Asked,
    Ledger,
    refusal,
    request_for,
    same_origin,
    told,
)
from toolkit.core.http import Headers, Request

PAGE = "https://shop.example/list"


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (Asked("https://shop.example/a.js", "script"), ""),
        (Asked("http://other.example/a", "xhr"), ""),
        (Asked("HTTPS://shop.example/a", "fetch", "POST"), ""),
        (Asked("https://shop.example:444/a", "fetch", "POST"), "POST to another origin"),
        (Asked("http://shop.example/a", "fetch", "POST"), "POST to another origin"),
        (Asked("https://shop.example/a", "fetch", "PUT"), "method PUT"),
        (Asked("https://shop.example/a.png", "image"), "image"),
        (Asked("https://shop.example/a", "websocket"), "websocket"),
        (Asked("ftp://shop.example/a", "document"), "scheme ftp"),
        (Asked("file:///etc/passwd", "fetch"), "scheme file"),
        (Asked("chrome://version", "document"), "scheme chrome"),
    ],
)
def test_refusal_when_asked_for(asked: Asked, why: str) -> None:
    """Text and scripts over HTTP are fetched; the rest has its reason."""
    assert refusal(asked, PAGE, Ledger(1000)) == why


def test_refusal_when_there_was_much() -> None:
    """A page has so many requests and bytes, and no more."""
    asked = Asked("https://shop.example/a.js", "script")
    assert refusal(asked, PAGE, Ledger(1000, requests=MOST)) == f"more than {MOST} requests"
    ledger = Ledger(1000)
    ledger.left = 0
    assert refusal(asked, PAGE, ledger) == "too much for one page"


LIKE = Request(
    PAGE, headers=(("User-Agent", "me"), ("Cookie", "a=1"), ("X-Key", "k"), ("Accept", "text/html")), read_timeout=3.0
)
THEIRS = (
    ("accept", "*/*"), ("cookie", "theirs=1"), ("user-agent", "HeadlessChrome"), ("x-key", "theirs"), ("x-own", "1"),
    ("host", "evil"), ("content-length", "9"), ("transfer-encoding", "chunked"), ("sec-fetch-mode", "cors"),
    ("referer", PAGE), ("content-type", "application/json"), ("proxy-authorization", "x"), ("range", "bytes=0-"),
)  # fmt: skip


def test_request_when_of_the_same_origin() -> None:
    """Our fields go before the page's, which says what it accepts and sends; framing is ours alone."""
    made = request_for(Asked(PAGE + "#x", "xhr", "POST", THEIRS, b"{}"), PAGE, LIKE, public=False)
    assert made.headers == (
        ("User-Agent", "me"), ("Cookie", "a=1"), ("X-Key", "k"),
        ("accept", "*/*"), ("x-own", "1"), ("referer", PAGE), ("content-type", "application/json"),
    )  # fmt: skip
    assert (made.url, made.method, made.body, made.read_timeout, made.addresses) == (PAGE, "POST", b"{}", 3.0, "any")


def test_request_when_of_another_origin() -> None:
    """Only who we are is told there; a page from the public Internet is not led to private addresses."""
    made = request_for(Asked("https://api.example/", "xhr", headers=THEIRS), PAGE, LIKE, public=True)
    assert [name for name, _ in made.headers] == ["User-Agent", "accept", "x-key", "x-own", "referer", "content-type"]
    assert dict(made.headers)["x-key"] == "theirs"
    assert made.addresses == "public"


def test_request_when_its_fields_are_endless() -> None:
    """They are left out: servers would refuse them all."""
    made = request_for(Asked(PAGE, "xhr", headers=(("x-long", "x" * 20_000),)), PAGE, LIKE, public=False)
    assert [name for name, _ in made.headers] == ["User-Agent", "Cookie", "X-Key"]


def test_head_when_told_to_a_page() -> None:
    """It says what the body is and who may read it; nothing in it makes a browser do something."""
    headers = Headers(
        [
            ("Content-Type", "text/css"), ("Access-Control-Allow-Origin", "*"), ("Set-Cookie", "a=1"),
            ("Refresh", "0;url=/x"), ("X-Total", "3"), ("Content-Encoding", "gzip"), ("X-Odd", "caf\xe9"),
            ("Link", "</a>; rel=next"), ("link", "</b>; rel=prev"), ("Clear-Site-Data", "*"), ("Location", "/y"),
        ]
    )  # fmt: skip
    assert told(headers) == {
        "content-type": "text/css",
        "access-control-allow-origin": "*",
        "x-total": "3",
        "link": "</a>; rel=next, </b>; rel=prev",
    }


def test_origin_when_it_is_no_url() -> None:
    """What is no URL is of no origin."""
    assert same_origin("http://a:80/", "http://A/x")
    assert not same_origin("http://a:b/", "http://a:b/")
