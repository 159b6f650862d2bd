"""The two scripts that everybody writes: requests in a loop, and requests in a thread pool.

python _usual.py loop|pool LIST FOLDER [THREADS]
"""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

local = threading.local()


def fetch(url: str, folder: Path) -> None:
    """Fetch one URL into a file that is named after its end; each thread has a session."""
    if not hasattr(local, "session"):
        local.session = requests.Session()
    with local.session.get(url, stream=True, timeout=30) as reply:
        reply.raise_for_status()
        with (folder / url.rsplit("/", 1)[1]).open("wb") as file:
            for block in reply.iter_content(256 * 1024):
                file.write(block)


def main() -> None:
    """Fetch the list."""
    how, source, target, *threads = sys.argv[1:]
    urls, folder = Path(source).read_text().split(), Path(target)
    if how == "loop":
        for url in urls:
            fetch(url, folder)
        return
    with ThreadPoolExecutor(int(threads[0]) if threads else None) as pool:
        list(pool.map(lambda url: fetch(url, folder), urls))


if __name__ == "__main__":
    main()
