"""The downloader's own options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from toolkit.core.options import option


@dataclass(frozen=True, slots=True)
class DownloadOptions:
    """What to fetch with, and what to do with files that are there."""

    existing: Literal["skip", "update", "overwrite"] = option(
        "skip",
        "Files that are there: leave them, ask the server whether they changed, or fetch them again.",
    )
    user_agent: str = option("", "How to introduce yourself to servers.", metavar="TEXT")
    header: tuple[str, ...] = option((), "Send this header field too; may be repeated.", metavar="'NAME: VALUE'")
    max_size: int | None = option(None, "Fail files that are larger.", metavar="BYTES")


OPTIONS = DownloadOptions
NETWORK = True
