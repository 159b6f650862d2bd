"""One page in Chromium, through Playwright: it is given its own text, and what others fetched for it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit.apps.scrape.rendering.chromium import FLAGS, find_chromium, its_environment, sandboxed
from toolkit.apps.scrape.rendering.subresources import Asked
from toolkit.core.errors import FailureKind, TaskError

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page, Playwright, Route, WebSocketRoute

CLOSING = 5.0
"""Seconds that closing a page, or the browser, may take; then it is killed."""
GRACE = 2.0
"""Seconds that a page has at its deadline to hand over what there is of it."""
ALIVE = 1.0
"""Seconds in which a page answers that has nothing else to do."""
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


@dataclass(frozen=True, slots=True)
class Engine:
    """A running browser, and the program that speaks with it. number: of its first process."""

    playwright: Playwright
    browser: Browser
    number: int

    async def close(self) -> None:
        """Close it, if need be by force."""
        try:
            async with asyncio.timeout(CLOSING):
                await self.browser.close()
        except BaseException:
            self._kill()
        with suppress(Exception):
            async with asyncio.timeout(CLOSING):
                await self.playwright.stop()

    async def kill(self) -> None:
        """End it at once."""
        self._kill()
        with suppress(Exception):
            async with asyncio.timeout(CLOSING):
                await self.playwright.stop()

    def _kill(self) -> None:
        if not self.browser.is_connected():
            return
        with suppress(OSError):
            if sys.platform == "win32":
                os.kill(self.number, signal.SIGTERM)
            else:
                os.killpg(self.number, signal.SIGKILL)


async def started() -> Engine:
    """Start Chromium, and what speaks with it; raises whatever that raises, UsageError included."""
    from playwright.async_api import async_playwright

    playwright = await async_playwright().start()
    try:
        browser = await playwright.chromium.launch(
            executable_path=find_chromium(),
            args=list(FLAGS),
            chromium_sandbox=sandboxed(),
            env={**its_environment()},
            handle_sigint=False,
            handle_sigterm=False,
            handle_sighup=False,
        )
        session = await browser.new_browser_cdp_session()
        processes = (await session.send("SystemInfo.getProcessInfo"))["processInfo"]
        number = next(int(one["id"]) for one in processes if one["type"] == "browser")
    except BaseException:
        with suppress(Exception):
            await playwright.stop()
        raise
    return Engine(playwright, browser, number)


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
                    await self._see(page)
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

    async def _see(self, page: Page) -> None:
        """Return when the page has what is waited for, or has come to rest."""
        from playwright.async_api import Error

        await page.goto(self.tab.url, wait_until="commit", timeout=0)
        if not self.tab.wait:
            await page.wait_for_load_state("networkidle", timeout=0)
            return
        try:
            await page.wait_for_selector(f"css={self.tab.wait}", state="attached", timeout=0)
        except Error as error:
            if "parsing" in str(error):  # no name of its own tells it
                what = f"wait = {self.tab.wait!r}: {first_line(error)}"
                raise TaskError(FailureKind.INPUT, what) from error
            raise

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
    given = {"expression": expression, "contextId": world, "returnByValue": True}
    return (await session.send("Runtime.evaluate", given))["result"].get("value")


def first_line(error: BaseException) -> str:
    """Return what an error says first: Playwright adds a log of calls."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


_closing: set[asyncio.Future[None]] = set()
