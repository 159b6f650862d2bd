"""What Pillow warns of while a picture is at hand becomes part of that picture's result.

`warnings.catch_warnings` swaps state that all threads share, and under `-W error` a warning would end the picture. So
the modules of Pillow are given a stand-in for their name `warnings`: it notes the message for the picture that the
calling thread is at, and passes it on to the real module when there is none.
"""

from __future__ import annotations

import ctypes
import logging
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

_NUMBERS = re.compile(r"\s*(?:Expecting to read|Skipping tag) .*", re.DOTALL)
"""What would make a warning another one for each tag of each picture."""

_notes: ContextVar[list[str] | None] = ContextVar("notes", default=None)


class _StandIn:
    """Stands where Pillow expects the module `warnings`."""

    def warn(self, message: Warning | str, *args: Any, **options: Any) -> None:
        """Note a warning, or pass it on."""
        if _notes.get() is None:
            warnings.warn(message, *args, **options)
        else:
            note(f"Pillow: {_NUMBERS.sub('', str(message))}")

    def __getattr__(self, name: str) -> Any:
        return getattr(warnings, name)


_STAND_IN = _StandIn()


def divert() -> None:
    """Give every module of Pillow that is loaded the stand-in; harmless to repeat."""
    for name, module in list(sys.modules.items()):
        if name.startswith("PIL.") and getattr(module, "warnings", None) is warnings:
            module.warnings = _STAND_IN  # type: ignore[attr-defined]
    # A few plugins log; without any handler, logging would print that to stderr.
    logger = logging.getLogger("PIL")
    if not any(isinstance(handler, logging.NullHandler) for handler in logger.handlers):
        logger.addHandler(logging.NullHandler())


def hush_libtiff(library: str | None) -> None:
    """Stop libtiff, as it is linked to this shared library, from printing what Pillow then raises anyway."""
    with suppress(OSError, AttributeError):  # linked in some other way: then it goes on printing
        for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
            set_handler = getattr(ctypes.CDLL(library), name)
            set_handler.argtypes, set_handler.restype = [ctypes.c_void_p], ctypes.c_void_p
            set_handler(None)


@contextmanager
def noting() -> Iterator[list[str]]:
    """Collect what is noted in this thread during the block."""
    noted: list[str] = []
    token = _notes.set(noted)
    try:
        yield noted
    finally:
        _notes.reset(token)


def note(message: str) -> None:
    """Add a warning to the picture at hand, once."""
    noted = _notes.get()
    short = " ".join(message.split())[:200]
    if noted is not None and short not in noted and len(noted) < 20:  # noqa: PLR2004 - enough to know
        noted.append(short)
