"""A picture is known by its first bytes, and what is written has a name that says so."""

from __future__ import annotations

import importlib
import io
from typing import Any

import pytest
from PIL import Image

from tests.apps.resize.making import photo
from toolkit.apps.resize import codecs, formats
from toolkit.apps.resize.formats import (
    EXTRA_DECODERS,
    FORMATS,
    READABLE,
    format_of,
    missing,
    output_format,
    output_name,
    sniff,
)
from toolkit.core.errors import TaskError


def _made(name: str, mode: str = "RGB", **options: Any) -> bytes:
    Image.init()
    memory = io.BytesIO()
    photo(64, 64).convert(mode).save(memory, name, **options)
    return memory.getvalue()


@pytest.mark.parametrize("kind", sorted(READABLE))
def test_sniff_of_what_is_read(kind: str) -> None:
    """Each kind that is read is told by its first bytes, and its decoder alone opens it."""
    if missing(kind):
        pytest.skip(f"needs the extra {kind}")
    (name,) = codecs.decoders(kind)
    data = _made(name)
    assert sniff(data[: formats.HEAD]) == kind
    with Image.open(io.BytesIO(data), formats=codecs.decoders(kind)) as image:
        assert image.size == (64, 64)


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        ("jp2", "RGB", {}),
        ("jp2", "RGB", {"no_jp2": True}),
        ("qoi", "RGB", {}),
        ("ico", "RGBA", {"sizes": [(32, 32)]}),
        ("icns", "RGBA", {}),
        *(("tga", mode, options) for mode in ("L", "RGB", "RGBA", "P") for options in ({}, {"compression": "tga_rle"})),
        ("dds", "RGBA", {}),
        ("pcx", "RGB", {}),
        ("pcx", "P", {}),
        ("sgi", "RGB", {}),
        ("eps", "RGB", {}),
    ],
)
def test_sniff_of_what_is_read_when_asked_for(kind: str, mode: str, options: dict[str, Any]) -> None:
    """It is told by its first bytes; its decoder runs only when it was asked for."""
    data = _made(EXTRA_DECODERS[kind].name, mode, **options)
    assert sniff(data[: formats.HEAD]) == kind
    with pytest.raises(TaskError, match=f"{kind} pictures are not read"):
        codecs.decoders(kind)
    names = codecs.decoders(kind, {kind})
    assert names == (EXTRA_DECODERS[kind].name,)
    with Image.open(io.BytesIO(data), formats=names) as image:
        assert image.format == names[0]


@pytest.mark.parametrize("kind", sorted(EXTRA_DECODERS))
def test_extra_decoders_are_pillows(kind: str) -> None:
    """Each names a module of Pillow, and the decoder that the module brings."""
    decoder = EXTRA_DECODERS[kind]
    importlib.import_module(f"PIL.{decoder.plugin}")
    assert decoder.name in Image.OPEN
    assert kind not in READABLE
    assert output_format(kind, None) == "png"
    assert output_name(f"a{formats.SUFFIXES[kind][0]}", "png") == "a.png"


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"8BPS\0\1" + b"\0" * 40, "psd"),
        (b"SIMPLE  =                    T", "fits"),
        (b"v/1\x01", "OpenEXR"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "heic"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "heic"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "avif"),
        (b"\0\0\0\x18ftypcrx \0\0\0\0crx isom", "camera raw"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42", None),
        (b"", None),
        (b"<svg/>", None),
        (b"\0" * 64, None),
        (b"\xff" * 64, None),
        (b"PK\3\4" + b"\0" * 40, None),
        (b"\x7fELF\2\1\1\0" + b"\0" * 40, None),
        (b"SQLite format 3\0\x10\0\1\1\0\x40\x20\x20", None),
        (b"\0\1\0\0\0\x0f\0\x80\0\3\0\x70" + b"GDEF\0\x11\0\x10" * 4, None),
    ],
)
def test_sniff_of_heads(head: bytes, kind: str | None) -> None:
    """Pictures that are not read are named; what is no picture is nothing."""
    assert sniff(head) == kind


@pytest.mark.parametrize("form", FORMATS)
def test_output_name_says_the_format(form: Any) -> None:
    """A fitting suffix stays, that of another picture is replaced, any other is kept."""
    suffix = formats.SUFFIXES[form][0]
    assert output_name("a.bmp", form) == f"a{suffix}"
    assert output_name("a.v2", form) == f"a.v2{suffix}"
    for own in formats.SUFFIXES[form]:
        assert output_name(f"a{own.upper()}", form) == f"a{own.upper()}"
        assert format_of(f"a{own}") == form


def test_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra has the name of the format; what needs none is never missing."""
    monkeypatch.setattr("toolkit.apps.resize.formats.find_spec", lambda _: None)
    assert [missing(kind) for kind in ("heic", "jxl", "jpeg", "psd")] == ["heic", "jxl", None, None]
