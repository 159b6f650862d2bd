"""The prescan: the encoding that a page's first bytes declare, found as browsers do (HTML standard, 13.2.3.2)."""

from __future__ import annotations

from collections.abc import Iterator

import webencodings

LENGTH = 1024
SPACES = b"\t\n\x0c\r "
LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


def prescan(body: bytes) -> str | None:
    """Return the name of the encoding declared in a `<meta>` or in an XML declaration, or None."""
    head = body[:LENGTH]
    if head.startswith(b"<\0?\0x\0"):
        return "utf-16le"
    if head.startswith(b"\0<\0?\0x"):
        return "utf-16be"
    try:
        return _meta_encoding(head)
    except IndexError:  # the algorithm ends wherever it runs past the last byte
        return _xml_encoding(head)


def charset_in(content: str) -> str | None:
    """Return the label in the `content` of a `<meta http-equiv>` (HTML standard, 2.6.6), or None."""
    lowered, at = content.lower(), 0
    while (at := lowered.find("charset", at)) >= 0:
        at += len("charset")
        rest = content[at:].lstrip("\t\n\x0c\r ")
        if rest.startswith("="):
            return _label_in(rest[1:].lstrip("\t\n\x0c\r "))
    return None


def _label_in(value: str) -> str | None:
    if value[:1] in ('"', "'"):
        label, closing, _ = value[1:].partition(value[0])
        return label if closing else None
    ends = [found for sign in "\t\n\x0c\r ;" if (found := value.find(sign)) >= 0]
    return value[: min(ends, default=len(value))]


def _meta_encoding(head: bytes) -> str | None:
    at = head.find(b"<")
    while 0 <= at < len(head):
        if head.startswith(b"<!--", at):
            at = _find(head, b"-->", at + 2) + 2  # the dashes of <!--> count for both ends
        elif head[at : at + 5].lower() == b"<meta" and head[at + 5] in SPACES + b"/":
            attributes = _Attributes(head, at + 5)
            name = _declared(attributes)
            if name is not None:
                return name
            at = attributes.at
        elif _opens_tag(head, at):
            while head[at] not in SPACES + b">":
                at += 1
            attributes = _Attributes(head, at)
            for _ in attributes:
                pass
            at = attributes.at
        elif head.startswith((b"<!", b"</", b"<?"), at):
            at = _find(head, b">", at)
        at = head.find(b"<", at + 1)  # nothing else is looked at
    raise IndexError


def _declared(attributes: Iterator[tuple[str, str]]) -> str | None:
    seen: set[str] = set()
    pragma, needs_pragma, label = False, None, None
    for name, value in attributes:
        if name in seen:
            continue
        seen.add(name)
        if name == "http-equiv":
            pragma = pragma or value == "content-type"
        elif name == "content" and label is None and (found := _known(charset_in(value))) is not None:
            label, needs_pragma = found, True
        elif name == "charset":
            label, needs_pragma = _known(value), False
    if needs_pragma is None or (needs_pragma and not pragma):
        return None
    return label


def _known(label: str | None) -> str | None:
    """Return the name for a label; UTF-16 cannot be true of bytes that we just read as ASCII."""
    encoding = webencodings.lookup(label) if label else None
    if encoding is None:
        return None
    name = str(encoding.name)
    return {"utf-16le": "utf-8", "utf-16be": "utf-8", "x-user-defined": "windows-1252"}.get(name, name)


def _xml_encoding(head: bytes) -> str | None:
    end = head.find(b">")
    at = head.find(b"encoding", 0, end)
    if not head.startswith(b"<?xml") or end < 0 or at < 0:
        return None
    value = head[at + len(b"encoding") : end].lstrip(bytes(range(0x21)))
    if not value.startswith(b"="):
        return None
    value = value[1:].lstrip(bytes(range(0x21)))
    label, closing, _ = value[1:].partition(value[:1])
    if value[:1] not in (b'"', b"'") or not closing or any(byte <= 0x20 for byte in label):  # noqa: PLR2004
        return None
    return _known(label.decode("latin-1"))


def _opens_tag(head: bytes, at: int) -> bool:
    if head[at] != ord("<"):
        return False
    return head[at + 1] in LETTERS or (head[at + 1] == ord("/") and head[at + 2] in LETTERS)


def _find(head: bytes, what: bytes, at: int) -> int:
    found = head.find(what, at)
    if found < 0:
        raise IndexError
    return found


class _Attributes:
    """The attributes of a tag as (name, value) in lower case; `at` is left at the byte that ended them.

    This is "get an attribute" of the standard; running past the end raises IndexError.
    """

    def __init__(self, head: bytes, at: int) -> None:
        self.head = head
        self.at = at

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return self

    def __next__(self) -> tuple[str, str]:
        self._skip(SPACES + b"/")
        if self.head[self.at] == ord(">"):
            raise StopIteration
        start = self.at
        while self.head[self.at] not in SPACES + b"/>" and (self.head[self.at] != ord("=") or self.at == start):
            self.at += 1
        name = self._text(start)
        self._skip(SPACES)
        if self.head[self.at] != ord("="):
            return name, ""
        self.at += 1
        self._skip(SPACES)
        return name, self._value()

    def _value(self) -> str:
        quote = self.head[self.at]
        if quote in b"\"'":
            start = self.at + 1
            self.at = _find(self.head, bytes([quote]), start) + 1
            return self.head[start : self.at - 1].decode("latin-1").lower()
        start = self.at
        while self.head[self.at] not in SPACES + b">":
            self.at += 1
        return self._text(start)

    def _skip(self, signs: bytes) -> None:
        while self.head[self.at] in signs:
            self.at += 1

    def _text(self, start: int) -> str:
        return self.head[start : self.at].decode("latin-1").lower()
