"""The same pages through Scrapy, in the environment that it is installed in, without all that makes it wait.

python _peer_scrapy.py list|crawl LIST ROWS AT_ONCE reactor|aiohttp

LIST: a file with a URL a line, of which a crawl starts from the first. ROWS: the .jsonl file to be made.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import scrapy
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import HtmlResponse, Response

QUIET = {"LOG_LEVEL": "ERROR", "TELNETCONSOLE_ENABLED": False, "LOGSTATS_INTERVAL": 0}


class Pages(scrapy.Spider):
    """Read each page; in a crawl, go on along its links."""

    name = "pages"

    async def start(self) -> AsyncIterator[Any]:
        """Yield the list, or the page to start from."""
        for url in self.urls:
            yield scrapy.Request(url)

    def parse(self, response: Response) -> Iterator[Any]:
        """Yield the row of a page, and requests for what it links to."""
        if not isinstance(response, HtmlResponse):
            return
        hrefs = response.css("a::attr(href)").getall()
        links = [response.urljoin(href) for href in hrefs]
        yield {
            "url": response.url,
            "title": response.xpath("string(//title)").get(),
            "h1": response.xpath("string(//h1)").get(),
            "code": [pre.xpath("string()").get() for pre in response.css("pre")],
            "links": links,
        }
        if self.how == "crawl":
            host = urlsplit(response.url).netloc
            for link in dict.fromkeys(link.partition("#")[0] for link in links):  # once a page: that spares it much
                if link.endswith(".html") and urlsplit(link).netloc == host:
                    yield scrapy.Request(link)


if __name__ == "__main__":
    how, source, rows, at_once, network = sys.argv[1:]
    settings: dict[str, Any] = {
        **QUIET,
        "CONCURRENT_REQUESTS": int(at_once),
        "CONCURRENT_REQUESTS_PER_DOMAIN": int(at_once),
        "ROBOTSTXT_OBEY": False,
        "DOWNLOAD_DELAY": 0,
        "AUTOTHROTTLE_ENABLED": False,
        "COOKIES_ENABLED": False,
        "FEEDS": {rows: {"format": "jsonlines", "encoding": "utf-8"}},
        "TWISTED_REACTOR_ENABLED": network == "reactor",
    }
    process = AsyncCrawlerProcess(settings)
    urls = Path(source).read_text().split()
    process.crawl(Pages, how=how, urls=urls if how == "list" else urls[:1])
    process.start()
