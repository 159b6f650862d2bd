"""The rules of RFC 9111, by the table and by what must hold for all times."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.apps.scrape import freshness
from toolkit.apps.scrape.freshness import LONGEST, Entry
from toolkit.core.http import Head, Headers, Request

NOW = 1_700_000_000.0
URL = "http://site.test/page"
ASK = Request(URL)
WHEN = st.integers(1_000_000_000, 3_000_000_000)
SECONDS = st.integers(0, 10_000_000)


def at(moment: float) -> str:
    """Return a moment as HTTP writes it."""
    return format_datetime(datetime.fromtimestamp(moment, UTC), usegmt=True)


def entry(*fields: tuple[str, str], request: Request = ASK, asked: float = NOW, answered: float = NOW) -> Entry:
    """Return what is kept of a reply with these fields."""
    headers = Headers(fields)
    return freshness.entry_of(request, Head(URL, 200, headers, "OK"), headers, asked, answered)


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("max-age=60", {"max-age": ["60"]}),
        ("Max-Age=60, PRIVATE", {"max-age": ["60"], "private": [""]}),
        ('max-age="60"', {"max-age": ["60"]}),
        ("max-age = 60 ,, no-cache", {"max-age": ["60"], "no-cache": [""]}),
        ('private="a, no-store", max-age=1', {"private": ["a, no-store"], "max-age": ["1"]}),
        (r'ext="a \"no-store\" b"', {"ext": ['a "no-store" b']}),
        ("max-age=1, max-age=2", {"max-age": ["1", "2"]}),
        ("max-age=60 no-store", {"max-age": ["60"], "no-store": [""]}),
        ('ext="open, no-store', {"ext": [""], "open": [""], "no-store": [""]}),
        ("", {}),
    ],
)
def test_directives_when_written_in_every_way(field: str, found: dict[str, list[str]]) -> None:
    """Names have no case, quotes come off, and what is misspelled hides no other."""
    assert freshness.directives(Headers([("Cache-Control", field)])) == found


def test_directives_when_there_are_several_fields() -> None:
    """They count as one."""
    fields = Headers([("Cache-Control", "no-cache"), ("Cache-Control", "max-age=3")])
    assert freshness.directives(fields) == {"no-cache": [""], "max-age": ["3"]}


@pytest.mark.parametrize(
    ("fields", "lifetime"),
    [
        ([("Cache-Control", "max-age=3600")], 3600),
        ([("Cache-Control", "s-maxage=3600")], 0),
        ([("Cache-Control", "s-maxage=10, max-age=20")], 20),
        ([("Cache-Control", "max-age=99999999999999999999999")], LONGEST),
        ([("Cache-Control", "max-age=-1")], 0),
        ([("Cache-Control", "max-age=1.5")], 0),
        ([("Cache-Control", "max-age=٣")], 0),
        ([("Cache-Control", "max-age")], 0),
        ([("Cache-Control", "max-age=5, max-age=500")], 0),
        ([("Cache-Control", "max-age=5, max-age=5")], 5),
        ([("Cache-Control", "max-age=5"), ("Expires", at(NOW + 900))], 5),
        ([("Cache-Control", "max-age=x"), ("Expires", at(NOW + 900))], 0),
        ([("Expires", at(NOW + 900)), ("Date", at(NOW))], 900),
        ([("Expires", at(NOW + 900)), ("Date", at(NOW + 100))], 800),
        ([("Expires", at(NOW + 900))], 900),
        ([("Expires", at(NOW - 900)), ("Date", at(NOW))], 0),
        ([("Expires", "0"), ("Date", at(NOW))], 0),
        ([("Expires", "-1")], 0),
        ([("Expires", "soon")], 0),
        ([("Expires", at(NOW + 900)), ("Expires", at(NOW + 901))], 0),
        ([("Expires", at(NOW + 900)), ("Expires", at(NOW + 900))], 900),
        ([("Last-Modified", at(NOW - 1e8)), ("Date", at(NOW))], 0),
        ([], 0),
    ],
)
def test_lifetime(fields: list[tuple[str, str]], lifetime: float) -> None:
    """max-age before Expires less Date; what is wrong or double is stale; nothing is guessed from Last-Modified."""
    assert freshness.lifetime(Headers(fields), NOW) == lifetime


@pytest.mark.parametrize(
    ("text", "lifetime"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 100),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 100),
        ("Sun Nov  6 08:49:37 1994", 100),
    ],
)
def test_lifetime_when_dates_have_older_forms(text: str, lifetime: float) -> None:
    """All three forms of RFC 9110, 5.6.7 are read."""
    fields = [("Date", "Sun, 06 Nov 1994 08:47:57 GMT"), ("Expires", text)]
    assert freshness.lifetime(Headers(fields), NOW) == lifetime


@pytest.mark.parametrize(
    ("fields", "delay", "later", "age"),
    [
        ([], 0, 0, 0),
        ([], 3, 10, 13),
        ([("Age", "100")], 0, 10, 110),
        ([("Age", "100")], 5, 10, 115),
        ([("Date", at(NOW - 50))], 0, 10, 60),
        ([("Date", at(NOW - 50)), ("Age", "20")], 0, 10, 60),
        ([("Date", at(NOW - 50)), ("Age", "80")], 0, 10, 90),
        ([("Date", at(NOW + 5000))], 0, 10, 10),
        ([("Age", "x")], 0, 10, 10),
        ([("Age", "-5")], 0, 10, 10),
        ([("Age", "7, 900")], 0, 10, 17),
        ([("Age", "9" * 40)], 0, 0, LONGEST),
        ([("Date", "yesterday")], 0, 10, 10),
    ],
)
def test_age(fields: list[tuple[str, str]], delay: float, later: float, age: float) -> None:
    """The greater of what the date says and what Age with the delay says, and the time since (RFC 9111, 4.2.3)."""
    assert freshness.age(Headers(fields), NOW - delay, NOW, NOW + later) == age


@given(date=WHEN, asked=WHEN, delay=SECONDS, told=SECONDS, later=SECONDS, limit=SECONDS)
def test_freshness_when_clocks_are_anything(
    date: int, asked: int, delay: int, told: int, later: int, limit: int
) -> None:
    """The RFC's own formulas, word by word; and what is stale once stays so."""
    fields = (("Date", at(date)), ("Age", str(told)), ("Cache-Control", f"max-age={limit}"))
    answered, now = asked + delay, asked + delay + later
    apparent_age = max(0, answered - date)
    response_delay = answered - asked
    corrected_age_value = told + response_delay
    corrected_initial_age = max(apparent_age, corrected_age_value)
    resident_time = now - answered
    current_age = corrected_initial_age + resident_time
    kept = entry(*fields, asked=asked, answered=answered)
    assert freshness.age(kept.headers, asked, answered, now) == current_age
    fresh = freshness.is_fresh(kept, ASK, now)
    assert fresh == (limit > current_age)
    assert fresh or not freshness.is_fresh(kept, ASK, now + 1)


