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
