"""What columns say of a file: every form that is understood, and a clear word for what is not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.lists.reading import quick
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.lists.columns import MOST_MIRRORS, Details, read_details

MD5, SHA1, SHA256, SHA512 = "0" * 32, "1" * 40, "a" * 64, "b" * 128


@pytest.mark.parametrize(
    ("columns", "details"),
    [
        ({}, Details()),
        ({"name": "", "checksum": " ", "size": "", "headers": "", "mirrors": "", "pieces": ""}, Details()),
        ({" Name ": " a.jpg "}, Details(name="a.jpg")),
        ({"output": "b", "id": "1"}, Details(name="b", rest=(("id", "1"),))),
        ({"Name": "Ann", "output": "b", "x": ""}, Details(name="b", rest=(("Name", "Ann"), ("x", "")))),
        ({"name": "a", "output": ""}, Details(name="a")),
        ({"title": "t", "Filename": "f"}, Details(rest=(("title", "t"), ("Filename", "f")))),
        ({"checksum": MD5}, Details(checksums=(f"md5:{MD5}",))),
        ({"checksum": f"sha-256={SHA256.upper()}"}, Details(checksums=(f"sha256:{SHA256}",))),
        ({"checksum": f"SHA1:{SHA1}, md5:{MD5} {MD5}"}, Details(checksums=(f"sha1:{SHA1}", f"md5:{MD5}"))),
        ({"checksum": SHA512}, Details(checksums=(f"sha512:{SHA512}",))),
        ({"checksum": f"blake2b:{SHA512};b2:{SHA256}"}, Details(checksums=(f"blake2b:{SHA512}", f"blake2b:{SHA256}"))),
        ({"size": "0"}, Details(size=0)),
        ({"size": "5", "Size": "XL"}, Details(size=5, rest=(("Size", "XL"),))),
        ({"size": "123.0"}, Details(size=123)),
        ({"headers": '{"X-A": ["a", "b"], "N": 5}'}, Details(headers=(("X-A", "a"), ("X-A", "b"), ("N", "5")))),
        ({"headers": "X-A: 1:2\r\n\nReferer:http://h/ \n"}, Details(headers=(("X-A", "1:2"), ("Referer", "http://h/")))),
        ({"mirrors": "http://a/ \n https://b/\thttp://a/"}, Details(mirrors=("http://a/", "https://b/"))),
        ({"mirrors": '["http://a/ b"]'}, Details(mirrors=("http://a/ b",))),
        ({"pieces": f"sha-1:4:{SHA1},{SHA1}", "size": "5"}, Details(size=5, pieces=("sha1", 4, (SHA1, SHA1)))),
    ],
)  # fmt: skip
def test_read_details_when_columns_are_well(columns: dict[str, str], details: Details) -> None:
    """Case and white space do not count, an empty cell says nothing, other columns stay as they are."""
    assert read_details(tuple(columns.items())) == details


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("checksum", "sha256:xyz", "'sha256:xyz' is no checksum: write it as"),
        ("checksum", "abc", "3 digits are those of no algorithm"),
        ("checksum", f"sha256:{MD5}", "sha256 has 64 digits, not 32"),
        ("checksum", f"crc32:{MD5}", "the algorithm 'crc32' is not known: use md5, sha1"),
        ("size", "1024x768", "'1024x768' is no number of bytes"),
        ("size", "-1", "is no number of bytes"),
        ("size", "9" * 19, "is no number of bytes"),
        ("size", "1.5", "is no number of bytes"),
        ("headers", "no colon", "'no colon' is no header field"),
        ("headers", '{"A": }', "not JSON: Expecting value at column 7"),
        ("headers", '{"A": null}', "the header field 'A' must be a string"),
        ("headers", '{"A": "b\\r\\nC: d"}', "plain ASCII letters"),
        ("headers", '{"A b": "c"}', "'A b' is no name"),
        ("headers", "Range: bytes=0-", "'Range' cannot be set"),
        ("headers", "Accept-Encoding: gzip", "cannot be set"),
        ("mirrors", "http://a/ ftp://b/", "'ftp://b/': scheme 'ftp'"),
        ("mirrors", "a.html", "'a.html': not a URL"),
        ("mirrors", "[1]", "an array of strings is wanted"),
        ("mirrors", '["http://a/"', "not JSON"),
        ("mirrors", "[" * 100_000, "not JSON that can be read"),
        ("mirrors", "http://a/ " * (MOST_MIRRORS + 1), "101 URLs: 100 are the most"),
        ("pieces", "sha1:4", "write an algorithm"),
        ("pieces", f"sha1:0:{SHA1}", "write an algorithm"),
        ("pieces", f"sha1:4:{SHA1},", "is no checksum"),
    ],
)
def test_read_details_raises_when_a_column_cannot_be_meant(column: str, value: str, what: str) -> None:
    """This task fails, with the column and the reason; the run goes on."""
    with pytest.raises(TaskError, match=f"^column '{column}': .*{what}") as caught:
        read_details((("id", "1"), (column, value)))
    assert (caught.value.kind, caught.value.retryable) == (FailureKind.INPUT, False)


def test_read_details_raises_when_pieces_do_not_make_the_size() -> None:
    """Digests that cannot be of this file."""
    with pytest.raises(TaskError, match="1 digests do not make 5 bytes"):
        read_details((("size", "5"), ("pieces", f"sha1:4:{SHA1}")))


@quick
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["name", "output", "checksum", "size", "headers", "mirrors", "x", "X"]), st.text(max_size=9)
        )
    )
)
def test_read_details_raises_nothing_else(columns: list[tuple[str, str]]) -> None:
    """Whatever a list says; and no column of the user's own is lost or changed."""
    try:
        details = read_details(tuple(columns))
    except TaskError:
        return
    own = [(name, value) for name, value in columns if name in ("x", "X")]
    assert [pair for pair in details.rest if pair[0] in ("x", "X")] == own


tokens = st.from_regex(r"[A-Za-z][A-Za-z-]{0,6}x", fullmatch=True)


@quick
@given(st.dictionaries(tokens, st.from_regex(r"[!-~]([ -~]{0,6}[!-~])?", fullmatch=True), max_size=4))
def test_read_details_reads_both_forms_of_headers(fields: dict[str, str]) -> None:
    """An object and lines say the same."""
    lines = "\n".join(f"{name}: {value}" for name, value in fields.items())
    for text in (json.dumps(fields), lines):
        assert read_details((("headers", text),)).headers == tuple(fields.items())
