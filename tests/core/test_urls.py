"""The short way through URLs gives what the long way gives."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.core import urls
from toolkit.core.errors import TaskError

TEXT = st.text("abz09.-_~:/?#[]@!$&'()*+,;=%\\^|{}<>\" é", max_size=12)


def outcome(function: str, url: str) -> str:
    """Return what a function of the module makes of a URL, or why it refuses."""
    try:
        return str(getattr(urls, function)(url))
    except TaskError as error:
        return f"{error.kind}: {error}"


@pytest.mark.parametrize("function", ["wire_url", "lane_of"])
@given(
    url=st.builds(
        "{}://{}{}{}{}".format,
        st.sampled_from(["http", "https"]),
        st.sampled_from(["a.org", "127.0.0.1", "x-1.b"]),
        st.sampled_from(["", ":80", ":8080", ":443", ":0", ":65536", ":59999"]),
        st.builds("/{}".format, TEXT) | st.just(""),
        st.builds("?{}".format, TEXT) | st.just(""),
    )
)
def test_short_way_agrees_with_the_long_way(function: str, url: str) -> None:
    """An ordinary URL is recognised only where nothing about it would change."""
    if function == "lane_of" and outcome("wire_url", url) != url:
        return  # lanes are asked for URLs that are fit for the wire
    short = outcome(function, url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(urls, "_ORDINARY", re.compile("(?!)"))
        assert outcome(function, url) == short


@pytest.mark.parametrize(
    ("url", "wire"),
    [
        ("HTTP://H/A?B", "http://h/A?B"),
        ("Https://Me:Pass@Example.ORG:8080/A#B", "https://Me:Pass@example.org:8080/A"),
        ("http://B\xfccher.DE?Q", "http://xn--bcher-kva.de?Q"),
        ("http://[FE80::1%25eth0]/A", "http://[fe80::1%25eth0]/A"),
        ("http://H", "http://h"),
        ("http://h/a b?", "http://h/a%20b?"),
        ("http://127.1:8/c", "http://127.0.0.1:8/c"),
        ("http://Me:0x7f@0x7F.1./?", "http://Me:0x7f@127.0.0.1/?"),
        ("http://2130706433", "http://127.0.0.1"),
        ("http://0177.0.0.010/a b", "http://127.0.0.8/a%20b"),
        ("http://1.2.3.4?", "http://1.2.3.4?"),
        ("http://1.2.3/", "http://1.2.0.3/"),
        ("http://a1.de/127.1", "http://a1.de/127.1"),
    ],
)
def test_wire_url_writes_scheme_and_host_in_small_letters(url: str, wire: str) -> None:
    """The same address is the same text, so that it is fetched once; what case may matter in stays."""
    assert urls.wire_url(url) == wire == urls.wire_url(wire)


@pytest.mark.parametrize(
    "host",
    ["1.2.3.4.5", "256.1", "a.1", "09.1", "4294967296", "1..2", "-1.1", "1_0.1", "x.0x", "9" * 5000, "0x" + "f" * 9000],
)
def test_wire_url_refuses_what_is_no_address(host: str) -> None:
    """What ends in a number is an address, or nothing: no name server is asked, whatever the client."""
    with pytest.raises(TaskError, match="not an address"):
        urls.wire_url(f"http://{host}:8/x")


@pytest.mark.parametrize("host", ["a b", "a%20b", "a\x7fb", "a|b", "a<b", "a%2Fb", "a^b"])
def test_wire_url_refuses_what_is_no_host(host: str) -> None:
    """Before anything is asked for: two words in a line, mostly."""
    with pytest.raises(TaskError, match="not a host name"):
        urls.wire_url(f"http://{host}/x")
