"""Make `samples/pictures/` from freely usable originals (see `samples/README.md` for where they come from).

Example: python samples/make_pictures.py scikit-image/skimage/data
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageOps

if not __package__:  # run as a script, from anywhere
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from samples.icc import display_p3

PICTURES = Path(__file__).resolve().parent / "pictures"
PHOTOGRAPHS = {  # name: (original, longest side in pixels, JPEG quality)
    "bricks.jpg": ("brick.png", 512, 75),
    "cat.jpg": ("chelsea.png", 451, 88),
    "coffee.jpg": ("coffee.png", 600, 88),
    "deep-field.jpg": ("hubble_deep_field.jpg", 760, 70),
    "grass.jpg": ("grass.png", 440, 60),
    "gravel.jpg": ("gravel.png", 440, 65),
    "retina.jpg": ("retina.jpg", 900, 85),
    "rocket.jpg": ("rocket.jpg", 640, 88),
}
ORIENTATION, GPS = 0x0112, 0x8825


def make(originals: Path, target: Path = PICTURES) -> None:
    """Write every picture into `target`."""
    target.mkdir(exist_ok=True)
    for name, (original, side, quality) in PHOTOGRAPHS.items():
        _open(originals / original, side).save(target / name, quality=quality, optimize=True)
    coffee, rocket = _open(originals / "coffee.png", 480), _open(originals / "rocket.jpg", 480)
    _turned(coffee, 6, Image.Transpose.ROTATE_90, target / "coffee-on-its-side.jpg", place=True)
    _turned(rocket, 3, Image.Transpose.ROTATE_180, target / "rocket-upside-down.jpg")
    _soft_edge(_open(originals / "chelsea.png", 300)).save(target / "cat-soft-edge.png", optimize=True)
    horse = Image.open(originals / "horse.png")
    _cut_out(horse, (300, 246)).save(target / "horse.png", transparency=0, optimize=True)
    _sixteen_bits(_open(originals / "rocket.jpg", 320)).save(target / "rocket-16-bit.png", optimize=True)
    _gallop(horse, target / "horse-moving.gif")
    _zoom(_open(originals / "hubble_deep_field.jpg", 900), target / "deep-field-zoom.webp")
    _open(originals / "coffee.png", 480).convert("CMYK").save(target / "coffee-cmyk.jpg", quality=80)
    # The numbers stay and the meaning changes: the reds now lie outside sRGB, as a wide-gamut camera's would.
    _open(originals / "retina.jpg", 480).save(target / "retina-wide-gamut.jpg", quality=85, icc_profile=display_p3())


def _open(path: Path, side: int) -> Image.Image:
    picture: Image.Image = Image.open(path)
    picture.info.clear()
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    return picture


def _turned(picture: Image.Image, tag: int, turn: Image.Transpose, path: Path, *, place: bool = False) -> None:
    """Store the pixels turned, and the tag that turns them back; `place` adds an invented position."""
    exif = Image.Exif()
    exif[ORIENTATION] = tag
    if place:
        exif[GPS] = {1: "N", 2: (12.0, 34.0, 56.0), 3: "W", 4: (12.0, 34.0, 56.0)}
    picture.transpose(turn).save(path, quality=85, exif=exif)


def _soft_edge(picture: Image.Image) -> Image.Image:
    alpha = Image.new("L", picture.size, 0)
    ImageDraw.Draw(alpha).ellipse((20, 20, picture.width - 20, picture.height - 20), fill=255)
    picture = picture.convert("RGBA")
    picture.putalpha(alpha.filter(ImageFilter.GaussianBlur(8)))
    return picture


def _cut_out(horse: Image.Image, size: tuple[int, int], colour: int = 0x6B4226) -> Image.Image:
    """Return the silhouette in a palette of two: nothing (0) and the colour (1)."""
    flat = Image.alpha_composite(Image.new("RGBA", horse.size, "white"), horse.convert("RGBA")).convert("L")
    drawn = ImageOps.invert(flat).resize(size, Image.Resampling.LANCZOS).point(lambda level: int(level > 127))
    cut_out = Image.frombytes("P", drawn.size, drawn.tobytes())
    cut_out.putpalette(bytes(3) + colour.to_bytes(3, "big"))
    return cut_out


def _sixteen_bits(picture: Image.Image) -> Image.Image:
    """Return a greyscale picture whose levels use all 16 bits, not 8 of them."""
    levels = bytearray()
    for red, green, blue in picture.convert("RGB").get_flattened_data():  # type: ignore[misc]
        levels += round((0.299 * red + 0.587 * green + 0.114 * blue) * 257).to_bytes(2, "little")
    return Image.frombytes("I;16", picture.size, bytes(levels))


def _gallop(horse: Image.Image, path: Path) -> None:
    """Write a GIF in which the horse crosses a transparent field, each step held longer than the one before."""
    small = _cut_out(horse, (120, 98))
    frames = []
    for step in range(8):
        frame = Image.new("P", (260, 110), 0)
        frame.putpalette(small.getpalette() or [])
        frame.paste(small, (step * 20, 6 * (step % 2)))
        frames.append(frame)
    durations = [80 + 40 * step for step in range(8)]
    frames[0].save(
        path, save_all=True, append_images=frames[1:], duration=durations, loop=0, transparency=0, disposal=2
    )


def _zoom(sky: Image.Image, path: Path) -> None:
    """Write a WebP that closes in on the middle of the sky."""
    middle_x, middle_y, frames = sky.width // 2, sky.height // 2, []
    for half in (360, 300, 240, 180, 120, 60):
        box = (middle_x - half, middle_y - half, middle_x + half, middle_y + half)
        frames.append(sky.resize((240, 240), Image.Resampling.LANCZOS, box=box))
    frames[0].save(
        path, save_all=True, append_images=frames[1:], duration=[400, 100, 100, 100, 100, 800], loop=0, quality=60
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    make(Path(sys.argv[1]))
