"""Finding the files of a folder by name: a new model, client or app is one new file, never a line in a list."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from toolkit.core.errors import MissingExtra, UsageError


def names(package: str) -> list[str]:
    """Return the public modules and packages in a package, sorted, without importing them."""
    folder = importlib.import_module(package)
    return sorted(found.name for found in pkgutil.iter_modules(folder.__path__) if not found.name.startswith("_"))


def load(package: str, name: str, attribute: str) -> Any:
    """Return package.name.attribute.

    Raises UsageError for an unknown name and MissingExtra, with the pip command, for a missing library.
    """
    known = names(package)
    if name not in known:
        what = package.rpartition(".")[2].removesuffix("s")
        raise UsageError(f"unknown {what} {name!r}: choose from {', '.join(known)}")
    try:
        return getattr(importlib.import_module(f"{package}.{name}"), attribute)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] == "toolkit":
            raise
        raise MissingExtra(f"{name!r} needs the package {error.name!r}, which", EXTRAS.get(error.name, name)) from error


EXTRAS = {"pycurl": "fast", "uvloop": "fast", "pyarrow": "parquet"}
"""The extra that brings a package, where it is not called as the file that imports it."""
