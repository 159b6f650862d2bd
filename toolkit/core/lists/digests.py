"""Digests as people write them in lists: an algorithm and hexadecimal digits."""

from __future__ import annotations

import re

LENGTHS = {"md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128, "blake2b": 128}
"""Hexadecimal digits of each algorithm that is known."""
SHORTER = range(32, 128, 2)
"""Digits that a digest of BLAKE2b may have instead, if one asks for fewer."""
BY_LENGTH = {length: name for name, length in LENGTHS.items()} | {128: "sha512"}


def parse_digest(text: str) -> str:
    """Return "sha256:" and digits in small letters, from text such as `sha256:AB…`, `SHA-1=…` or bare digits.

    Bare digits are taken by their number: 32 are MD5, 40 SHA-1, 64 SHA-256, 128 SHA-512. Raises ValueError.
    """
    name, colon, digits = text.replace("=", ":", 1).rpartition(":")
    digits = digits.lower()
    if not re.fullmatch("[0-9a-f]+", digits):
        raise ValueError(f"{text[:80]!r} is no checksum: write it as sha256: and hexadecimal digits")
    if not colon and len(digits) not in BY_LENGTH:
        raise ValueError(f"{text[:80]!r} is no checksum: {len(digits)} digits are those of no algorithm")
    algorithm = algorithm_of(name) if colon else BY_LENGTH[len(digits)]
    if len(digits) != LENGTHS[algorithm] and not (algorithm == "blake2b" and len(digits) in SHORTER):
        raise ValueError(
            f"{text[:80]!r} is no checksum: {algorithm} has {LENGTHS[algorithm]} digits, not {len(digits)}"
        )
    return f"{algorithm}:{digits}"


def algorithm_of(text: str) -> str:
    """Return an algorithm by any of the names that it goes by, such as "SHA-256"; raises ValueError."""
    name = text.strip().lower().replace("-", "").replace("_", "")
    if re.fullmatch(r"b2|blake2b\d{3}", name):  # such as BLAKE2b-256
        name = "blake2b"
    if name not in LENGTHS:
        raise ValueError(f"the algorithm {text[:40]!r} is not known: use {', '.join(LENGTHS)}")
    return name
