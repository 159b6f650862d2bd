"""Checksums as users write them and as servers send them, and what is done with them."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest

from toolkit.apps.download.checksums import Digest, HashingSink, Verifier, announced, bad_pieces, parse, wanted
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Head, Headers, MemorySink

BODY = b"hello"


def b64(algorithm: str, body: bytes = BODY) -> str:
    return base64.b64encode(hashlib.new(algorithm, body).digest()).decode()


def digest(algorithm: str, body: bytes = BODY) -> Digest:
    return Digest(algorithm, hashlib.new(algorithm, body).hexdigest())


def head(status: int = 200, **fields: Any) -> Head:
    return Head("http://h/", status, Headers((name.replace("_", "-"), value) for name, value in fields.items()))


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "blake2b"])
def test_parse_knows_the_algorithms(algorithm: str) -> None:
    """In any case, and with the dash that some write."""
    plain = digest(algorithm)
    assert parse(str(plain)) == plain
    assert parse(f" {algorithm.upper()} : {plain.hex.upper()} ") == plain
    assert parse(f"{algorithm.replace('sha', 'sha-')}:{plain.hex}") == plain


def test_parse_takes_shorter_blake2b() -> None:
    """As b2sum -l writes them."""
    short = hashlib.blake2b(BODY, digest_size=32).hexdigest()
    verifier = Verifier((parse(f"blake2b:{short}"),))
    verifier.update(BODY)
    assert verifier.mismatch() == ""


@pytest.mark.parametrize(
    "text",
    [
        "", "sha256", "sha256:", "sha256:abc", "crc32:00000000", "md5:" + "g" * 32, "md5:" + "0" * 31,
        "sha1:" + "0" * 64, "blake2b:00",
    ],
)  # fmt: skip
def test_parse_refuses_what_is_no_checksum(text: str) -> None:
    """A checksum that cannot be checked is never passed over; the failure says what is known."""
    with pytest.raises(ValueError, match="checksum"):
        parse(text)
    with pytest.raises(TaskError) as caught:
        wanted([text])
    assert caught.value.kind is FailureKind.INPUT


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"repr_digest": f"sha-256=:{b64('sha256')}:"}, "sha256"),
        ({"repr_digest": f"md5=:{b64('md5')}:, sha-512=:{b64('sha512')}:;x=1"}, "sha512"),
        ({"content_digest": f"sha-256=:{b64('sha256')}:"}, "sha256"),
        ({"digest": f"SHA-256={b64('sha256')},MD5={b64('md5')}"}, "sha256"),
        ({"digest": f"sha={b64('sha1')}"}, "sha1"),
        ({"content_md5": b64("md5")}, "md5"),
        ({"x_goog_hash": f"crc32c=n03x6A==,md5={b64('md5')}"}, "md5"),
        (
            {"x_goog_hash": f"md5={b64('md5')}", "content_md5": b64("md5"), "digest": f"sha-256={b64('sha256')}"},
            "sha256",
        ),
        ({"x_goog_hash": "crc32c=n03x6A=="}, None),
        ({"x_goog_hash": f"md5={b64('md5')}", "x_goog_stored_content_encoding": "gzip"}, None),
        ({"repr_digest": f"sha-256={b64('sha256')}"}, None),  # no byte sequence
        ({"repr_digest": "sha-256=:YQ==:"}, None),  # too short
        ({"repr_digest": "sha-256=:!!!:, id-sha-256=:x:, unixsum=:AAA=:"}, None),
        ({"digest": "crc32c=abc, =, ,,"}, None),
        ({"content_md5": "not base64"}, None),
        ({"content_md5": "\xe9"}, None),
        ({"etag": '"x"'}, None),
    ],
)
def test_announced_takes_the_strongest(fields: dict[str, Any], found: str | None) -> None:
    """Of what a server sends; what nobody can read or know is passed over."""
    assert announced(head(**fields)) == ((digest(found),) if found else ())


def test_announced_knows_what_a_field_is_about() -> None:
    """In a 206 some fields are about the part that comes; of a body that is decoded no field tells anything."""
    fields = {"content_md5": b64("md5"), "content_digest": f"sha-256=:{b64('sha256')}:"}
    assert announced(head(206, **fields)) == ()
    whole = {"repr_digest": f"sha-256=:{b64('sha256')}:", "content_md5": b64("md5")}
    assert announced(head(206, **whole)) == (digest("sha256"),)
    assert announced(head(200, **whole), coded=True) == ()


def test_verifier_compares_all_and_notes_one(tmp_path: Path) -> None:
    """Block by block or from a file; the note is of the algorithm that was asked for."""
    (tmp_path / "f").write_bytes(BODY)
    passing, reading = Verifier((digest("md5"), digest("sha256")), "sha1"), Verifier((digest("md5"),))
    sink = HashingSink(MemorySink(100), passing)
    for byte in BODY:
        sink.write(bytes([byte]))
    reading.read(str(tmp_path / "f"))
    assert (passing.mismatch(), reading.mismatch()) == ("", "")
    assert (passing.noted(), reading.noted()) == (str(digest("sha1")), str(digest("md5")))
    assert not Verifier(())
    assert Verifier((), "md5")
    assert not Verifier((), "md5").proves


def test_verifier_tells_what_differs() -> None:
    """Both digests, in words."""
    verifier = Verifier((digest("md5"), digest("sha1", b"other")))
    verifier.update(BODY)
    assert verifier.mismatch() == f"the sha1 is {digest('sha1').hex}, not {digest('sha1', b'other').hex}"


def test_bad_pieces_are_ranges(tmp_path: Path) -> None:
    """Of the pieces that differ, the last one as long as it is."""
    (tmp_path / "f").write_bytes(b"aaaabbbbcc")
    sums = [digest("sha1", piece).hex for piece in (b"aaaa", b"xxxx", b"yy")]
    assert bad_pieces(str(tmp_path / "f"), ("sha1", 4, tuple(sums))) == [(4, 8), (8, 10)]
