"""The same pages through one of crawlee's crawlers without a browser, in the environment that it is installed in.

python _peer_crawlee.py list|crawl LIST ROWS AT_ONCE parsel|soup

LIST: a file with a URL a line, of which a crawl starts from the first. ROWS: the .jsonl file to be made. Everything is
kept in memory, which is the fastest that crawlee has.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urljoin

from crawlee import ConcurrencySettings
from crawlee.crawlers import BeautifulSoupCrawler, ParselCrawler
from crawlee.storage_clients import MemoryStorageClient

PAGES = [re.compile(r".*\.html(#.*)?$")]


def main(how: str, urls: list[str], rows: Path, at_once: int, parser: str) -> None:
    """Write each row as it comes."""
    kind, read = (ParselCrawler, _by_parsel) if parser == "parsel" else (BeautifulSoupCrawler, _by_soup)
    crawler = kind(
        concurrency_settings=ConcurrencySettings(at_once, at_once, desired_concurrency=at_once),
        storage_client=MemoryStorageClient(),
        respect_robots_txt_file=False,
        configure_logging=False,
        use_session_pool=False,
    )
    with rows.open("w", encoding="utf-8") as file:
        crawler.router.default_handler(_handler(read, file, follow=how == "crawl"))
        asyncio.run(_run(crawler, urls if how == "list" else urls[:1]))


async def _run(crawler: Any, urls: list[str]) -> None:
    await crawler.run(urls)


def _handler(read: Callable[[Any], dict[str, Any]], file: TextIO, *, follow: bool) -> Any:
    async def handle(context: Any) -> None:
        url = context.request.loaded_url or context.request.url
        row = read(context)
        row = {"url": url, **row, "links": [urljoin(url, href) for href in row["links"]]}
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
        if follow:
            await context.enqueue_links(include=PAGES)

    return handle


def _by_parsel(context: Any) -> dict[str, Any]:
    page = context.selector
    return {
        "title": page.xpath("string(//title)").get(),
        "h1": page.xpath("string(//h1)").get(),
        "code": [pre.xpath("string()").get() for pre in page.css("pre")],
        "links": page.css("a::attr(href)").getall(),
    }


def _by_soup(context: Any) -> dict[str, Any]:
    page = context.soup
    return {
        "title": page.title.get_text() if page.title else "",
        "h1": page.h1.get_text() if page.h1 else "",
        "code": [pre.get_text() for pre in page.find_all("pre")],
        "links": [link["href"] for link in page.find_all("a", href=True)],
    }


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    how, source, rows, at_once, parser = sys.argv[1:]
    main(how, Path(source).read_text().split(), Path(rows), int(at_once), parser)
