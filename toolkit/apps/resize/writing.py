"""Frames become files: canvas, encoder, the file as it was where that is smaller, the original put aside."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from PIL import ExifTags, Image

from toolkit import storage
from toolkit.apps.resize import canvas, originals
from toolkit.apps.resize.animate import Film
from toolkit.apps.resize.encode import Wrapping, Written, encode
from toolkit.apps.resize.engines import Deep
from toolkit.apps.resize.formats import ANIMATED, LOSSLESS, Format
from toolkit.apps.resize.geometry import Layout, Size
from toolkit.apps.resize.metadata import Said
from toolkit.apps.resize.recipe import Recipe
from toolkit.apps.resize.result import Output
from toolkit.apps.resize.settings import Settings
from toolkit.apps.resize.subject import Subject
from toolkit.apps.resize.targets import Target
from toolkit.apps.resize.warned import note

_OWN: dict[str, Format] = {"JPEG": "jpeg", "PNG": "png", "WEBP": "webp", "AVIF": "avif", "GIF": "gif", "TIFF": "tiff"}
"""What files are, in Pillow's words, that may be kept as they are. Not MPO: that holds more than one picture."""

_SAYING = ("xmp", "comment", "photoshop", "XML:com.adobe.xmp")
"""Where Pillow keeps what a file says besides EXIF data and a profile."""


@dataclass(frozen=True, slots=True)
class Printed:
    """One size of a picture, ready to be encoded. icc: the profile of its colours, or nothing for sRGB."""

    frames: Sequence[Image.Image | Deep]
    icc: bytes
    layout: Layout
    durations: Sequence[float]
    plays: int

    @property
    def size(self) -> Size:
        """Pixels across and down, as they are written."""
        frame = self.frames[0].size
        return self.layout.canvas if frame == self.layout.size else frame


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes the files of one picture; facts: those of its file."""

    subject: Subject
    out: Path
    settings: Settings
    said: Said
    facts: os.stat_result

    def write(self, printed: Printed, target: Target) -> Output | None:
        """Write one file; None if one is there that must stay."""
        path = storage.inside(self.out, target.name)
        if self.settings.existing == "skip" and os.path.lexists(path):
            return None
        with self._opened(path, target) as file:
            written = self._encode(printed, target.format, file)
            kept = self.settings.writing.keep_if_smaller and self._keeps(written, printed, target)
            if kept:
                self._copy(file)
            file.flush()
            size = file.seek(0, os.SEEK_END)
        if self.settings.keep_dates:
            originals.copy_dates(self.facts, path)
        return Output(
            target.name,
            target.format,
            size,
            written.width,
            written.height,
            written.frames,
            None if kept else written.quality,
            None if kept else written.ssim,
            os.stat(path).st_mtime_ns,
            kept,
        )

    @contextmanager
    def _opened(self, path: Path, target: Target) -> Iterator[IO[bytes]]:
        """Give a file that takes its name when it is whole; in place, once the original is safe."""
        if not self.settings.in_place:
            with storage.atomic_write(path) as file:
                yield file
            return
        source, backup = Path(self.subject.source), Path(self.settings.backup) if self.settings.backup else None
        again = backup is not None and source.is_relative_to(backup)  # a killed run had put it aside
        with originals.replaced(path, target.name, backup) as put_aside, storage.atomic_write(path) as file:
            yield file
            if not again:
                put_aside()
        if not again and not os.path.samefile(source, path):
            originals.remove(source, os.path.relpath(source, self.out), backup)

    def _encode(self, printed: Printed, form: Format, file: IO[bytes]) -> Written:
        frames = printed.frames
        deep = frames[0]
        wrapping = Wrapping(canvas.on_white(self.settings.writing.background), printed.icc, self.said)
        if not isinstance(deep, Image.Image):
            if form in {"png", "tiff"} and printed.layout.canvas == deep.size:
                data = deep.encoded(form, wrapping)
                file.write(data)
                return Written(len(data), *deep.size, 1, None, None)
            note("16 bits a channel were narrowed to 8")
        plain = [frame if isinstance(frame, Image.Image) else frame.narrowed() for frame in frames]
        moving = len(plain) > 1 and form in ANIMATED
        if len(plain) > 1 and not moving:
            note(f"only the first of {len(plain)} frames was kept in {form}")
        laid = [
            canvas.on_canvas(frame, printed.layout, self.settings.writing.background, flat=form == "jpeg")
            for frame in (plain if moving else plain[:1])
        ]
        film = Film(canvas.alike(laid), printed.durations if moving else (), printed.plays)
        return encode(film, self._recipe(form), file, wrapping)

    def _recipe(self, form: Format) -> Recipe:
        wanted = self.settings.writing
        lossless = wanted.lossless and form in LOSSLESS
        return Recipe(
            form,
            quality=wanted.quality,
            lossless=lossless,
            progressive=wanted.progressive,
            subsampling=wanted.subsampling,
            effort=wanted.effort,
            max_bytes=wanted.max_bytes,
            ssim=wanted.ssim,
        )

    def _keeps(self, written: Written, printed: Printed, target: Target) -> bool:
        """Whether the file as it is serves as well as what was written, and is no larger."""
        if written.bytes < self.facts.st_size:
            return False
        if self._is_as_good(printed, target.format):
            return True
        note("the result is no smaller than the original, which could not be kept: it is of another sort, or says more")
        return False

    def _is_as_good(self, printed: Printed, form: Format) -> bool:
        image, settings = self.subject.image, self.settings
        same_picture = (
            _OWN.get(image.format or "") == form
            and self.subject.turn == 1
            and printed.layout.canvas == self.subject.size == printed.layout.size
            and printed.layout.region == (0.0, 0.0, *map(float, self.subject.size))
            and not settings.operations
            and not settings.shape.angle
        )
        same_colours = image.mode != "CMYK" and (
            settings.writing.profile == "keep" or not image.info.get("icc_profile")
        )
        fits = settings.writing.max_bytes is None or self.facts.st_size <= settings.writing.max_bytes
        return same_picture and same_colours and fits and self._says_no_more()

    def _says_no_more(self) -> bool:
        """Whether the file says nothing about the picture that its result must not say."""
        wanted, exif, info = self.settings.writing.metadata, self.subject.exif, self.subject.image.info
        if wanted == "keep":
            return True
        if any(info.get(name) for name in _SAYING) or getattr(self.subject.image, "text", None):
            return False
        if wanted == "no-gps":
            hidden = (ExifTags.Base.MakerNote in exif.get_ifd(ExifTags.IFD.Exif)) or exif.get_ifd(ExifTags.IFD.IFD1)
            return not hidden and not exif.get_ifd(ExifTags.IFD.GPSInfo)
        return not len(exif)

    def _copy(self, file: IO[bytes]) -> None:
        file.seek(0)
        file.truncate()
        self.subject.file.seek(0)
        shutil.copyfileobj(self.subject.file, file, 1024 * 1024)
