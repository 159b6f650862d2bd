"""What a list may say of a file, beside its URL: the columns that have a meaning, read in one place for every format.

| column | holds |
|---|---|
| `output`, or else `name` | the file's name |
| `checksum` | digests, with spaces between: `sha256:…`, `sha1:…`, `md5:…`, `sha512:…`, `blake2b:…`, or bare digits |
| `size` | its size in bytes |
| `headers` | header fields for it alone: a JSON object, or a `Name: value` a line |
| `mirrors` | other URLs of it: a JSON array, or with white space between |
| `pieces` | an algorithm, the bytes in a piece, and digests: `sha1:262144:…,…` |

Case does not count in their names, and an empty one says nothing. Every other column is the user's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.lists.digests import parse_digest
from toolkit.core.lists.entry import Columns
from toolkit.core.urls import wire_url

MOST_MIRRORS = 100
OURS = frozenset(
    (
        *("accept-encoding", "connection", "content-length", "expect", "if-range", "keep-alive"),
        *("range", "te", "trailer", "transfer-encoding", "upgrade"),
    )
)
"""Header fields that say how a body is carried; a list that changed them would break files."""

Pieces = tuple[str, int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Details:
    """What a list says of a file; "", () and None where it says nothing.

    checksums: as "sha256:" and digits. size: in bytes. pieces: the algorithm, bytes in each and digests. rest: the
    user's own columns, in their order.
    """

    name: str = ""
    checksums: tuple[str, ...] = ()
    size: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    mirrors: tuple[str, ...] = ()
    pieces: Pieces | None = None
    rest: Columns = ()


def read_details(columns: Columns) -> Details:
    """Return what the columns of an entry say; raises TaskError input for a value that cannot be meant."""
    if not columns:
        return Details()
    named, rest = _sorted(columns)
    values: dict[str, Any] = {READERS[name][0]: _read(name, named[name]) for name in named if name in READERS}
    details = Details(name=named.get("output") or named.get("name", ""), **values, rest=rest)
    _check_pieces(details)
    return details


def own_columns(columns: Columns) -> Columns:
    """Return the columns that are the user's own, whatever the others hold."""
    return _sorted(columns)[1]


def _sorted(columns: Columns) -> tuple[dict[str, str], Columns]:
    """Return the columns that have a meaning and say something, and all others."""
    named: dict[str, str] = {}
    rest: list[tuple[str, str]] = []
    for name, value in columns:
        plain = name.strip().lower()
        if (plain not in READERS and plain not in ("name", "output")) or (plain in named and plain != "headers"):
            rest.append((name, value))
        elif value.strip():  # of several columns of headers the last counts, and none is told: they may hold secrets
            named[plain] = value.strip()
    if "output" in named and "name" in named:  # then the name is somebody else's
        rest = [(name, value) for name, value in columns if (name, value) in rest or name.strip().lower() == "name"]
    return named, tuple(rest)


def _read(column: str, value: str) -> Any:
    try:
        return READERS[column][1](value)
    except ValueError as error:
        raise TaskError(FailureKind.INPUT, f"column {column!r}: {error}") from error


def _checksums(value: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(parse_digest(text) for text in re.split(r"[\s,;]+", value) if text))


def _size(value: str) -> int:
    found = re.fullmatch(r"(\d{1,18})(?:\.0*)?", value, re.ASCII)  # some programs write every number with a point
    if found is None:
        raise ValueError(f"{value[:40]!r} is no number of bytes")
    return int(found[1])


def _headers(value: str) -> tuple[tuple[str, str], ...]:
    found = (
        _json_headers(value) if value.startswith("{") else [_field(line) for line in value.splitlines() if line.strip()]
    )
    for name, text in found:
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise ValueError(f"{name[:40]!r} is no name of a header field")
        if not re.fullmatch(r"[\t\x20-\x7e]*", text):
            raise ValueError(f"the header field {name[:40]!r} can hold plain ASCII letters and signs only")
        if name.lower() in OURS:
            raise ValueError(f"the header field {name[:40]!r} cannot be set")
    return tuple(found)


def _json_headers(value: str) -> list[tuple[str, str]]:
    fields = _json(value)
    found = []
    for name, texts in fields.items():
        for text in texts if isinstance(texts, list) else [texts]:
            if not isinstance(text, str | int | float) or isinstance(text, bool):
                raise ValueError(f"the header field {name[:40]!r} must be a string")  # noqa: TRY004 - a wrong value
            found.append((name.strip(), str(text).strip()))
    return found


def _field(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise ValueError(f"{line[:40]!r} is no header field: write a JSON object, or 'Name: value' a line")
    return name.strip(), value.strip()


def _mirrors(value: str) -> tuple[str, ...]:
    urls = _json(value) if value.startswith("[") else value.split()
    if len(urls) > MOST_MIRRORS:
        raise ValueError(f"{len(urls):,} URLs: {MOST_MIRRORS} are the most")
    for url in urls:
        if not isinstance(url, str):
            raise ValueError("an array of strings is wanted")  # noqa: TRY004 - a wrong value
        try:
            wire_url(url)
        except TaskError as error:
            raise ValueError(f"{url[:80]!r}: {error}") from error
    return tuple(dict.fromkeys(url.strip() for url in urls))


def _json(value: str) -> Any:
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at column {error.colno}") from error
    except RecursionError as error:
        raise ValueError("not JSON that can be read") from error


def _pieces(value: str) -> Pieces:
    found = re.fullmatch(r"([\w-]+):(\d{1,18}):([0-9A-Fa-f,]+)", value, re.ASCII)
    if found is None or not int(found[2]):
        raise ValueError(f"{value[:40]!r}: write an algorithm, the bytes in a piece and digests, as sha1:262144:…,…")
    digests = [parse_digest(f"{found[1]}:{text}").partition(":") for text in found[3].split(",")]
    return digests[0][0], int(found[2]), tuple(digits for _, _, digits in digests)


def _check_pieces(details: Details) -> None:
    if details.pieces is None or details.size is None:
        return
    _, length, digests = details.pieces
    if len(digests) != -(-details.size // length):
        what = f"column 'pieces': {len(digests):,} digests do not make {details.size:,} bytes"
        raise TaskError(FailureKind.INPUT, what)


READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "checksum": ("checksums", _checksums),
    "size": ("size", _size),
    "headers": ("headers", _headers),
    "mirrors": ("mirrors", _mirrors),
    "pieces": ("pieces", _pieces),
}
"""Columns with a meaning: the field of Details that each fills, and what reads it."""
