"""Encodings are decided as browsers do."""

from __future__ import annotations

import pytest

from toolkit.apps.scrape.encodings import decode, detect

RUSSIAN = "Съешь же ещё этих мягких французских булок, да выпей чаю. Привет, как дела сегодня вечером? " * 4
JAPANESE = (
    "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。何でも薄暗いじめじめした所で泣いていた。" * 4
)


@pytest.mark.parametrize(
    ("body", "charset", "text", "name"),
    [
        (b"\xef\xbb\xbfh\xc3\xa9", "koi8-r", "hé", "utf-8"),
        (b"\xff\xfeh\0\xe9\0", "utf-8", "hé", "utf-16le"),
        (b"\xfe\xff\0h\0\xe9", None, "hé", "utf-16be"),
        ("<meta charset=utf-8>щ".encode("koi8-r"), "KOI8-R", "<meta charset=utf-8>щ", "koi8-r"),
        ("<meta charset=koi8-r>щ".encode("koi8-r"), None, "<meta charset=koi8-r>щ", "koi8-r"),
        ("<meta charset=koi8-r>щ".encode("koi8-r"), "martian", "<meta charset=koi8-r>щ", "koi8-r"),
        (b"\x93hi\x94 \x80", "iso-8859-1", "“hi” €", "windows-1252"),
        (b"\x93hi\x94 \x80", "us-ascii", "“hi” €", "windows-1252"),
        (b"\x81\x8d", "windows-1252", "\x81\x8d", "windows-1252"),
        (b"<meta charset=windows-1253>\xe1", None, "<meta charset=windows-1253>α", "windows-1253"),
        (b"<meta charset=iso-8859-2>\xb1", None, "<meta charset=iso-8859-2>ą", "iso-8859-2"),
        (b"a\xd2", "windows-1253", "a\ufffd", "windows-1253"),
        (b"a\xff\xc3b", "utf-8", "a\ufffd\ufffdb", "utf-8"),
        ("鱻龘€".encode("gb18030"), "gb2312", "鱻龘€", "gbk"),
        (b"\x80 5\x81\x80\xff\x81", "gbk", "€ 5亐\ufffd\ufffd", "gbk"),
        ("①㈱".encode("cp932"), "shift_jis", "①㈱", "shift_jis"),
        ("똠".encode("cp949"), "euc-kr", "똠", "euc-kr"),
        (b"h\0\xe9\0", "utf-16", "hé", "utf-16le"),
        (b"secret", "iso-2022-kr", "\ufffd" * 6, "replacement"),
        (b"a\0b", "utf-8", "a\ufffdb", "utf-8"),
        ("undeclared é".encode(), None, "undeclared é", "utf-8"),
        (b"", None, "", "utf-8"),
    ],
)
def test_decode_when_declared_so(body: bytes, charset: str | None, text: str, name: str) -> None:
    """Mark, then HTTP, then the page; web labels; nothing is ever refused."""
    assert decode(body, charset) == (text, name)


@pytest.mark.parametrize(
    ("text", "codec", "name"),
    [
        (RUSSIAN, "cp1251", "windows-1251"),
        (RUSSIAN, "koi8-r", "koi8-r"),
        (JAPANESE, "cp932", "shift_jis"),
        (JAPANESE, "euc-jp", "euc-jp"),
        (RUSSIAN, "utf-8", "utf-8"),
        ("Le café est déjà fermé à Orléans, où les élèves étaient allés hier.", "cp1252", "windows-1252"),
        ("Die Straße führt über die Brücke zu schönen Häusern.", "cp1252", "windows-1252"),
        ("Příliš žluťoučký kůň úpěl ďábelské ódy.", "cp1250", "windows-1250"),
        ("café", "cp1252", "windows-1252"),
    ],
)
def test_detect_when_undeclared(text: str, codec: str, name: str) -> None:
    """Pages that declare nothing are read by what their letters look like."""
    assert detect(text.encode(codec)) == name


def test_detect_when_hopeless() -> None:
    """The last resort is windows-1252, as in browsers."""
    assert detect(bytes(range(128, 256))) == "windows-1252"
