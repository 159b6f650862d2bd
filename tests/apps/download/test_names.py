"""Names from URLs: one safe component, whatever the URL, the same in every run."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.apps.download.names import LONGEST, decode, distinct, folded, from_url, safe

DEVICES = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"}
DEVICES |= {f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³"}
NASTY = st.sampled_from(
    [".", "..", "/", "\\", "\0", "\n", " ", "-", "~", "_", "%2e", "%2F", "\u202e", "\u2066", "\ud800", "é", "e\u0301",
     "CON", "nul", "com1", "lpt\u00b9", ".txt", ".tar.gz", "." * 300, " " * 300, "\U0001f600" * 70, "\u0344", "ﬃ", "ẞ"]
)  # fmt: skip
texts = st.lists(NASTY | st.text(st.characters(codec=None), max_size=5), max_size=8).map("".join)
quick = settings(max_examples=200, deadline=None)


def assert_safe(name: str) -> None:
    """Check what every name promises, on Linux, macOS and Windows."""
    assert 0 < len(name.encode()) <= LONGEST
    assert not set(name) & set('<>:"/\\|?*')
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in name)
    assert not any("\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069" for c in name)
    assert name[0] not in " .-~"
    assert name[-1] not in " ."
    assert name.partition(".")[0].rstrip().upper() not in DEVICES
    assert unicodedata.normalize("NFC", name) == name


@quick
@given(texts)
def test_safe_is_one_safe_component_when_given_anything(text: str) -> None:
    """No text leads out of the folder, hides, reverses itself, names a device or is too long."""
    assert_safe(safe(text))


@quick
@given(texts)
def test_safe_is_idempotent(text: str) -> None:
    """A name that is safe stays as it is."""
    assert safe(safe(text)) == safe(text)


@quick
@given(texts)
def test_from_url_is_safe_when_the_path_is_anything(text: str) -> None:
    """Percent-encoding brings nothing in that would be refused plainly; the same URL gives the same name."""
    path = quote(text, errors="surrogatepass")
    for url in (f"http://host/{path}", f"http://host/{text.replace('?', '').replace('#', '')}"):
        assert_safe(from_url(url))
        assert from_url(url) == from_url(url)


@quick
@given(texts, texts)
def test_distinct_is_safe_and_tells_urls_apart(text: str, url: str) -> None:
    """The mark of the URL makes the name its own, and keeps its extension and its safety."""
    name = safe(text)
    first, second = distinct(name, url), distinct(name, url + "?")
    assert_safe(first)
    assert folded(first) != folded(second)
    assert first == distinct(name, url)
    assert len(distinct(name, url, 16).encode()) <= LONGEST


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://h/a.txt", "a.txt"),
        ("http://h/a/b/c.tar.gz?x=/d.txt", "c.tar.gz"),
        ("http://h/dir/", "dir"),
        ("http://h", "h"),
        ("http://h:8080/", "h"),
        ("http://h/%61%20b.txt", "a b.txt"),
        ("http://h/100%25.txt", "100%.txt"),
        ("http://h/%2561.txt", "%61.txt"),
        ("http://h/%E4.txt", "%E4.txt"),
        ("http://h/caf%C3%A9", "café"),
        ("http://h/cafe%CC%81", "café"),
        ("http://h/%2E%2E%2Fetc%2Fpasswd", "_.._etc_passwd"),
        ("http://h/..%5C..%5Cx", "_.._.._x"),
        ("http://h/%2E%2E", "download"),
        ("http://h/.%2E/", "download"),
        ("http://h/...", "download"),
        ("http://h/%20%20", "download"),
        ("http://h/%00", "download"),
        ("http://h/_", "download"),
        ("http://h/.htaccess", "_.htaccess"),
        ("http://h/-rf", "_-rf"),
        ("http://h/~root", "_~root"),
        ("http://h/x.", "x"),
        ("http://h/x.txt%20.", "x.txt"),
        ("http://h/a%00b%0A%7F.txt", "a_b__.txt"),
        ("http://h/txt.%E2%80%AEexe", "txt._exe"),
        ("http://h/a%E2%81%A6b", "a_b"),
        ("http://h/a:b%3Cc%3E%22%7C%3F*d", "a_b_c_____d"),
        ("http://h/con", "_con"),
        ("http://h/CON.tar.gz", "_CON.tar.gz"),
        ("http://h/nul%20.txt", "_nul .txt"),
        ("http://h/LPT%C2%B9.x", "_LPT¹.x"),
        ("http://h/CONIN$", "_CONIN$"),
        ("http://h/clock$.a", "_clock$.a"),
        ("http://h/console", "console"),
        ("http://h/com10", "com10"),
        ("http://h/con" + "%20" * 300 + "%C3%A9", "_con"),
    ],
)
def test_from_url_by_the_table(url: str, name: str) -> None:
    """Each case of the notes, and each surprise since, with the name that it gets."""
    assert from_url(url) == name
    assert_safe(name)


@pytest.mark.parametrize("extension", [".tar.gz", ".tar.zst", ".txt", ".nii.gz", ""])
@pytest.mark.parametrize("letter", ["a", "é", "日", "\U0001f600"])
def test_safe_keeps_the_extension_when_a_name_is_too_long(extension: str, letter: str) -> None:
    """What is cut off is the middle, at a whole character."""
    name = safe(letter * 300 + extension)
    assert name.endswith(extension)
    assert LONGEST - 4 < len(name.encode()) <= LONGEST
    assert set(name.removesuffix(extension)) == {letter}


def test_decode_undoes_one_layer_only() -> None:
    """What was encoded twice stays encoded once, and what is no UTF-8 stays as it is."""
    assert [decode(text) for text in ("%2541", "%41", "%FF", "%", "\ud800")] == ["%41", "A", "%FF", "%", "\ud800"]


def test_folded_is_the_same_when_some_file_system_takes_two_names_for_one() -> None:
    """Upper and lower case, and both spellings of an accent."""
    for first, second in (("A.TXT", "a.txt"), ("caf\xe9", "cafe\u0301"), ("STRASSE", "stra\xdfe"), ("Ⅷ", "ⅷ")):
        assert folded(first) == folded(second)
    assert folded("a") != folded("b")


def test_distinct_keeps_the_extension_of_two_parts() -> None:
    """The mark goes before all of it."""
    assert distinct("x.tar.gz", "http://h/1") == "x-" + distinct("x.tar.gz", "http://h/1")[2:10] + ".tar.gz"
    assert len(distinct("x.tar.gz", "http://h/1", 16)) == len("x.tar.gz") + 17
