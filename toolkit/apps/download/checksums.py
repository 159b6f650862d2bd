"""Checksums: as users write them, as servers send them, and the comparison with the bytes that came.

Servers' own: Repr-Digest and Content-Digest (RFC 9530), Digest (RFC 3230), Content-MD5 (RFC 1864), x-goog-hash (its
md5; crc32c is left alone). Algorithms that nobody knows are passed over there.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Head, Sink

SIZES = {"md5": 16, "sha1": 20, "sha224": 28, "sha256": 32, "sha384": 48, "sha512": 64, "blake2b": 64}
"""Algorithms, weakest first, and the bytes of their digests; those of blake2b may be shorter."""
BLOCK = 1024 * 1024

_NAMES = {"md5": "md5", "sha": "sha1", "sha-256": "sha256", "sha-512": "sha512"}
"""Names in the HTTP digest registry (RFC 9530, 7.2; RFC 5843) and ours."""
_WHOLE = frozenset({"repr-digest", "digest", "x-goog-hash"})
"""Fields about the whole file, also in a 206; the others are about the body that they come with."""
_FIELDS = _WHOLE | {"content-digest", "content-md5"}


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest that a file must have; hex is in lower case."""

    algorithm: str
    hex: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"


def parse(text: str) -> Digest:
    """Return a digest from "sha256:" and hexadecimal digits, or other algorithms' likewise; raises ValueError."""
    algorithm, _, digits = text.partition(":")
    algorithm, digits = algorithm.strip().lower().replace("sha-", "sha"), digits.strip().lower()
    if algorithm not in SIZES:
        raise ValueError(f"the checksum {text!r} is of no known algorithm: {', '.join(SIZES)}")
    size = len(digits) // 2
    fits = size == SIZES[algorithm] or (algorithm == "blake2b" and 16 <= size <= SIZES[algorithm])  # noqa: PLR2004
    if not fits or not re.fullmatch(r"(?:[0-9a-f]{2})+", digits):
        raise ValueError(f"the checksum {text!r} has not the {2 * SIZES[algorithm]} hexadecimal digits of {algorithm}")
    return Digest(algorithm, digits)


def wanted(texts: Iterable[str]) -> tuple[Digest, ...]:
    """Return the digests that a task names; raises TaskError input."""
    try:
        return tuple(map(parse, texts))
    except ValueError as error:
        raise TaskError(FailureKind.INPUT, str(error)) from error


def announced(head: Head, *, coded: bool = False) -> tuple[Digest, ...]:
    """Return the strongest digest that a reply announces for the file, or nothing.

    coded: whether the body comes in a content coding and will be decoded; digests are of the coded bytes then.
    """
    fields = [(name, value) for name, value in head.headers if name in _FIELDS]
    if not fields or coded:
        return ()
    stored = head.headers.get("x-goog-stored-content-encoding", "identity")
    sent = head.headers.get("content-encoding", "identity")
    found = [
        digest
        for name, value in fields
        if (name in _WHOLE or head.status == 200)  # noqa: PLR2004
        and (name != "x-goog-hash" or stored == sent)
        for digest in _read(name, value)
    ]
    order = list(SIZES)
    return (max(found, key=lambda digest: order.index(digest.algorithm)),) if found else ()


def _read(name: str, value: str) -> Iterator[Digest]:
    if name == "content-md5":
        yield from _digest("md5", value)
        return
    for item in value.split(","):
        key, _, digits = item.strip().partition("=")
        if name.endswith("-digest"):  # a dictionary of byte sequences (RFC 8941, 3.3.5)
            framed = re.fullmatch(r":([A-Za-z0-9+/=]*):(?:;.*)?", digits.strip())
            digits = framed[1] if framed else ""
        yield from _digest(_NAMES.get(key.lower(), ""), digits)


def _digest(algorithm: str, coded: str) -> Iterator[Digest]:
    try:
        raw = base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError):
        return
    if algorithm and len(raw) == SIZES[algorithm]:
        yield Digest(algorithm, raw.hex())


class Verifier:
    """Digests a file as it passes, or once it is there, and compares. record: an algorithm to note in any case."""

    def __init__(self, expected: tuple[Digest, ...], record: str = "") -> None:
        self._expected = expected
        self._record = record if record not in {digest.algorithm for digest in expected} else ""
        self._hashers: dict[Digest, Any] = {digest: _hasher(digest) for digest in expected}
        if self._record:
            self._hashers[Digest(self._record, "")] = _hasher(Digest(self._record, ""))

    def __bool__(self) -> bool:
        return bool(self._hashers)

    @property
    def proves(self) -> bool:
        """Whether there is something to compare with."""
        return bool(self._expected)

    def update(self, block: bytes | bytearray | memoryview) -> None:
        """Take the next block of the file."""
        for hasher in self._hashers.values():
            hasher.update(block)

    def read(self, path: str) -> None:
        """Take a whole file, from its start; raises OSError."""
        buffer = bytearray(BLOCK)
        view = memoryview(buffer)
        with open(path, "rb", buffering=0) as file:
            while size := file.readinto(buffer):
                self.update(view[:size])

    def mismatch(self) -> str:
        """Return in words what does not agree, or ""."""
        for digest in self._expected:
            found = self._hashers[digest].hexdigest()
            if found != digest.hex:
                return f"the {digest.algorithm} is {found}, not {digest.hex}"
        return ""

    def noted(self) -> str | None:
        """Return the digest to note: of the algorithm that was asked for, else the first that was compared."""
        if self._record:
            return f"{self._record}:{self._hashers[Digest(self._record, '')].hexdigest()}"
        return str(self._expected[0]) if self._expected else None


class HashingSink:
    """Digests what passes on its way into another sink."""

    def __init__(self, into: Sink, verifier: Verifier) -> None:
        self._into, self._verifier = into, verifier

    def write(self, block: bytes | bytearray | memoryview, /) -> None:
        """Pass the block on, and digest it."""
        self._into.write(block)
        self._verifier.update(block)


def bad_pieces(path: str, pieces: tuple[str, int, tuple[str, ...]]) -> list[tuple[int, int]]:
    """Return the ranges (start, end) of a file whose digests are not those of its pieces; raises OSError."""
    algorithm, length, digests = pieces
    bad: list[tuple[int, int]] = []
    with open(path, "rb") as file:
        for number, digest in enumerate(digests):
            block = file.read(length)
            if _hasher(Digest(algorithm, digest), block).hexdigest() != digest.lower():
                bad.append((number * length, number * length + len(block)))
    return bad


def _hasher(digest: Digest, start: bytes = b"") -> Any:
    if digest.algorithm == "blake2b":
        return hashlib.blake2b(start, digest_size=len(digest.hex) // 2 or SIZES["blake2b"])
    return hashlib.new(digest.algorithm, start, usedforsecurity=False)
