"""Made pictures with known answers, and the app run on them."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from toolkit.apps.resize.job import ResizeApp
from toolkit.apps.resize.options import ResizeOptions
from toolkit.apps.resize.result import Resized
from toolkit.core.http import Accept, Progress, Reply, Request
from toolkit.core.job import Remembered
from toolkit.core.runtime import BlockingRuntime
from toolkit.core.task import Failure, Outcome, Skip, Success, Task

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)

_BACK = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How an upright picture must be turned to be stored with each orientation."""


class NoClient:
    """A client that nobody may use: pictures need no network."""

    def fetch(self, request: Request, accept: Accept, progress: Progress) -> Reply:
        """Refuse."""
        raise AssertionError("no network here")

    def abort(self) -> None:
        """There is nothing to break off."""

    def close(self) -> None:
        """There is nothing to close."""


class Blank:
    """A memory in which nothing is known."""

    path: Path | None = None
    round = ""
    retrying = False
    run_id = 1
    ended = "complete"

    def recall(self, key: str) -> Remembered | None:
        """Know nothing."""
        return None

    def claim(self, name: str, key: str) -> str:
        """Let everyone have it."""
        return key

    def claimed(self, name: str) -> str | None:
        """Take every file that has a result's name for that of an earlier run, and know of no owner else."""
        return "earlier" if name.startswith("//result ") else None

    def done(self, settings: str) -> Iterator[Remembered]:
        """Remember nothing."""
        return iter(())

    def texts(self, settings: str) -> Iterator[str]:
        """Remember nothing."""
        return iter(())

    def kept(self) -> Iterator[Remembered]:
        """Remember nothing."""
        return iter(())

    def note(self, name: str, value: str) -> None:
        """Keep no notes."""

    def noted(self, name: str) -> str:
        """Return nothing."""
        return ""

    def found(self) -> Iterator[str]:
        """Find nothing."""
        return iter(())

    def drop_rounds(self, names: str = "") -> None:
        """Know of none."""

    @property
    def plan(self) -> str:
        """Return the name of the plan."""
        return ""

    def amend(self, key: str, value: dict[str, Any]) -> None:
        """Know nothing better."""

    def discover(self, key: str, payload: dict[str, Any] | Callable[[], dict[str, Any]]) -> bool:
        """Find nothing new."""
        return False

    def discovered(
        self, after: int, limit: int, settings: str, *, failed: bool = False
    ) -> list[tuple[int, str, dict[str, Any]]]:
        """Have found nothing."""
        return []

    def disown(self, name: str, key: str) -> None:
        """Take no name from anyone."""
        raise NotImplementedError(name, key)

    def commit(self) -> None:
        """Keep nothing."""


def perform(app: ResizeApp, task: Task[Any]) -> Outcome:
    runtime = BlockingRuntime(NoClient, received=lambda _: None, cancelled=lambda: False)
    return runtime.perform(app.job, task, "test")


def run(sources: Sequence[str | Path], out: Path, **options: Any) -> list[Outcome]:
    """Plan and do everything, one after another."""
    app = ResizeApp([str(source) for source in sources], out, ResizeOptions(**options))
    app.prepare()
    return [planned if isinstance(planned, Skip | Failure) else perform(app, planned) for planned in app.plan(Blank())]


def one(source: Path, out: Path, **options: Any) -> tuple[Image.Image, Resized]:
    """Do one picture that must succeed; return what was written, loaded, and what is known of it."""
    (outcome,) = run([source], out, **options)
    assert isinstance(outcome, Success), outcome
    value = outcome.value
    with Image.open(out / value.output) as image:
        image.load()
        assert image.size == (value.width, value.height)
    assert (out / value.output).stat().st_size == value.bytes
    return image, value


def failure(source: Path, out: Path, **options: Any) -> Failure:
    """Do one picture that must fail."""
    (outcome,) = run([source], out, **options)
    assert isinstance(outcome, Failure), outcome
    return outcome


