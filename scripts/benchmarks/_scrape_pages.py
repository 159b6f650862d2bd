"""The pages that scrapers are raced on, and what is in them: read by nobody who races."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

from lxml import html as markup

from toolkit.core.errors import UsageError

PACKAGE = "python3.11-doc"
"""Debian's package of some 530 pages, 50 MB in all."""
INSIDE = Path("usr/share/doc/python3.11/html")
INDEX = "index.html"
"""Where a crawl starts."""
SAFE = "!#$%&'()*+,/:;=?@[]~"
"""Signs that stay in a link as it is compared; all other parsers' escapes become one."""


@dataclass(frozen=True, slots=True)
class Row:
    """What is in one page, in the form in which it is compared: white space tidied, links absolute."""

    title: str
    h1: str
    code: tuple[str, ...]
    links: tuple[str, ...]


Rows = dict[str, Row]
"""Rows by the URLs of their pages."""


def found(folder: Path | None, scratch: Path) -> Path:
    """Return the folder of pages: the one named, or Debian's package, unpacked in the scratch folder if need be.

    Raises UsageError, with what to do, where there are none.
    """
    if folder is None:
        folder = next((each for each in (scratch / PACKAGE / INSIDE, "/" / INSIDE) if each.is_dir()), None)
        folder = folder or _unpacked(scratch / PACKAGE)
    if not paths(folder):
        raise UsageError(f"--pages {folder}: there are no files below it whose names end in .html")
    return folder.resolve()


def paths(folder: Path) -> list[str]:
    """Return the pages below a folder, by their paths in it, in order."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.html") if path.is_file())


def read(folder: Path, names: list[str], base: str) -> Rows:
    """Return what is in pages that are served from `base`, as lxml alone sees it."""
    return {url: _row(folder / name, url) for name in names for url in [f"{base}/{quote(name)}"]}


def reached(rows: Rows, start: str) -> Rows:
    """Return the pages that can be reached from one by the links in them."""
    seen, waiting = {start}, [start]
    while waiting:
        links = {link.partition("#")[0] for link in rows[waiting.pop()].links}
        new = [link for link in links if link in rows and link not in seen]
        seen.update(new)
        waiting += new
    return {url: row for url, row in rows.items() if url in seen}


def came(file: Path) -> Iterator[tuple[str, Row]]:
    """Yield the rows that a tool has written, one JSON object a line, with the URLs of their pages."""
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            code, links = row.get("code", ()), row.get("links", ())
            yield row["url"], compared(row["title"], row["h1"], code, links, row["url"])


def compared(title: str | None, h1: str | None, code: list[str], links: list[str], url: str) -> Row:
    """Return a row as it is compared."""
    absolute = (urljoin(url, link.strip()).removesuffix("#") for link in links)
    return Row(_tidy(title), _tidy(h1), tuple(text.strip() for text in code), tuple(map(_one_form, absolute)))


def without_code(row: Row) -> Row:
    """Return a row of a tool that was not asked for code."""
    return replace(row, code=())


def _row(path: Path, url: str) -> Row:
    page = markup.document_fromstring(path.read_bytes())
    title, h1 = page.find(".//title"), page.find(".//h1")
    code = [str(each.text_content()) for each in page.iter("pre")]
    links = [str(each.get("href")) for each in page.iter("a") if each.get("href") is not None]
    return compared(_text(title), _text(h1), code, links, url)


def _text(element: markup.HtmlElement | None) -> str:
    return "" if element is None else str(element.text_content())


def _tidy(text: str | None) -> str:
    return " ".join((text or "").split())


def _one_form(link: str) -> str:
    host, path = urlsplit(link).netloc, urlsplit(link).path
    return quote(link, safe=SAFE) + ("/" if host and not path and "?" not in link and "#" not in link else "")


def _unpacked(place: Path) -> Path:
    """Fetch the package by apt-get, as anybody may, and unpack it without installing it."""
    advice = f"install {PACKAGE} (Debian, Ubuntu), or name a folder of pages by --pages"
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise UsageError(f"there are no pages: {advice}")
    place.mkdir(parents=True, exist_ok=True)
    for command in (["apt-get", "-qq", "download", PACKAGE], ["sh", "-c", f"dpkg-deb -x {PACKAGE}_*.deb ."]):
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UsageError(f"`{' '.join(command)}` failed ({done.stderr.strip()[-200:]}): {advice}")
    return place / INSIDE
