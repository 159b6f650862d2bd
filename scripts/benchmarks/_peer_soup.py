"""The same pages through the script that most people write: aiohttp fetches, BeautifulSoup reads, in one loop.

python _peer_soup.py list|crawl LIST ROWS AT_ONCE

LIST: a file with a URL a line, of which a crawl starts from the first. ROWS: the .jsonl file to be made.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urljoin, urlsplit

import aiohttp
from bs4 import BeautifulSoup


async def main(how: str, urls: list[str], file: TextIO, at_once: int) -> None:
    """Let so many workers take from one queue until nothing is left."""
    queue: asyncio.Queue[str] = asyncio.Queue()
    for url in urls:
        queue.put_nowait(url)
    seen = set(urls)

    async def work(session: aiohttp.ClientSession) -> None:
        while True:
            url = await queue.get()
            links = await _page(session, url, file)
            for link in links if how == "crawl" else ():
                page = link.partition("#")[0]
                if page not in seen and page.endswith(".html") and urlsplit(page).netloc == urlsplit(url).netloc:
                    seen.add(page)
                    queue.put_nowait(page)
            queue.task_done()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=at_once)) as session:
        workers = [asyncio.create_task(work(session)) for _ in range(at_once)]
        joined = asyncio.create_task(queue.join())
        await asyncio.wait([joined, *workers], return_when=asyncio.FIRST_COMPLETED)
        for worker in workers:
            if worker.done():
                worker.result()
            worker.cancel()


async def _page(session: aiohttp.ClientSession, url: str, file: TextIO) -> list[str]:
    """Write a page's row, and return its links."""
    async with session.get(url) as reply:
        if reply.status != 200 or reply.content_type != "text/html":
            return []
        body = await reply.read()
        soup = BeautifulSoup(body, "lxml", from_encoding=reply.charset)
    links = [urljoin(url, str(link["href"])) for link in soup.find_all("a", href=True)]
    row: dict[str, Any] = {
        "url": url,
        "title": soup.title.get_text() if soup.title else "",
        "h1": soup.h1.get_text() if soup.h1 else "",
        "code": [pre.get_text() for pre in soup.find_all("pre")],
        "links": links,
    }
    file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return links


if __name__ == "__main__":
    how, source, rows, at_once = sys.argv[1:]
    urls = Path(source).read_text().split()
    with Path(rows).open("w", encoding="utf-8") as file:
        asyncio.run(main(how, urls if how == "list" else urls[:1], file, int(at_once)))
