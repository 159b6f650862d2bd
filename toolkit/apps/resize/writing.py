"""Frames become files: canvas, encoder, the file as it was where that is smaller, the original put aside."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from PIL import Image

from toolkit import storage
from toolkit.apps.resize import canvas, originals, pixel_size
from toolkit.apps.resize.animate import Film
from toolkit.apps.resize.encode import Wrapping, Written, encode
from toolkit.apps.resize.engines import Deep
from toolkit.apps.resize.formats import ANIMATED, HEAD, LOSSLESS, LOSSY, Format
from toolkit.apps.resize.geometry import Layout, Size
from toolkit.apps.resize.keeping import may_stay
from toolkit.apps.resize.metadata import Said
from toolkit.apps.resize.recipe import Recipe
from toolkit.apps.resize.result import Output
from toolkit.apps.resize.settings import Settings
from toolkit.apps.resize.subject import Subject
from toolkit.apps.resize.targets import Target
from toolkit.apps.resize.walk import place_below
from toolkit.apps.resize.warned import note

_BLOCK = 1 << 20
"""Bytes that are copied or compared at a time."""


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
        """Write one file; leave one that is there and must stay: None if it is no picture."""
        path = storage.inside(self.out, target.name)
        if self.settings.existing == "skip" and os.path.lexists(path):
            return _found(path, target)
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
        backup = Path(self.settings.backup) if self.settings.backup else None
        with (
            self._moved(path, backup) as keep,
            originals.replaced(path, target.name, backup) as put_aside,
            storage.atomic_write(path) as file,
        ):
            yield file
            keep()
            if not _holds(path, file):  # else it is what a killed run made, and nothing is lost
                put_aside()
        if self._is_spare:
            with suppress(OSError):
                os.unlink(self.subject.source)

    @property
    def _is_spare(self) -> bool:
        """Whether the picture is read from where a killed run kept it; the trash has it, too."""
        spare = os.path.basename(self.subject.source).startswith(originals.SPARE)
        return self.settings.in_place and not self.settings.backup and spare

    def _moved(self, path: Path, backup: Path | None) -> AbstractContextManager[Callable[[], None]]:
        """Take an original away whose result has another name, unless a killed run has done so before."""
        source = self.subject.source
        place = place_below(source, os.path.realpath(self.out))
        kept_before = backup is not None and place_below(source, os.path.realpath(backup)) is not None
        if (
            self._is_spare
            or kept_before
            or place is None
            or os.path.normpath(path) == os.path.normpath(self.out / place)
        ):
            return nullcontext(lambda: None)
        return originals.moved(Path(source), place, backup)

    def _encode(self, printed: Printed, form: Format, file: IO[bytes]) -> Written:
        frames = printed.frames
        deep = frames[0]
        wrapping = Wrapping(canvas.on_white(self.settings.writing.background), printed.icc, self.said)
        if not isinstance(deep, Image.Image):
            whole = self.settings.writing.max_bytes is None  # fewer bytes are looked for with 8 bits a channel
            if whole and form in {"png", "tiff"} and printed.layout.canvas == deep.size:
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
        if wanted.lossless and not lossless and form in LOSSY:
            note(f"{form} cannot be lossless: written at its usual quality")
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
        frames, size = len(printed.frames), self.facts.st_size
        if may_stay(self.subject, printed.layout, frames, target.format, self.settings, size):
            return True
        note("the result is no smaller than the original, which could not be kept: it is of another sort, or says more")
        return False

    def _copy(self, file: IO[bytes]) -> None:
        file.seek(0)
        file.truncate()
        self.subject.file.seek(0)
        shutil.copyfileobj(self.subject.file, file, _BLOCK)


def _found(path: Path, target: Target) -> Output | None:
    """Return the facts of a picture that is there already, or None."""
    try:
        with path.open("rb") as file:
            facts = os.fstat(file.fileno())
            width, height = pixel_size.of(file, file.read(HEAD), facts.st_size)
    except OSError:
        return None
    if not (width and height):
        return None
    return Output(target.name, target.format, facts.st_size, width, height, mtime_ns=facts.st_mtime_ns, found=True)


def _holds(path: Path, file: IO[bytes]) -> bool:
    """Tell whether there is a file at path with the same content as the open one, which is left at its end."""
    try:
        with path.open("rb") as there:
            if os.fstat(there.fileno()).st_size != file.seek(0, os.SEEK_END):
                return False
            file.seek(0)
            while block := file.read(_BLOCK):
                if block != there.read(_BLOCK):
                    file.seek(0, os.SEEK_END)
                    return False
    except OSError:
        return False
    return True
