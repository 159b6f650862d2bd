"""The tables of core/http.py: URLs, and header fields as RFC 9110 reads them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import (
    ContentRange,
    Head,
    Headers,
    MemorySink,
    Request,
    content_length,
    content_range,
    http_date,
    http_error,
    media_type,
    retry_after,
    strong_validator,
    unsatisfied_total,
)
from toolkit.core.urls import check_url, lane_of, origin_of, wire_url

DATE = "Fri, 01 Mar 2024 12:00:00 GMT"
NOW = datetime(2024, 3, 1, 12, 0, 0, tzinfo=UTC)


def fields(**named: str) -> Headers:
    """Return header fields from keywords, with dashes for underscores."""
    return Headers((name.replace("_", "-"), value) for name, value in named.items())


def test_headers_keep_order_and_compare_names_without_case() -> None:
    """Names lose their case, values their white space, and nothing its place."""
    headers = Headers([("Set-Cookie", " a "), ("X", "\t1\r\n"), ("set-cookie", "b")])
    assert list(headers) == [("set-cookie", "a"), ("x", "1"), ("set-cookie", "b")]
    assert (headers.get("SET-COOKIE"), headers.all("Set-Cookie")) == ("a", ["a", "b"])
    assert (headers.get("none"), headers.get("none", "d"), headers.all("none")) == (None, "d", [])


def test_headers_keep_bytes_that_only_look_like_white_space() -> None:
    """A no-break space at the end is half of a letter where a server sent UTF-8."""
    sent = "voil\xe0".encode().decode("latin-1")
    assert Headers([("X", sent)]).get("x") == sent


def test_request_gains_fields() -> None:
    """with_headers leaves the request as it was and returns a longer one."""
    request = Request("http://a/", headers=(("A", "1"),))
    assert request.with_headers(("B", "2")).headers == (("A", "1"), ("B", "2"))
    assert request.headers == (("A", "1"),)


@pytest.mark.parametrize(
    ("given", "wire"),
    [
        ("http://example.com", "http://example.com"),
        ("  http://example.com/a \n", "http://example.com/a"),
        ("http://example.com/a\tb\r\nc", "http://example.com/abc"),
        ("http://example.com/a#b", "http://example.com/a"),
        ("http://example.com/a#b?c", "http://example.com/a"),
        ("http://example.com/a b?c d", "http://example.com/a%20b?c%20d"),
        ("http://example.com/é?ü", "http://example.com/%C3%A9?%C3%BC"),
        ("http://example.com/%c3%a9%2f%zz", "http://example.com/%c3%a9%2f%zz"),
        ("http://example.com\\a\\b?c\\d", "http://example.com/a/b?c\\d"),
        ("http://example.com/a|b[c]{d}", "http://example.com/a|b[c]%7Bd%7D"),
        ('http://example.com/<a>"b"', "http://example.com/%3Ca%3E%22b%22"),
        ("http://example.com/../a/./b", "http://example.com/../a/./b"),
        ("HTTP://EXAMPLE.com/A", "http://example.com/A"),
        ("http://münchen.example/ä", "http://xn--mnchen-3ya.example/%C3%A4"),
        ("http://ann:pä@Bücher.example:8080/", "http://ann:p%C3%A4@xn--bcher-kva.example:8080/"),
        ("http://m%C3%BCnchen.example/", "http://xn--mnchen-3ya.example/"),
        ("http://日本.example/日本", "http://xn--wgv71a.example/%E6%97%A5%E6%9C%AC"),
        ("http://[::1]:80/a", "http://[::1]:80/a"),
        ("http://a_b.example/", "http://a_b.example/"),
        ("https://example.com/\udc80", "https://example.com/%80"),
    ],
)
def test_wire_url_changes_no_more_than_a_browser(given: str, wire: str) -> None:
    """What cannot be sent is encoded; escapes, dots and the case of paths stay; doing it twice changes nothing."""
    assert wire_url(given) == wire
    assert wire_url(wire) == wire


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("", FailureKind.INPUT),
        ("example.com/a", FailureKind.INPUT),
        ("ftp://example.com/", FailureKind.BLOCKED),
        ("file:///etc/passwd", FailureKind.BLOCKED),
        ("data:text/plain,hi", FailureKind.BLOCKED),
        ("javascript:alert(1)", FailureKind.BLOCKED),
        ("http:", FailureKind.INPUT),
        ("http:///a", FailureKind.INPUT),
        ("http://:80/", FailureKind.INPUT),
        ("http://user@/", FailureKind.INPUT),
        ("http://a:b/", FailureKind.INPUT),
        ("http://a:99999/", FailureKind.INPUT),
        ("http://[::1/", FailureKind.INPUT),
        ("http://[bad]/", FailureKind.INPUT),
    ],
)
def test_url_that_cannot_be_fetched_is_refused(url: str, kind: FailureKind) -> None:
    """Other schemes are blocked, and what has no host is bad input; neither is worth a retry."""
    for check in (check_url, wire_url):
        with pytest.raises(TaskError) as caught:
            check(url)
        assert (caught.value.kind, caught.value.retryable) == (kind, False)


@pytest.mark.parametrize("url", ["http://\ufdd0.example/", "http://%ff%fe.example/", "http://a..\u00e9/"])
def test_host_that_is_no_name_is_refused(url: str) -> None:
    """What IDNA cannot encode names no host."""
    with pytest.raises(TaskError) as caught:
        wire_url(url)
    assert caught.value.kind is FailureKind.INPUT


@pytest.mark.parametrize("url", ["http://a/b c", "http://a/\x00", "http://a/b\nc", "http://a/\x7f"])
def test_check_url_refuses_spaces_and_controls(url: str) -> None:
    """Nothing that could break the request line passes."""
    with pytest.raises(TaskError, match="space or control"):
        check_url(url)


@pytest.mark.parametrize(
    ("url", "lane", "scheme"),
    [
        ("http://Example.com/a", "example.com:80", "http"),
        ("https://example.com/a", "example.com:443", "https"),
        ("HTTPS://u:p@example.com:8443", "example.com:8443", "https"),
        ("http://[::1]/", "::1:80", "http"),
    ],
)
def test_lane_and_origin(url: str, lane: str, scheme: str) -> None:
    """Politeness is owed to a host and port; credentials belong to a scheme, host and port."""
    assert (lane_of(url), origin_of(url)) == (lane, (scheme, lane))


@pytest.mark.parametrize(
    ("values", "length"),
    [([], None), (["0"], 0), (["12"], 12), (["12", "12"], 12), (["12, 12"], 12), ([" 7 "], 7), (["007"], 7)],
)
def test_content_length_is_read(values: list[str], length: int | None) -> None:
    """A number, or the same one several times."""
    assert content_length(Headers([("Content-Length", value) for value in values])) == length


@pytest.mark.parametrize(
    "values", [["1", "2"], ["1, 2"], ["-1"], ["+1"], ["1.0"], ["0x1"], [""], ["١"], ["1 2"], ["²"]]
)
def test_content_length_that_is_none_is_a_broken_reply(values: list[str]) -> None:
    """Anything but ASCII digits, or two numbers, cannot be believed; another try may help."""
    with pytest.raises(TaskError) as caught:
        content_length(Headers([("Content-Length", value) for value in values]))
    assert (caught.value.kind, caught.value.retryable) == (FailureKind.PROTOCOL, True)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("bytes 0-0/1", ContentRange(0, 0, 1)),
        ("bytes 5-9/10", ContentRange(5, 9, 10)),
        ("bytes 5-9/*", ContentRange(5, 9, None)),
        ("bytes 0-9223372036854775806/9223372036854775807", ContentRange(0, 2**63 - 2, 2**63 - 1)),
        ("bytes 9-5/10", None),
        ("bytes 5-10/10", None),
        ("bytes=5-9/10", None),
        ("bytes 5-9", None),
        ("bytes */10", None),
        ("bytes 5-/10", None),
        ("bytes 5 - 9/10", None),
        ("items 5-9/10", None),
        ("bytes -5-9/10", None),
        ("bytes 5-9/10, 5-9/10", None),
        ("bytes ٥-9/10", None),
        ("bytes 5-9/" + "9" * 20, None),
        ("", None),
    ],
)
def test_content_range_is_read_strictly(value: str, found: ContentRange | None) -> None:
    """Bytes are spliced only where a range says exactly which they are."""
    assert content_range(fields(content_range=value)) == found


@pytest.mark.parametrize(
    ("value", "total"),
    [("bytes */10", 10), ("bytes */0", 0), ("bytes 0-1/10", None), ("bytes */*", None), ("*/10", None)],
)
def test_unsatisfied_total_is_read_strictly(value: str, total: int | None) -> None:
    """A 416 tells the size, if it does."""
    assert unsatisfied_total(fields(content_range=value)) == total
    assert unsatisfied_total(Headers()) is None


@pytest.mark.parametrize(
    ("value", "date"),
    [
        ("Fri, 01 Mar 2024 12:00:00 GMT", NOW),
        ("Friday, 01-Mar-24 12:00:00 GMT", NOW),
        ("Fri Mar  1 12:00:00 2024", NOW),
        ("Fri, 01 Mar 2024 13:00:00 +0100", NOW),
        ("yesterday", None),
        ("Fri, 99 Mar 2024 12:00:00 GMT", None),
        ("Fri, 01 Mar 99999999999 12:00:00 GMT", None),
        ("Fri, 31 Dec 9999 23:59:00 -0200", None),
        ("", None),
        (None, None),
    ],
)
def test_http_date_is_read_in_its_three_forms(value: str | None, date: datetime | None) -> None:
    """RFC 9110 allows three; nonsense is no date, and no exception."""
    assert http_date(value) == date


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("Fri, 01 Mar 2024 12:02:00 GMT", 120.0),
        ("Fri, 01 Mar 2024 11:00:00 GMT", 0.0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("٣", None),
        ("9" * 5000, 999_999_999.0),
    ],
)
def test_retry_after_is_read_in_both_forms(value: str, seconds: float | None) -> None:
    """Seconds or a date; the past is now, the endless is capped, nonsense is nothing."""
    assert retry_after(fields(retry_after=value), NOW) == seconds


def test_retry_after_is_measured_by_the_servers_clock() -> None:
    """A date counts from the reply's own Date: this machine's clock may be wrong."""
    headers = fields(retry_after="Fri, 01 Mar 2024 12:00:30 GMT", date=DATE)
    assert retry_after(headers, datetime(2030, 1, 1, tzinfo=UTC)) == 30.0
    assert retry_after(Headers()) is None


@pytest.mark.parametrize(
    ("headers", "validator"),
    [
        (fields(etag='"abc"'), '"abc"'),
        (fields(etag='""'), '""'),
        (fields(etag='W/"abc"'), None),
        (fields(etag="abc"), None),
        (fields(etag='"a"b"'), None),
        (fields(etag='"a b"'), None),
        (fields(last_modified="Fri, 01 Mar 2024 11:59:00 GMT", date=DATE), "Fri, 01 Mar 2024 11:59:00 GMT"),
        (fields(last_modified="Fri, 01 Mar 2024 11:59:01 GMT", date=DATE), None),
        (fields(last_modified="Fri, 01 Mar 2024 13:00:00 GMT", date=DATE), None),
        (fields(last_modified="Fri, 01 Mar 2024 11:00:00 GMT"), None),
        (fields(last_modified="once", date=DATE), None),
        (fields(etag='W/"a"', last_modified="Fri, 01 Mar 2024 11:00:00 GMT", date=DATE), None),
        (Headers(), None),
    ],
)
def test_strong_validator_is_what_if_range_may_carry(headers: Headers, validator: str | None) -> None:
    """A strong ETag, or, without any ETag, a date that is a minute older than the reply."""
    assert strong_validator(headers) == validator


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("text/html", ("text/html", None)),
        ("Text/HTML; Charset=UTF-8", ("text/html", "UTF-8")),
        ("text/html;charset='latin-1' ", ("text/html", "latin-1")),
        ('text/html; a=b; charset="utf-8"; charset=x', ("text/html", "utf-8")),
        ("text/html; charset=", ("text/html", None)),
        ('text/html; charset=""', ("text/html", None)),
        ("; charset=utf-8", ("", "utf-8")),
        ("", ("", None)),
    ],
)
def test_media_type_is_read_as_it_is_written(value: str, found: tuple[str, str | None]) -> None:
    """The type in lower case, and the charset as the server spells it, without quotes."""
    assert media_type(fields(content_type=value)) == found
    assert media_type(Headers()) == ("", None)


@pytest.mark.parametrize(
    ("status", "wait", "kind", "retryable"),
    [
        (404, None, FailureKind.HTTP, False),
        (403, None, FailureKind.HTTP, False),
        (408, None, FailureKind.HTTP, True),
        (429, None, FailureKind.THROTTLED, True),
        (429, "5", FailureKind.THROTTLED, True),
        (500, None, FailureKind.HTTP, True),
        (501, None, FailureKind.HTTP, False),
        (503, None, FailureKind.HTTP, True),
        (503, "5", FailureKind.THROTTLED, True),
        (503, "soon", FailureKind.HTTP, True),
        (520, None, FailureKind.HTTP, True),
    ],
)
def test_http_error_knows_what_the_schedule_needs(
    status: int, wait: str | None, kind: FailureKind, retryable: bool
) -> None:
    """Whether to try again, when, and whether the host as a whole should be left alone."""
    headers = fields(retry_after=wait) if wait else Headers()
    error = http_error(Head("http://a/", status, headers, "Why"))
    assert (error.kind, error.retryable, error.message) == (kind, retryable, f"HTTP {status} Why")
    assert error.retry_after == (5.0 if wait == "5" else None)
    assert error.cool_lane == (status in (429, 503))


def test_memory_sink_has_a_limit() -> None:
    """Blocks are copied, as their buffer is used again; the first byte too many is refused."""
    sink, buffer = MemorySink(4), bytearray(b"ab")
    sink.write(memoryview(buffer))
    buffer[:] = b"cd"
    sink.write(buffer)
    assert (sink.body(), sink.size) == (b"abcd", 4)
    with pytest.raises(TaskError) as caught:
        sink.write(b"e")
    assert (caught.value.kind, caught.value.retryable) == (FailureKind.TOO_LARGE, False)
