"""Which decoders run: a documented few, and of the others one at a time, by its name and for files of its own."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.apps.resize.making import array, failure, near, one, photo
from toolkit.apps.resize.formats import EXTRA_DECODERS
from toolkit.core.errors import FailureKind


def _card(name: str, value: object) -> bytes:
    return f"{name:8}= {value:>20}".ljust(80).encode()


def _fits() -> bytes:
    cards = [_card("SIMPLE", "T"), _card("BITPIX", 8), _card("NAXIS", 2), _card("NAXIS1", 64), _card("NAXIS2", 48)]
    return b"".join([*cards, b"END"]).ljust(2880) + photo(64, 48).convert("L").tobytes().ljust(5760, b"\0")


def _psd() -> bytes:
    sizes = (48).to_bytes(4, "big") + (64).to_bytes(4, "big")
    pixels = b"".join(photo(64, 48).getchannel(channel).tobytes() for channel in "RGB")
    return b"8BPS\0\1" + bytes(6) + b"\0\3" + sizes + b"\0\x08\0\3" + bytes(14) + pixels


def _made(kind: str) -> bytes:
    if kind in {"fits", "psd"}:
        return _fits() if kind == "fits" else _psd()
    options: dict[str, Any] = {"sizes": [(64, 48)]} if kind == "ico" else {}
    memory = io.BytesIO()
    image = photo(64, 64) if kind == "icns" else photo(64, 48)
    image.save(memory, EXTRA_DECODERS[kind].name, **options)
    return memory.getvalue()


@pytest.mark.parametrize("kind", EXTRA_DECODERS)
@pytest.mark.parametrize("suffix", ["jpg", "itself"])
def test_decoder_that_is_off(tmp_path: Path, kind: str, suffix: str) -> None:
    """It does not run, whatever the file is called, and the failure says how to turn it on; others do not help."""
    source = tmp_path / f"a.{kind if suffix == 'itself' else suffix}"
    source.write_bytes(_made(kind))
    other = "qoi" if kind != "qoi" else "tga"
    for also_read in ((), (other,)):
        failed = failure(source, tmp_path / "out", format="png", also_read=also_read)
        assert failed.kind is FailureKind.UNSUPPORTED
        assert failed.message.endswith(f"--also-read {kind}")


@pytest.mark.parametrize("kind", [kind for kind in EXTRA_DECODERS if kind not in {"eps", "psd"}])
def test_decoder_when_asked_for(tmp_path: Path, kind: str) -> None:
    """It reads the file."""
    source = tmp_path / "a"
    source.write_bytes(_made(kind))
    image, value = one(source, tmp_path / "out", format="png", also_read=(kind,))
    assert value.source_format == EXTRA_DECODERS[kind].name
    assert near(array(image, "L").mean(), int(array(photo(64, 64 if kind == "icns" else 48), "L").mean()), 2)


def test_decoders_that_are_never_loaded(tmp_path: Path) -> None:
    """What is off is not even imported, so no damaged file can reach it."""
    (tmp_path / "a.jpg").write_bytes(_made("eps"))
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n and nothing else")
    code = f"""
import sys
from pathlib import Path
from tests.apps.resize.making import run
run([{str(tmp_path)!r} + "/a.jpg"], Path({str(tmp_path)!r}) / "out")
run([{str(tmp_path)!r} + "/b.png"], Path({str(tmp_path)!r}) / "out")
print(*sorted(name for name in sys.modules if name.startswith("PIL.") and name.endswith("ImagePlugin")))
"""
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=30)
    names = {name.removeprefix("PIL.").removesuffix("ImagePlugin") for name in loaded.stdout.split()}
    assert names <= {"Avif", "Bmp", "Gif", "Jpeg", "Mpo", "Png", "Ppm", "Tiff", "WebP"}
