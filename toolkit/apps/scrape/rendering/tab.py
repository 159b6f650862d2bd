"""One page in Chromium, through Playwright: it is given its own text, and what others fetched for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit.apps.scrape.rendering.engine import CLOSING
from toolkit.apps.scrape.rendering.subresources import Asked
from toolkit.core.errors import FailureKind, TaskError

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page, Route, WebSocketRoute

GRACE = 2.0
"""Seconds that a page has at its deadline to hand over what there is of it."""
ALIVE = 1.0
"""Seconds in which a page answers that has nothing else to do."""
PAUSE = 0.05
"""Seconds between looks at a page that is replaced by another document."""
WAITING = """new Promise((found) => {
  const look = () => document.querySelector(%s) && (watcher.disconnect(), found(true));
  const watcher = new MutationObserver(look);
  watcher.observe(document, {childList: true, subtree: true, attributes: true});
  look();
})"""
"""A selector that does not exist rejects it at once: what a promise's function throws does so."""
SERIALIZED = """(() => {
  const type = document.doctype ? new XMLSerializer().serializeToString(document.doctype) : "";
  const html = type + (document.documentElement ? document.documentElement.outerHTML : "");
  if (html.length > %d) return null;
  return location.origin + "\\n" + (html.toWellFormed ? html.toWellFormed() : html);
})()"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a page gets for what it asked for."""

    status: int
    headers: dict[str, str]
    body: bytes


Asking = Future[Answer | None]
"""What comes of something that a page asked for; None: nothing."""


@dataclass(frozen=True, slots=True)
class Tab:
    """One page to render.

    url, body, headers: the page, which the browser does not fetch. user_agent: what its scripts see. wait: the selector
    of what must be there, or "". limit: characters that it may grow to. timeout: seconds. ask: is called, from the
    browser's thread, with what the page wants and where to put the answer. refuse: is called with what is not let
    through at all.
    """

    url: str
    body: bytes
    headers: dict[str, str]
    user_agent: str
    wait: str
    limit: int
    timeout: float
    ask: Callable[[Asked, Asking], None]
    refuse: Callable[[str], None]


@dataclass
class Showing:
    """One page in the browser. Without slots: Playwright keeps its wrappers of our methods in here."""

    browser: Browser
    tab: Tab
    begun: bool = False
    asking: set[Asking] = field(default_factory=set)

    async def show(self) -> str:
        """Return the page's HTML once it is there."""
        context = await self.browser.new_context(
            user_agent=self.tab.user_agent or None, service_workers="block", accept_downloads=False
        )
        try:
            await context.route("**/*", self._route)
            await context.route_web_socket("**/*", self._web_socket)
            page = await context.new_page()
            context.on("page", _close)
            try:
                async with asyncio.timeout(self.tab.timeout):
                    await self._see(context, page)
            except TimeoutError:
                await self._overdue(context, page)
            async with asyncio.timeout(GRACE):
                return await self._read(context, page)
        except TimeoutError:
            raise TaskError(FailureKind.OVERDUE, f"its scripts were still busy after {self.tab.timeout:g} s") from None
        except Exception as error:
            if "crashed" in str(error):
                what = "its scripts brought down Chromium's process for it: out of memory?"
                raise TaskError(FailureKind.WORKER_DIED, what) from error
            raise
        finally:
            for each in list(self.asking):
                each.cancel()
            async with asyncio.timeout(CLOSING):
                await context.close()

    async def _see(self, context: BrowserContext, page: Page) -> None:
        """Return when the page has what is waited for, or has come to rest."""
        await page.goto(self.tab.url, wait_until="commit", timeout=0)
        if not self.tab.wait:
            await page.wait_for_load_state("networkidle", timeout=0)
            return
        waiting = WAITING % json.dumps(self.tab.wait)
        while True:
            try:
                await _evaluate(context, page, waiting)
            except _WrongError as error:
                raise TaskError(FailureKind.INPUT, f"wait = {self.tab.wait!r}: {error}") from error
            except Exception as error:  # another document has taken the place of the first, say
                if page.is_closed() or not self.browser.is_connected() or "crashed" in str(error):
                    raise
                await asyncio.sleep(PAUSE)
            else:
                return

    async def _overdue(self, context: BrowserContext, page: Page) -> None:
        """Take a page that never rests for what it is; one that lacks what is waited for is a failure."""
        if not self.tab.wait:
            return
        async with asyncio.timeout(ALIVE):
            await _evaluate(context, page, "1")
        raise TaskError(FailureKind.OVERDUE, f"{self.tab.wait!r} was not there after {self.tab.timeout:g} s")

    async def _read(self, context: BrowserContext, page: Page) -> str:
        text = await _evaluate(context, page, SERIALIZED % self.tab.limit)
        if text is None:
            raise TaskError(FailureKind.TOO_LARGE, f"the rendered page is larger than {self.tab.limit:,} characters")
        origin, _, html = str(text).partition("\n")
        if not self.tab.url.startswith((origin + "/", origin + "?")) and self.tab.url != origin:
            raise TaskError(FailureKind.REDIRECT, f"its scripts left the page, for {origin or 'nowhere'}")
        return html

    async def _route(self, route: Route) -> None:
        """Answer what the page asks for: with the page itself, what was fetched for it, or nothing."""
        with suppress(Exception):  # the page is gone
            answer = await self._answer(route)
            if answer is None:
                await route.abort()
            else:
                await route.fulfill(status=answer.status, headers=answer.headers, body=answer.body)

    async def _answer(self, route: Route) -> Answer | None:
        request = route.request
        if request.is_navigation_request() and request.frame.parent_frame is None:
            if self.begun:
                self.tab.refuse("navigation")
                return Answer(204, {}, b"")  # the page stays where it is; an error would take its place
            self.begun = True
            return Answer(200, self.tab.headers, self.tab.body)
        headers = tuple((name.lower(), value) for name, value in request.headers.items())
        asked = Asked(request.url, request.resource_type, request.method, headers, request.post_data_buffer or b"")
        asking: Asking = Future()
        self.asking.add(asking)
        try:
            self.tab.ask(asked, asking)
            return await asyncio.wrap_future(asking)
        except asyncio.CancelledError:
            if not asking.cancelled():
                raise
            return None
        finally:
            self.asking.discard(asking)

    async def _web_socket(self, socket: WebSocketRoute) -> None:
        self.tab.refuse("websocket")
        with suppress(Exception):  # the page is gone
            await socket.close()


def _close(page: Page) -> None:
    """Close a window that a page has opened."""
    _closing.add(task := asyncio.ensure_future(_closed(page)))
    task.add_done_callback(_closing.discard)


async def _closed(page: Page) -> None:
    with suppress(Exception):
        await page.close()


async def _evaluate(context: BrowserContext, page: Page, expression: str) -> Any:
    """Return what an expression gives in a world of its own, where a page's scripts have changed nothing."""
    session = await context.new_cdp_session(page)
    frame = (await session.send("Page.getFrameTree"))["frameTree"]["frame"]["id"]
    world = (await session.send("Page.createIsolatedWorld", {"frameId": frame}))["executionContextId"]
    given = {"expression": expression, "contextId": world, "returnByValue": True, "awaitPromise": True}
    answer = await session.send("Runtime.evaluate", given)
    if "exceptionDetails" in answer:
        told = answer["exceptionDetails"].get("exception", {}).get("description", "it cannot be evaluated")
        raise _WrongError(str(told).partition("\n")[0][:300])
    return answer["result"].get("value")


class _WrongError(Exception):
    """What was to be evaluated cannot be."""


_closing: set[asyncio.Future[None]] = set()