@given(st.dictionaries(st.sampled_from(["date", "age", "expires", "cache-control", "vary", "etag"]), st.text()))
def test_any_text_in_any_field_breaks_nothing(fields: dict[str, str]) -> None:
    """Fields come from strangers."""
    kept = entry(*fields.items())
    freshness.is_fresh(kept, ASK, NOW + 1)
    freshness.conditions(kept, ASK)
    freshness.updated(kept.headers, kept.headers)
    freshness.may_keep(Head(URL, 200, kept.headers))
    assert freshness.is_chosen(kept, ASK)


HOUR = ("Cache-Control", "max-age=3600")


@pytest.mark.parametrize(
    ("fields", "asks", "fresh"),
    [
        ([HOUR], [], True),
        ([("Cache-Control", "max-age=3600, private, must-revalidate, immutable")], [], True),
        ([("Cache-Control", "max-age=3600, no-cache")], [], False),
        ([("Cache-Control", 'max-age=3600, no-cache="set-cookie"')], [], False),
        ([("Cache-Control", "max-age=100")], [], False),
        ([("Cache-Control", "max-age=101")], [], True),
        ([HOUR], [("Cache-Control", "no-cache")], False),
        ([HOUR], [("Cache-Control", "max-age=0")], False),
        ([HOUR], [("Cache-Control", "max-age=100")], True),
        ([HOUR], [("Cache-Control", "max-age=99")], False),
        ([HOUR], [("Cache-Control", "min-fresh=3500")], True),
        ([HOUR], [("Cache-Control", "min-fresh=3501")], False),
        ([("ETag", '"1"')], [], False),
    ],
)
def test_fresh_when_a_hundred_seconds_have_passed(
    fields: list[tuple[str, str]], asks: list[tuple[str, str]], fresh: bool
) -> None:
    """no-cache of either side asks; the request's max-age and min-fresh narrow the reply's lifetime."""
    assert freshness.is_fresh(entry(*fields), Request(URL, headers=tuple(asks)), NOW + 100) == fresh


