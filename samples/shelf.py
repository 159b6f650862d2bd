"""The shelf: which body stands at which path."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from urllib.parse import quote

from samples.bodies import Body, generated, stored

HERE = Path(__file__).resolve().parent
ORIGIN = b"http://origin.invalid"  # what the stored pages call their own site; the server puts its address there
MADE = {"/files/field-notes-300k.bin": 300_007, "/files/print-archive-2m.bin": 2_000_003}
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".xml": "application/xml",
    ".json": "application/json",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
    ".gz": "application/gzip",
    ".zip": "application/zip",
    ".bin": "application/octet-stream",
}
SPECIAL_KINDS = {
    "/russkij.html": "text/html",  # the page says windows-1251 itself
    "/cesky.html": "text/html; charset=iso-8859-2",  # only the header says it
}
TEXTS = ("text/", "application/xml")


class Shelf:
    """All stored and generated bodies, loaded once."""

    def __init__(self) -> None:
        """Read the site and the pictures into memory: 3 MB at most."""
        self._stored = dict(_folder(HERE / "site", "")) | dict(_folder(HERE / "pictures", "/pictures"))
        photo = self._stored["/pictures/coffee.jpg"]
        self._stored["/corrupt/photo.jpg"] = photo[: len(photo) * 6 // 10]
        self._stored["/corrupt/text.jpg"] = b"This is a line of text that calls itself a photograph.\n"
        self._at = functools.lru_cache(maxsize=256)(self._make)

    def find(self, path: str, origin: str, seed: str = "0") -> Body | None:
        """Return the body at `path`, its links beginning with `origin`, or None.

        `seed` counts for generated bodies only. Raise ValueError if one is too large.
        """
        if path.startswith("/generated/") and path.endswith(".bin"):
            return generated(int(path[len("/generated/") : -len(".bin")]), seed)
        if path.startswith("/lists/"):
            return self._list(path.removeprefix("/lists/"), origin)
        return self._at(path, origin)

    def is_folder(self, path: str) -> bool:
        """Tell whether `path` lacks only its last slash."""
        return f"{path}/index.html" in self._stored

    def _make(self, path: str, origin: str) -> Body | None:
        if path in MADE:
            return generated(MADE[path], path)
        path = f"{path}index.html" if path.endswith("/") else path
        if path not in self._stored:
            return None
        kind = SPECIAL_KINDS.get(path) or KINDS[Path(path).suffix]
        data = self._stored[path]
        return stored(data.replace(ORIGIN, origin.encode()) if kind.startswith(TEXTS) else data, kind)

    def _list(self, name: str, origin: str) -> Body | None:
        files = sorted([*MADE, *(path for path in self._stored if path.startswith("/files/"))])
        if name == "SHA256SUMS":
            sums = (
                (hashlib.sha256(found.all()).hexdigest(), path) for path in files if (found := self._at(path, origin))
            )
            return stored("".join(f"{digest}  {Path(path).name}\n" for digest, path in sums).encode(), KINDS[".txt"])
        lists = {
            "files.txt": files,
            "pages.txt": sorted(path for path in self._stored if path.startswith("/item/")),
            "pictures.txt": sorted(path for path in self._stored if path.startswith("/pictures/")),
        }
        if name not in lists:
            return None
        return stored("".join(f"{origin}{quote(path)}\n" for path in lists[name]).encode(), KINDS[".txt"])


def _folder(folder: Path, at: str) -> list[tuple[str, bytes]]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(f"{at}/{path.relative_to(folder).as_posix()}", path.read_bytes()) for path in files]