def saved(image: Image.Image, path: Path, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
    return path


def stored(orientation: int, path: Path, image: Image.Image, **options: Any) -> Path:
    """Save an upright picture turned, with the EXIF orientation that says how."""
    turn = _BACK[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(image.transpose(turn) if turn is not None else image, path, exif=exif.tobytes(), **options)


def array(image: Image.Image, mode: str | None = None) -> np.ndarray[Any, Any]:
    return np.asarray(image.convert(mode) if mode else image).astype(int)


def near(pixel: Any, wanted: Sequence[int] | int, by: int = 3) -> bool:
    """Whether a pixel is what was wanted, give or take some steps of each channel."""
    return bool(np.all(np.abs(np.atleast_1d(pixel).astype(int) - np.atleast_1d(wanted)) <= by))


def corners(width: int = 120, height: int = 80) -> Image.Image:
    """Four quarters: red, green / blue, white. No two turns or mirror images of it are alike."""
    image = Image.new("RGB", (width, height), WHITE)
    image.paste(RED, (0, 0, width // 2, height // 2))
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    return image


@cache
def photo(width: int, height: int, seed: int = 5) -> Image.Image:
    """Something like a photograph: soft shapes, fine detail, a little noise; the same every time."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    layers = []
    for _ in range(3):
        layer = 128 + 50 * np.sin(x / random.uniform(30, 90) + random.uniform(0, 6)) * np.cos(
            y / random.uniform(30, 90)
        )
        for _ in range(14):
            cx, cy, r = random.uniform(0, width), random.uniform(0, height), random.uniform(10, 80)
            layer += random.uniform(-30, 30) * (1 - np.tanh((np.hypot(x - cx, y - cy) - r) / 3))
        layers.append(layer + 6 * np.sin(x * y / 900) + random.normal(0, 2, (height, width)))
    return Image.fromarray(np.clip(np.stack(layers, -1), 0, 255).astype(np.uint8))


def profile(kind: str) -> bytes:
    """Return an ICC profile: srgb, p3 (Display P3), adobe (gamma 2.2), paper (with a yellow white), cmyk.

    grey and linear have a gamma of 1.0, grey2 one of 2.2.
    """
    if kind == "srgb":
        return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    white = _xyz(0.9642, 1.0, 0.8249)
    if kind in {"grey", "grey2"}:
        return _icc(b"GRAY", {b"wtpt": white, b"kTRC": _gamma(1.0 if kind == "grey" else 2.2)})
    if kind == "cmyk":
        return _icc(b"CMYK", {b"wtpt": white, b"A2B0": _cmyk_table()}, cls=b"prtr", pcs=b"Lab ")
    # Primaries of Display P3, adapted to D50 (as in Apple's profile); sRGB's curve is near enough a gamma of 2.2.
    p3 = {b"rXYZ": (0.5151, 0.2412, -0.0011), b"gXYZ": (0.2920, 0.6922, 0.0419), b"bXYZ": (0.1571, 0.0666, 0.7841)}
    srgb = {b"rXYZ": (0.4361, 0.2225, 0.0139), b"gXYZ": (0.3851, 0.7169, 0.0971), b"bXYZ": (0.1431, 0.0606, 0.7141)}
    adobe = {b"rXYZ": (0.6097, 0.3111, 0.0195), b"gXYZ": (0.2053, 0.6257, 0.0609), b"bXYZ": (0.1492, 0.0632, 0.7446)}
    primaries = {"p3": p3, "adobe": adobe}.get(kind, srgb)
    curve = {"p3": _srgb_curve(), "adobe": _gamma(563 / 256)}.get(kind, _gamma(1.0))
    white = _xyz(0.85, 0.88, 0.55) if kind == "paper" else white
    tags = {b"wtpt": white} | {tag: _xyz(*value) for tag, value in primaries.items()}
    kinds = b"scnr" if kind == "paper" else b"mntr"
    return _icc(b"RGB ", tags | {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}, cls=kinds)


def lanczos(pixels: np.ndarray[Any, Any], size: tuple[int, int]) -> np.ndarray[Any, Any]:
    """Return pixels scaled by Lanczos-3 in floating point: the reference."""
    rows = np.tensordot(_weights(pixels.shape[0], size[1]), pixels, 1)
    return np.swapaxes(np.tensordot(_weights(pixels.shape[1], size[0]), np.swapaxes(rows, 0, 1), 1), 0, 1)


def _weights(length: int, wanted: int) -> np.ndarray[Any, Any]:
    """Return the Lanczos-3 weights of each source pixel for each result pixel."""
    scale = length / wanted
    centre = (np.arange(wanted)[:, None] + 0.5) * scale
    x = (np.arange(length)[None, :] + 0.5 - centre) / max(scale, 1)
    weights = np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)
    normal: np.ndarray[Any, Any] = weights / weights.sum(1, keepdims=True)
    return normal


def mpo(first: Image.Image, second: Image.Image, path: Path) -> Path:
    first.save(path, "MPO", save_all=True, append_images=[second])
    return path


def jpeg_bytes(image: Image.Image, **options: Any) -> bytes:
    memory = io.BytesIO()
    image.save(memory, "JPEG", **options)
    return memory.getvalue()


def _s15(number: float) -> bytes:
    return struct.pack(">i", round(number * 65536))


def _xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(map(_s15, values))


def _gamma(value: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(value * 256)) + b"\0\0"


def _srgb_curve() -> bytes:
    # parametricCurveType 3: the sRGB transfer function itself (ICC.1:2010, 10.15).
    return b"para\0\0\0\0\0\3\0\0" + b"".join(map(_s15, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)))


def _cmyk_table() -> bytes:
    """Return a lut8 with 2 grid points: every ink takes lightness away, and adds no colour (ICC.1:2010, 10.9)."""
    head = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + b"".join(map(_s15, (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    ramp = bytes(range(256))
    grid = b"".join(bytes([255 - 51 * corner.bit_count(), 128, 128]) for corner in range(16))
    return head + ramp * 4 + grid + ramp * 3


def _icc(space: bytes, tags: dict[bytes, bytes], *, cls: bytes = b"mntr", pcs: bytes = b"XYZ ") -> bytes:
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"made\0" + b"\0" * 78,
        b"cprt": b"text\0\0\0\0none\0",
    } | tags
    start, table, data = 128 + 4 + 12 * len(tags), b"", b""
    for tag, value in tags.items():
        table += tag + struct.pack(">II", start + len(data), len(value))
        data += value + b"\0" * (-len(value) % 4)
    head = struct.pack(">I4sI4s4s4s", start + len(data), b"\0\0\0\0", 0x02400000, cls, space, pcs)
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28 + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data