@pytest.mark.parametrize(("max_age", "fresh"), [(0, False), (100, False), (100.5, True), (1e9, True)])
@pytest.mark.parametrize("control", ["max-age=100000", "max-age=0", "no-cache"])
def test_fresh_when_the_user_says_how_long(max_age: float, fresh: bool, control: str) -> None:
    """The user's word decides alone, from when the page came here."""
    kept = entry(("Cache-Control", control), ("Age", "5000"))
    assert freshness.is_fresh(kept, ASK, NOW + 100, max_age) == fresh


def test_fresh_when_the_clock_went_back() -> None:
    """A page from the future is asked for."""
    assert not freshness.is_fresh(entry(HOUR), ASK, NOW - 1)
    assert not freshness.is_fresh(entry(HOUR), ASK, NOW - 1, max_age=1e9)


def test_fresh_when_cookies_or_addresses_are_others() -> None:
    """A page that was got with other cookies, or from where we may not go now, is asked for."""
    mine = Request(URL, headers=(("Cookie", "a=1"),))
    assert freshness.is_fresh(entry(HOUR, request=mine), mine, NOW)
    assert not freshness.is_fresh(entry(HOUR, request=mine), ASK, NOW)
    assert not freshness.is_fresh(entry(HOUR), mine, NOW, max_age=100)
    guarded = Request(URL, addresses="public")
    assert not freshness.is_fresh(entry(HOUR), guarded, NOW, max_age=100)
    for address, may in (("93.184.216.34", True), ("127.0.0.1", False), ("", False)):
        assert freshness.is_fresh(replace(entry(HOUR), address=address), guarded, NOW) is may
        assert freshness.is_fresh(replace(entry(HOUR), address=address), ASK, NOW)


def test_cookies_when_kept_are_no_longer_readable() -> None:
    """What Vary names may be a secret: only what stands for it is kept."""
    request = Request(URL, headers=(("Cookie", "session=geheim"),))
    assert "geheim" not in repr(entry(("Vary", "Cookie"), request=request))


@pytest.mark.parametrize(
    ("request_", "may"),
    [
        (ASK, True),
        (Request(URL, "HEAD"), False),
        (Request(URL, "POST", body=b"x"), False),
        (Request(URL, headers=(("authorization", "Basic eDp5"),)), False),
        (Request(URL, headers=(("Range", "bytes=0-1"),)), False),
        (Request(URL, headers=(("If-None-Match", '"1"'),)), False),
        (Request(URL, headers=(("Cache-Control", "no-store"),)), False),
        (Request(URL, headers=(("Cache-Control", "no-cache"), ("Cookie", "a=1"))), True),
    ],
)
def test_may_ask(request_: Request, may: bool) -> None:
    """Whole pages only, for nobody in particular."""
    assert freshness.may_ask(request_) == may


@pytest.mark.parametrize(
    ("status", "fields", "may"),
    [
        (200, [], True),
        (200, [("Cache-Control", "private, max-age=0")], True),
        (200, [("Cache-Control", "no-cache, no-store")], False),
        (200, [("Vary", "Accept, *")], False),
        (206, [], False),
        (301, [HOUR], False),
        (404, [HOUR], False),
    ],
)
def test_may_keep(status: int, fields: list[tuple[str, str]], may: bool) -> None:
    """Only whole pages that may be kept by a private cache, and found again."""
    assert freshness.may_keep(Head(URL, status, Headers(fields))) == may


