"""How a picture is to be written, free of any imaging library, with the levels that each format is written at.

Times and bytes of the efforts, for one photograph of 1280 x 720 on one processor (Pillow 13.0: libjpeg-turbo 3.2,
zlib-ng 2.3, libwebp 1.6, libaom by way of libavif 1.4; libheif 1.23 with x265 4.3; libjxl 0.11); * is what is used:

    jpeg 85, baseline *          3 ms  210 kB     webp 80, method 2           43 ms  138 kB
    jpeg 85, optimised           6 ms  207 kB     webp 80, method 4 *         88 ms  133 kB
    jpeg 85, progressive        15 ms  198 kB     webp 80, method 6          177 ms  123 kB
    png, level 1                84 ms 1824 kB     avif 65, speed 9            53 ms  140 kB
    png, level 4 *             166 ms 1648 kB     avif 65, speed 8 *         170 ms  127 kB
    png, level 6               261 ms 1646 kB     avif 65, speed 6           629 ms  121 kB
    png, level 9               313 ms 1646 kB     avif 65, speed 5          3671 ms  121 kB (and better)
    heic 50, ultrafast *       170 ms  155 kB     jxl 85, effort 1            36 ms  183 kB
    heic 70, ultrafast         267 ms  475 kB     jxl 85, effort 3 *          40 ms  171 kB
    heic 70, slow             2025 ms  437 kB     jxl 85, effort 7           443 ms  189 kB (and better)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from toolkit.apps.resize.formats import LOSSY, Format

Subsampling = Literal["4:2:0", "4:2:2", "4:4:4"]
Effort = Literal["fast", "usual", "best"]

QUALITY: dict[Format, int] = {"jpeg": 85, "webp": 80, "avif": 65, "heic": 50, "jxl": 85}
"""The usual quality. The scales are each encoder's own: at these, a photograph has an SSIM of about 0.94 in all."""

FLOOR: dict[Format, int] = {"jpeg": 20, "webp": 10, "avif": 25, "heic": 20, "jxl": 20}
"""The lowest quality that a limit on bytes may lead to: there, the SSIM of a detailed photograph is near 0.83, and
fewer pixels look better than coarser ones."""

CEILING = 95
"""The highest quality that a limit on bytes leads to, unless one is given: above it, files grow and nobody sees why."""

FULL_COLOUR = 90
"""The quality from which JPEG keeps colour at full resolution (4:4:4), as ImageMagick and libvips do; below, a quarter
of it (4:2:0)."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to write.

    quality: 1 to 100, or None for the format's own; with max_bytes or ssim, the highest that may be taken. lossless:
    give back every pixel. subsampling: of colour; None decides by quality. effort: how long to look for a smaller
    file. max_bytes: the most that the file may have. ssim: the likeness to the pixels that is enough, 0 to 1.
    """

    format: Format
    quality: int | None = None
    lossless: bool = False
    progressive: bool = False
    subsampling: Subsampling | None = None
    effort: Effort = "usual"
    max_bytes: int | None = None
    ssim: float | None = None

    @property
    def is_lossy(self) -> bool:
        """Whether a quality decides about the file."""
        return self.format in LOSSY and not self.lossless
