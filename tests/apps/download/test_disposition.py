"""Names that servers give: the RFCs' forms, the wrong ones that browsers read all the same, and hostile ones."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.apps.download.test_names import assert_safe
from toolkit.apps.download.disposition import filename
from toolkit.apps.download.names import safe
from toolkit.core.http import Headers


def read(*fields: str) -> str | None:
    """Return the name in a reply with these Content-Disposition fields."""
    return filename(Headers(("Content-Disposition", field) for field in fields))


def wire(text: str) -> str:
    """Return UTF-8 text as it reaches us: its bytes read as latin-1."""
    return text.encode().decode("latin-1")


@pytest.mark.parametrize(
    ("field", "name"),
    [
        # as RFC 6266 wants it
        ('attachment; filename="report.pdf"', "report.pdf"),
        ("attachment; filename=report.pdf", "report.pdf"),
        ("inline; filename=report.pdf", "report.pdf"),
        ("ATTACHMENT;FILENAME=report.pdf", "report.pdf"),
        ('attachment; filename = "report.pdf" ; size=3', "report.pdf"),
        ('attachment; filename="a;b.pdf"', "a;b.pdf"),
        (r'attachment; filename="a \"b\".pdf"', "a _b_.pdf"),
        ("attachment; filename*=UTF-8''na%C3%AFve.txt", "naïve.txt"),
        ("attachment; filename*=utf-8'de'na%c3%afve.txt", "naïve.txt"),
        ("attachment; filename*=ISO-8859-1''na%EFve.txt", "naïve.txt"),
        ("attachment; filename*=UTF-8''%e2%82%ac%20rates.txt; filename=euro.txt", "€ rates.txt"),
        ("attachment; filename=euro.txt; filename*=UTF-8''%e2%82%ac%20rates.txt", "€ rates.txt"),
        # no name
        ("attachment", None),
        ("inline", None),
        ("", None),
        ("attachment; filename=", None),
        ('attachment; filename=""', None),
        ("attachment; name=x.txt", None),
        ("attachment; xfilename=x.txt", None),
        ("filename", None),
        # a bad filename* is as if it were not there
        ("attachment; filename*=UTF-8''%FF.txt; filename=good.txt", "good.txt"),
        ("attachment; filename*=KOI8-R''%C1.txt; filename=good.txt", "good.txt"),
        ("attachment; filename*=bad.txt; filename=good.txt", "good.txt"),
        ("attachment; filename*=UTF-8'bad.txt; filename=good.txt", "good.txt"),
        ("attachment; filename*=''x.txt; filename=good.txt", "good.txt"),
        (wire("attachment; filename*=UTF-8''ä.txt; filename=good.txt"), "good.txt"),
        ("attachment; filename*=UTF-8''%FF.txt", None),
        # as people write it
        ("filename=x.txt", "x.txt"),
        ('filename="x.txt"; attachment', "x.txt"),
        ("; filename=x.txt", "x.txt"),
        ("attachment; filename=a b  c.txt", "a b  c.txt"),
        ("attachment; filename=a,b.txt", "a,b.txt"),
        ("attachment; filename='x.txt'", "'x.txt'"),
        ('attachment; filename="x.txt', "x.txt"),
        ('attachment; filename="x.txt\\', "x.txt"),
        ("attachment; filename*=\"UTF-8''na%C3%AFve.txt\"", "naïve.txt"),
        (wire('attachment; filename="ünï.txt"'), "ünï.txt"),
        (wire("attachment; filename=日本.txt"), "日本.txt"),
        ('attachment; filename="\xfcn.txt"', "ün.txt"),
        ("attachment; filename=na%C3%AFve.txt", "naïve.txt"),
        ('attachment; filename="100%25.txt"', "100%.txt"),
        ("attachment; filename=50%.txt", "50%.txt"),
        ("attachment; filename=a%E4.txt", "a%E4.txt"),
        ("attachment; filename=%2541.txt", "%41.txt"),
        ('attachment; filename="=?UTF-8?Q?na=C3=AFve=5F1.txt?="', "naïve_1.txt"),
        ("attachment; filename==?utf-8?B?bmHDr3ZlLnR4dA==?=", "naïve.txt"),
        ('attachment; filename="=?UTF-8?Q?na?= =?ISO-8859-1?Q?=EFve.txt?="', "naïve.txt"),
        ('attachment; filename="=?punycode?B?bmHDr3ZlLnR4dA==?="', "=_punycode_B_bmHDr3ZlLnR4dA==_="),
        ('attachment; filename="=?UTF-8?B?/////w==?="', "w==_="),
        # twice: the first
        ("attachment; filename=one.txt; filename=two.txt", "one.txt"),
        ("attachment; filename=; filename=two.txt", "two.txt"),
        ("attachment; filename*=UTF-8''one.txt; filename*=UTF-8''two.txt", "one.txt"),
        # pieces, which no browser but one puts together
        ("attachment; filename*0=a; filename*1=b.txt", None),
        ("attachment; filename*0*=UTF-8''a; filename=good.txt", "good.txt"),
        # ways out of the folder
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="/etc/passwd"', "passwd"),
        (r'attachment; filename="..\\..\\boot.ini"', "boot.ini"),
        ("attachment; filename=%2E%2E%2Fx", "x"),
        ("attachment; filename*=UTF-8''..%2f..%2fx", "x"),
        ("attachment; filename*=UTF-8''%2e%2e; filename=good.txt", "good.txt"),
        ("attachment; filename=..", None),
        ("attachment; filename=/", None),
        ("attachment; filename=dir/", "dir"),
        ("attachment; filename=.bashrc", "_.bashrc"),
        ("attachment; filename=-rf", "_-rf"),
        ("attachment; filename=con.txt", "_con.txt"),
        ("attachment; filename*=UTF-8''a%00b%0a.txt", "a_b_.txt"),
        ("attachment; filename*=UTF-8''txt.%E2%80%AEexe", "txt._exe"),
    ],
)
def test_filename_by_the_table(field: str, name: str | None) -> None:
    """Each form, with the name that it gives."""
    assert read(field) == name


def test_filename_is_that_of_the_first_field_that_has_one() -> None:
    """Two fields are one too many; no file is lost over it."""
    assert read("attachment", "inline; filename=a.txt", "attachment; filename=b.txt") == "a.txt"
    assert filename(Headers()) is None


fields = st.lists(
    st.sampled_from(
        ["attachment", ";", "filename=", "filename*=",
         "UTF-8''", '"', "\\", "/", "..", "%2F", "%2e", "%00", "=?utf-8?Q?",
         "=?utf-8?B?", "?=", "=", " ", "\xc3\xa9", "\xe9", ".tar.gz", "con", "a" * 300]
    )
    | st.text(st.characters(max_codepoint=255), max_size=4),
    max_size=14,
).map("".join)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(fields)
def test_filename_is_one_safe_component_when_the_field_is_anything(field: str) -> None:
    """No field leads out of the folder, hides or is too long; the same field gives the same name."""
    name = read(field)
    if name is not None:
        assert_safe(name)
        assert name == safe(name) == read(field)


@pytest.mark.parametrize("piece", ['"', "\\", ";", '"\\', "=?utf-8?q?", "=?idna?b?eA", "%", " ", "a=", "'"])
def test_filename_takes_no_longer_when_a_field_is_long(piece: str) -> None:
    """A hostile field of the longest sort is read in time that grows with its length only (the test has a limit)."""
    for _ in range(5):
        read("attachment; filename=" + piece * 60_000)
