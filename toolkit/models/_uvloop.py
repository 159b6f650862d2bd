"""An event loop in C in place of Python's own, for those who ask for it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

from toolkit.core.errors import MissingExtra, UsageError


def loop_of() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes a loop of uvloop; raises UsageError, or MissingExtra with the pip command."""
    if sys.platform == "win32":
        raise UsageError("--uvloop: there is none for Windows: leave it out")
    try:
        import uvloop
    except ImportError as error:
        raise MissingExtra("--uvloop needs the package 'uvloop', which", "fast") from error
    make: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return make