@pytest.mark.parametrize(
    ("vary", "before", "now", "same"),
    [
        ("", [("Accept", "a")], [("Accept", "b")], True),
        ("Accept", [("accept", "a")], [("Accept", "a")], True),
        ("Accept", [("Accept", "a")], [("Accept", "b")], False),
        ("Accept", [("Accept", "a")], [], False),
        ("Accept", [("Accept", "")], [], True),
        ("accept , USER-AGENT", [("Accept", "a"), ("User-Agent", "u")], [("User-Agent", "u"), ("Accept", "a")], True),
        ("Accept", [("Accept", "a,  b")], [("Accept", "a"), ("Accept", "b")], True),
        ("Accept", [("Other", "a")], [("Other", "b")], True),
    ],
)
def test_chosen_when_vary_names_fields(
    vary: str, before: list[tuple[str, str]], now: list[tuple[str, str]], same: bool
) -> None:
    """The fields that Vary names must be the same, but for case of names, order and white space."""
    kept = entry(("Vary", vary), request=Request(URL, headers=tuple(before)))
    assert freshness.is_chosen(kept, Request(URL, headers=tuple(now))) == same


@pytest.mark.parametrize(
    ("fields", "conditions"),
    [
        ([("ETag", '"a"'), ("Last-Modified", at(NOW - 9))], [("If-None-Match", '"a"')]),
        ([("ETag", 'W/"a"')], [("If-None-Match", 'W/"a"')]),
        ([("ETag", "bare")], [("If-None-Match", "bare")]),
        ([("ETag", ""), ("Last-Modified", at(NOW))], [("If-Modified-Since", at(NOW))]),
        ([("ETag", '"\xe4"')], []),
        ([("Last-Modified", at(NOW - 9))], [("If-Modified-Since", at(NOW - 9))]),
        ([("Last-Modified", at(NOW + 9))], []),
        ([("Last-Modified", at(NOW + 9)), ("Date", at(NOW + 9))], [("If-Modified-Since", at(NOW + 9))]),
        ([("Last-Modified", "yesterday")], []),
        ([HOUR], []),
    ],
)
def test_conditions(fields: list[tuple[str, str]], conditions: list[tuple[str, str]]) -> None:
    """By ETag, weak or not, else by a date that can be true; the server's own words are sent back."""
    assert list(freshness.conditions(entry(*fields), ASK)) == conditions


def test_conditions_when_cookies_are_others() -> None:
    """A date says nothing about another user's page, an ETag does."""
    mine = Request(URL, headers=(("Cookie", "a=1"),))
    assert not freshness.conditions(entry(("Last-Modified", at(NOW))), mine)
    assert freshness.conditions(entry(("ETag", '"1"')), mine)


@pytest.mark.parametrize(
    ("mine", "theirs", "same"),
    [
        ('"a"', '"a"', True),
        ('"a"', 'W/"a"', True),
        ('W/"a"', '"a"', True),
        ('"a"', None, True),
        (None, '"a"', True),
        ('"a"', '"b"', False),
    ],
)
def test_confirms(mine: str | None, theirs: str | None, same: bool) -> None:
    """A 304 with another ETag is about another page."""
    kept = entry(*([("ETag", mine)] if mine else []))
    head = Head(URL, 304, Headers([("ETag", theirs)] if theirs else []))
    assert freshness.confirms(kept, head) == same


def test_fields_that_are_kept() -> None:
    """All but those of one exchange, and those that Connection names; cookies are never kept."""
    fields = [
        *[("Connection", "close, X-Hop, Content-Encoding"), ("X-Hop", "1"), ("Keep-Alive", "1"), ("TE", "1")],
        *[("Transfer-Encoding", "chunked"), ("Content-Length", "5"), ("Set-Cookie", "a=1"), ("Set-Cookie2", "a=1")],
        *[("Content-Encoding", "gzip"), ("X-A", "1"), ("X-A", "2"), ("Date", at(NOW))],
    ]
    kept = freshness.kept_fields(Headers(fields))
    assert list(kept) == [("content-encoding", "gzip"), ("x-a", "1"), ("x-a", "2"), ("date", at(NOW))]


def test_fields_after_a_304() -> None:
    """Its fields take the place of the old ones; those of the body stay; its age and date are its own."""
    old = [("A", "1"), ("A", "2"), ("B", "3"), ("Age", "50"), ("Date", at(1)), ("Content-Encoding", "gzip")]
    new = [("a", "4"), ("Cache-Control", "max-age=9"), ("Content-Encoding", "br"), ("Content-Type", "text/plain")]
    found = freshness.updated(Headers(old), Headers([*new, ("Set-Cookie", "x=1"), ("Content-Length", "0")]))
    assert list(found) == [("b", "3"), ("content-encoding", "gzip"), ("a", "4"), ("cache-control", "max-age=9")]
