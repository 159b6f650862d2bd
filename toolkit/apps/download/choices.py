"""What the downloader's options mean for its job."""

from __future__ import annotations

import re

from toolkit import __version__
from toolkit.apps.download.options import DownloadOptions
from toolkit.apps.download.wanted import Settings
from toolkit.core.errors import UsageError

USER_AGENT = f"toolkit/{__version__}"


def settings_of(options: DownloadOptions) -> Settings:
    """Return how files are fetched and kept; raises UsageError."""
    return Settings(
        max_size=options.max_size,
        keep_encoded=options.keep_encoded,
        segments=options.most_segments,
        hash=options.algorithm,
        expect_types=options.expect_type,
        fsync=options.fsync,
        keep_mtime=not options.no_mtime,
        suggest=not options.url_names,
    )


def headers_of(options: DownloadOptions) -> tuple[tuple[str, str], ...]:
    """Return the header fields that go with every request; raises UsageError."""
    return (
        _header(f"User-Agent: {options.user_agent or USER_AGENT}"),
        ("Accept", "*/*"),
        ("Accept-Encoding", "identity"),
        *(_header(text) for text in options.header),
    )


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name.strip()):
        raise UsageError(f"--header {name!r}: write 'Name: value'")
    if not re.fullmatch(r"[\t\x20-\x7e]*", value):
        raise UsageError(f"the header field {name!r} can hold plain ASCII letters and signs only")
    return name.strip(), value.strip()
