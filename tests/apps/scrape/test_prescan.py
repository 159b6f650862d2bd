"""The prescan finds what browsers find in the first 1024 bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.apps.scrape.prescan import LENGTH, charset_in, prescan

TABLE: list[tuple[bytes, str | None]] = [
    (b"", None),
    (b"<p>no declaration</p>", None),
    (b'<meta charset="utf-8">', "utf-8"),
    (b"<meta charset=utf-8>", "utf-8"),
    (b"<meta charset = 'koi8-r' >", "koi8-r"),
    (b"<META CHARSET=Windows-1251>", "windows-1251"),
    (b"<meta/charset=utf-8>", "utf-8"),
    (b"<meta\x0ccharset=utf-8/>", None),  # an unquoted value takes the slash: "utf-8/" is no label
    (b"<meta charset=utf-8 />", "utf-8"),
    (b"<metacharset=utf-8>", None),
    (b"<meta charset>", None),
    (b"<meta charset=>", None),
    (b"<meta charset=latin1>", "windows-1252"),
    (b"<meta charset=gb2312>", "gbk"),
    (b"<meta charset=utf-16>", "utf-8"),
    (b"<meta charset=utf-16be>", "utf-8"),
    (b"<meta charset=x-user-defined>", "windows-1252"),
    (b"<meta charset=martian><meta charset=utf-8>", "utf-8"),
    (b"<meta charset=martian charset=utf-8>", None),  # the second of a name is not looked at
    (b'<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">', "koi8-r"),
    (b'<meta content="text/html; charset=koi8-r" http-equiv=content-type>', "koi8-r"),
    (b'<meta content="text/html; charset=koi8-r">', None),  # without the pragma
    (b'<meta name=x content="charset=koi8-r" http-equiv=refresh>', None),
    (b'<meta http-equiv=content-type content="charset=koi8-r" charset=utf-8>', "utf-8"),
    (b'<meta charset=utf-8 http-equiv=content-type content="charset=koi8-r">', "utf-8"),
    (b"<!-- <meta charset=koi8-r> --><meta charset=utf-8>", "utf-8"),
    (b"<!--><meta charset=utf-8>", "utf-8"),  # the dashes count for both ends
    (b"<!-- <meta charset=koi8-r>", None),
    (b'<div title="<meta charset=koi8-r>"><meta charset=utf-8>', "utf-8"),
    (b"<div title='a>b'<meta charset=koi8-r>", None),  # still within the div
    (b"</div title='<meta charset=koi8-r>'><meta charset=utf-8>", "utf-8"),
    (b"<!doctype html><meta charset=utf-8>", "utf-8"),
    (b"<?php <meta charset=koi8-r><meta charset=utf-8>", "utf-8"),
    (b"</ <meta charset=koi8-r><meta charset=utf-8>", "utf-8"),
    (b"< <meta charset=utf-8>", "utf-8"),
    (b"<script>'<meta charset=koi8-r>'</script>", "koi8-r"),  # the prescan knows no scripts
    (b"a" * (LENGTH - 20) + b"<meta charset=utf-8>", "utf-8"),
    (b"a" * (LENGTH - 19) + b"<meta charset=utf-8>", None),
    (b'<?xml version="1.0" encoding="koi8-r"?><html>', "koi8-r"),
    (b"<?xml version='1.0' encoding = 'koi8-r' ?>", "koi8-r"),
    (b'<?xml encoding="utf-16"?>', "utf-8"),
    (b'<?xml encoding="koi8 r"?>', None),
    (b'<?xml encoding="martian"?>', None),
    (b"<?xml encoding=koi8-r?>", None),
    (b' <?xml encoding="koi8-r"?>', None),  # only at the very start
    (b'<?xml encoding="koi8-r"?><meta charset=utf-8>', "utf-8"),  # the meta is asked first
    (b"<\0?\0x\0m\0l\0", "utf-16le"),
    (b"\0<\0?\0x\0m\0l", "utf-16be"),
]


@pytest.mark.parametrize(("head", "expected"), TABLE)
def test_prescan_when_declared_so(head: bytes, expected: str | None) -> None:
    """Each row follows the algorithm of the HTML standard, 13.2.3.2."""
    assert prescan(head) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("text/html; charset=utf-8", "utf-8"),
        ("text/html; CHARSET = utf-8 ; x", "utf-8"),
        ("charset='koi8-r'", "koi8-r"),
        ('charset="koi8-r', None),
        ("charset charset=utf-8", "utf-8"),
        ("charset", None),
        ("text/html", None),
        ("charset=", ""),
    ],
)
def test_charset_in_content(content: str, expected: str | None) -> None:
    """The label is found as the HTML standard says in 2.6.6."""
    assert charset_in(content) == expected


@given(st.binary(max_size=60) | st.text("<>metacharsetutf-8='\"/! -", max_size=60).map(str.encode))
def test_prescan_when_given_anything(head: bytes) -> None:
    """Whatever the bytes, the prescan ends with a name or None."""
    answer = prescan(head)
    assert answer is None or answer.islower()
