"""A file's content is told by a hash that the reference implementation agrees with."""

from __future__ import annotations

import io

import pytest

from toolkit.apps.resize.content import content_hash


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (b"", "99aa06d3014798d86001c324468d497f"),
        (b"a", "a96faf705af16834e6c632b61e964e1f"),
    ],
)
def test_hash_of_known_content(data: bytes, digest: str) -> None:
    """XXH3 128, as `xxhsum -H2` writes it."""
    assert content_hash(io.BytesIO(data)) == digest


def test_hash_when_one_byte_differs() -> None:
    """Files larger than a block count to their last byte."""
    data = bytes(3 << 20) + b"x"
    other = data[:-1] + b"y"
    assert content_hash(io.BytesIO(data)) == content_hash(io.BytesIO(data)) != content_hash(io.BytesIO(other))
