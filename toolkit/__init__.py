"""Batches of downloads, pictures and pages, under the concurrency model that suits the work.

    import toolkit

    summary = toolkit.download(["https://example.org/a.pdf"], "files", model="threads", workers=8)
    toolkit.resize("photos", "thumbs", sizes=[320, 640], formats=["avif", "jpeg"], max_bytes="200KB", op="sharpen")
    for outcome in toolkit.scrape.stream(["urls.txt"], "rows.jsonl", field=["title=title"]):
        print(outcome)

Each is called with the options of its command: help(toolkit.resize) lists them, and the other ways to call it.

The house, from the top down; imports go down only:

    cli        the commands: one file each, thin
    compare    the same work under several models: equal results first, then time and memory
    run        the conductor: plan -> schedule -> model -> store -> reporters -> Summary
    apps       what is done with one task: download, resize, scrape
    models     how many tasks run at once: sequential, threads, processes, asyncio
    reporting  events and the Summary, and who tells them
    store      what an output remembers
    storage    where bytes land
    clients    one HTTP library a file
    core       tasks and outcomes, the job's runtime, HTTP values, the schedule
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Summary", "ToolkitError", "UsageError", "download", "resize", "scrape"]

if TYPE_CHECKING:
    from toolkit.api import download, resize, scrape
    from toolkit.core.errors import ToolkitError, UsageError
    from toolkit.reporting import Summary

_HOMES = {"Summary": "toolkit.reporting", "ToolkitError": "toolkit.core.errors", "UsageError": "toolkit.core.errors"}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: `toolkit --version` needs none of it."""
    if name not in __all__:
        raise AttributeError(f"module 'toolkit' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES.get(name, "toolkit.api")), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
