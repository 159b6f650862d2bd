"""Files of checksums, as sha256sum and its kin write them (GNU coreutils, and BSD's form with the algorithm's name)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from toolkit.core.errors import UsageError
from toolkit.core.lists.digests import BY_LENGTH, LENGTHS, algorithm_of, parse_digest
from toolkit.core.lists.entry import LINE_LIMIT
from toolkit.core.lists.opening import as_text, is_cut, lines_of, opened

_GNU = re.compile(r"(\\?)([0-9A-Fa-f]{32,})(?:[ \t][ *]?|\t)(.+)", re.ASCII | re.DOTALL)
_BSD = re.compile(r"(\\?)([A-Za-z][A-Za-z0-9-]*) ?\((.+)\) ?= ?([0-9A-Fa-f]+)", re.ASCII | re.DOTALL)
_ESCAPES = {"\\\\": "\\", "\\n": "\n", "\\r": "\r"}
_STRENGTH = list(LENGTHS)


def read(path: str | Path) -> dict[str, str]:
    """Return the digests of a file such as SHA256SUMS, by name: "sha256:" and digits.

    Blank lines, comments (#) and the parts of a PGP signature are left out; of several digests of a name the strongest
    counts. 128 digits are BLAKE2b if the file is called so (B2SUMS, *.b2), else SHA-512. Raises UsageError, with file
    and line, for anything else and for two digests that contradict each other.
    """
    where = Path(path).name
    blake = bool(re.search(r"b2sums?|blake2|\.b2$", where, re.IGNORECASE))
    found: dict[str, str] = {}
    for number, line in _lines(str(path)):
        try:
            name, digest = _parse(line, blake=blake)
            _keep(found, name, digest)
        except ValueError as error:
            raise UsageError(f"{where}:{number}: {error}") from error
    return found


def _lines(path: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that count, with their numbers."""
    head = signature = False
    try:
        with opened(path) as file, as_text(file) as text:
            for number, ended in enumerate(lines_of(text, LINE_LIMIT), 1):
                if is_cut(ended, LINE_LIMIT):
                    raise UsageError(f"{Path(path).name}:{number}: the line is longer than {LINE_LIMIT:,} characters")
                line = ended.rstrip("\r\n")
                signature = (
                    signature or line == "-----BEGIN PGP SIGNATURE-----"
                ) and line != "-----END PGP SIGNATURE-----"
                head = line == "-----BEGIN PGP SIGNED MESSAGE-----" or (head and bool(line.strip()))
                if line.strip() and not (head or signature or line.startswith(("#", "-----END PGP"))):
                    yield number, line
    except (OSError, EOFError, ValueError) as error:
        what = getattr(error, "strerror", None) or error
        raise UsageError(f"{path!r} cannot be read: {what}") from error


def _parse(line: str, *, blake: bool) -> tuple[str, str]:
    if tagged := _BSD.fullmatch(line):
        escaped, tag, name, digits = tagged.groups()
        return _name(name, escaped), parse_digest(f"{algorithm_of(tag)}:{digits}")
    if plain := _GNU.fullmatch(line):
        escaped, digits, name = plain.groups()
        algorithm = "blake2b" if blake and len(digits) == LENGTHS["blake2b"] else BY_LENGTH.get(len(digits))
        if algorithm is None:
            raise ValueError(f"{len(digits)} digits are those of no algorithm")
        return _name(name, escaped), parse_digest(f"{algorithm}:{digits}")
    raise ValueError(f"{line[:80]!r} is no checksum and name: a line is as sha256sum writes it")


def _name(name: str, escaped: str) -> str:
    if escaped:
        name = re.sub(r"\\[\\nr]", lambda found: _ESCAPES[found[0]], name)
    return name.removeprefix("./")


def _keep(found: dict[str, str], name: str, digest: str) -> None:
    before = found.get(name)
    if before is None or _strength(before) < _strength(digest):
        found[name] = digest
    elif _strength(before) == _strength(digest) and before != digest:
        raise ValueError(f"{name[:80]!r} has another checksum further up")


def _strength(digest: str) -> int:
    return _STRENGTH.index(digest.partition(":")[0])
