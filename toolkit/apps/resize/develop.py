"""From a picture to its files: read the header, lay out, scale, operate, encode; the same for every engine."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from PIL import Image

from toolkit.apps.resize import (
    animate,
    codecs,
    colour,
    cropping,
    engines,
    geometry,
    metadata,
    operations,
    turning,
    warned,
)
from toolkit.apps.resize.content import content_hash
from toolkit.apps.resize.engines import Deep, Pixels, pillow
from toolkit.apps.resize.formats import DEEP, TAGGED, Format
from toolkit.apps.resize.opening import check_pixels, exif_of, opened, rawmode_of, reading, salvaging
from toolkit.apps.resize.operations.catalogue import may_colour
from toolkit.apps.resize.placing import Piece, needs_all, pieces
from toolkit.apps.resize.result import Resized
from toolkit.apps.resize.settings import Settings
from toolkit.apps.resize.subject import Colours, Demands, Part, Subject
from toolkit.apps.resize.targets import Target
from toolkit.apps.resize.writing import Printed, Writer
from toolkit.core.errors import FailureKind, TaskError


def develop(source: str, targets: Sequence[Target], out: Path, settings: Settings) -> Resized:
    """Make the files of one picture.

    Raises TaskError: input (cannot be read), image (damaged), unsupported, too_large, encode, name or disk. A file is
    replaced only when its new content is complete.
    """
    try:
        return _develop(source, targets, out, settings)
    except TaskError as error:
        if not settings.salvage or error.kind is not FailureKind.IMAGE:
            raise
        broken = error
    with salvaging():
        done = _develop(source, targets, out, settings)
    return dataclasses.replace(done, salvaged=True, warnings=(f"salvaged: {broken.message}", *done.warnings))


@dataclass(slots=True)
class _Stopwatch:
    seconds: dict[str, float] = field(default_factory=lambda: {"decode": 0.0, "process": 0.0, "encode": 0.0})

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[part] += time.perf_counter() - started


def _develop(source: str, targets: Sequence[Target], out: Path, settings: Settings) -> Resized:
    watch = _Stopwatch()
    with warned.noting() as noted, opened(source, settings.max_pixels, settings.also_read) as (file, image):
        facts = os.fstat(file.fileno())
        with watch("decode"), reading():
            subject = _subject(source, file, image, targets, settings)
            pictured = (image.format or "", *image.size)
        engine, prints = _pictured(subject, targets, settings, watch)
        said = metadata.said_of(subject.exif, image.info, settings.writing.metadata)
        writer = Writer(subject, out, settings, said, facts)
        with watch("encode"):
            written = [writer.write(prints[target.size], target) for target in targets]
        file.seek(0)
        content = content_hash(file)
        _check_unchanged(facts, os.fstat(file.fileno()))
    return Resized(
        outputs=tuple(output for output in written if output is not None),
        warnings=tuple(noted),
        source_size=facts.st_size,
        source_mtime_ns=facts.st_mtime_ns,
        source_hash=content,
        source_format=pictured[0],
        source_width=pictured[1],
        source_height=pictured[2],
        engine=engine.NAME,
        decode=watch.seconds["decode"],
        process=watch.seconds["process"],
        encode=watch.seconds["encode"],
    )


def _subject(
    source: str, file: IO[bytes], image: Image.Image, targets: Sequence[Target], settings: Settings
) -> Subject:
    animate.with_alpha(image)
    frames = _frame_indices(image, targets, settings.max_pixels)
    rawmode = rawmode_of(image)
    if image.format == "PNG":
        image.load()  # its EXIF may stand after the pixels
    exif = exif_of(image)
    orientation = 1 if codecs.turns_upright(image) else metadata.orientation_of(exif)
    turn = geometry.combine(orientation, settings.shape.quarter_turns, settings.shape.flip)
    if (what := metadata.named(image)) is not None:
        warned.note(what)
    return Subject(source, file, image, image.size, exif, rawmode, turn, frames)


def _frame_indices(image: Image.Image, targets: Sequence[Target], max_pixels: int) -> range:
    if image.format == "TIFF":  # counting the pages of one takes long, and none but the first is ever used
        if getattr(image, "is_animated", False):
            warned.note("only the first of its pictures was kept")
        return range(1)
    frames = getattr(image, "n_frames", 1)
    if not any(animate.can_move(target.format, image) for target in targets):
        if frames > 1 and image.format != "MPO":
            what = "frames" if animate.is_animation(image) else "pictures"
            warned.note(f"only the first of {frames} {what} was kept")
        return range(image.tell(), image.tell() + 1)  # Photoshop's begin at 1
    check_pixels(image, frames, max_pixels)
    # An APNG may begin with a picture for those who cannot play it, which is no frame (PNG 3rd ed., 4.8).
    return range(1 if getattr(image, "default_image", False) else 0, frames)


def _pictured(
    subject: Subject, targets: Sequence[Target], settings: Settings, watch: _Stopwatch
) -> tuple[engines.Engine, dict[int, Printed]]:
    """Return the engine that did it, and what it made; what another cannot read, Pillow may."""
    engine = engines.choose(subject, settings)
    try:
        return engine, _prints(subject, targets, settings, engine, watch)
    except TaskError as error:
        if engine.NAME == pillow.NAME or error.kind is not FailureKind.IMAGE:
            raise
    return pillow, _prints(subject, targets, settings, pillow, watch)


def _prints(
    subject: Subject, targets: Sequence[Target], settings: Settings, engine: engines.Engine, watch: _Stopwatch
) -> dict[int, Printed]:
    """Return what is written of each size: its frames in final colours, operations done."""
    forms = frozenset(target.format for target in targets)
    sizes = sorted({target.size for target in targets})
    started = time.perf_counter()
    shape = settings.shape
    planned = pieces(subject, shape)
    _check_sizes(planned, len(subject.frames), settings.max_pixels)
    parts = [planned[size].part(subject) for size in sizes]
    if needs_all(shape):
        parts.append(Part((0.0, 0.0, float(subject.stored[0]), float(subject.stored[1])), subject.stored))
    pixels = engine.pixels(subject, Demands(tuple(parts), shape, _colours(settings, forms), _is_deep(settings, forms)))
    planned = _refined(subject, settings, pixels, planned)
    frames: dict[int, list[Image.Image | Deep]] = {size: [] for size in sizes}
    durations = []
    for index in subject.frames:
        for size in sizes:
            frames[size].append(planned[size].frame(subject, pixels, index))
        durations.append(pixels.milliseconds)
    timing = tuple(durations) if len(durations) > 1 else ()
    plays = animate.plays_of(subject.image)
    prints = {size: _printed(frames[size], planned[size], settings, timing, plays) for size in sizes}
    watch.seconds["decode"] += pixels.decoding
    watch.seconds["process"] += time.perf_counter() - started - pixels.decoding
    return prints


def _check_unchanged(before: os.stat_result, after: os.stat_result) -> None:
    """Raise TaskError for a file that was written to while it was read: its result may be of neither content."""
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise TaskError(FailureKind.INPUT, "the file was written to while it was read", retryable=True)


def _check_sizes(planned: Sequence[Piece], frames: int, most: int) -> None:
    for piece in planned:
        width, height = piece.layout.canvas
        if frames * width * height > most:
            times = f"{frames} frames of " if frames > 1 else ""
            what = f"the result would have {times}{width} x {height} pixels, more than {most:,}"
            raise TaskError(FailureKind.TOO_LARGE, f"{what}: raise --max-pixels if that is meant")


def _refined(subject: Subject, settings: Settings, pixels: Pixels, planned: list[Piece]) -> list[Piece]:
    """Return what is taken once the pixels have been looked at, where that decides."""
    shape, area, proxy = settings.shape, None, None
    first = subject.frames[0]
    whole = (0.0, 0.0, float(subject.stored[0]), float(subject.stored[1]))
    if shape.trim is not None:
        area = cropping.content(_upright(subject, pixels, whole, subject.stored, first), shape.trim)
    if shape.smart:
        seen = area or (0.0, 0.0, float(subject.size[0]), float(subject.size[1]))
        region = geometry.as_stored(seen, subject.size, subject.turn)
        small = cropping.proxy_size((round(region[2] - region[0]), round(region[3] - region[1])))
        proxy = turning.leaning(_upright(subject, pixels, region, small, first), shape.angle)
    return pieces(subject, shape, area, proxy) if area or proxy else planned


def _upright(subject: Subject, pixels: Pixels, region: geometry.Region, size: geometry.Size, index: int) -> Image.Image:
    found = pixels.scaled(index, region, size)
    plain = found if isinstance(found, Image.Image) else found.narrowed()
    return turning.turned(plain, subject.turn)


def _printed(
    frames: list[Image.Image | Deep], piece: Piece, settings: Settings, durations: Sequence[float], plays: int
) -> Printed:
    first = frames[0]
    if not isinstance(first, Image.Image):
        return Printed(frames, first.icc or _tag(settings), piece.layout, durations, plays)
    images = [frame for frame in frames if isinstance(frame, Image.Image)]
    icc = first.info.get("icc_profile", b"")
    for image in images:
        image.info = {}  # so that no writer finds there what is not meant for it
    stay_rgb = bool(icc) and images[0].mode in {"RGB", "RGBA"}
    done = operations.apply(settings.operations, images, stay_rgb=stay_rgb) if settings.operations else images
    if not icc and all(frame.mode in {"RGB", "RGBA"} for frame in done):
        icc = _tag(settings)
    return Printed(list(done), icc, piece.layout, durations, plays)


def _tag(settings: Settings) -> bytes:
    """Return the profile that RGB pixels without one are in, where results are to say so."""
    told = settings.writing.metadata == "icc-only" and settings.writing.profile != "keep"
    return colour.srgb_profile() if told else b""


def _colours(settings: Settings, forms: frozenset[Format]) -> Colours:
    writing = settings.writing
    if writing.profile == "file" and forms <= TAGGED:
        return Colours(target=writing.icc)
    if writing.profile == "file":
        warned.note(f"{', '.join(sorted(forms - TAGGED))} carries no colour profile: converted to sRGB")
    tagged = writing.profile == "keep" and forms <= TAGGED
    plain = not any(map(may_colour, settings.operations))
    grey = forms <= {"jpeg", "png", "tiff"} and len(set(writing.background[:3])) == 1 and plain
    return Colours(keep_colour=tagged, keep_grey=tagged and grey, asked=writing.profile == "keep")


def _is_deep(settings: Settings, forms: frozenset[Format]) -> bool:
    return bool(forms & DEEP) and not settings.operations and not settings.shape.angle
