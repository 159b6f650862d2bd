"""A running Chromium, and the program of Playwright's that speaks with it: how both are started and ended."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.apps.scrape.rendering.chromium import FLAGS, find_chromium, its_environment, sandboxed

if TYPE_CHECKING:
    from playwright.async_api import Browser, Playwright

CLOSING = 5.0
"""Seconds that closing a page, or the browser, may take; then it is killed."""


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

    try:
        playwright = await async_playwright().start()
    except BaseException:
        _kill_half_started()
        raise
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


def _kill_half_started() -> None:
    """End Playwright's program: one that is given up while it starts would not end by itself."""
    import psutil

    for child in psutil.Process().children():
        with suppress(psutil.Error):
            if "run-driver" in child.cmdline():
                child.kill()


def first_line(error: BaseException) -> str:
    """Return what an error says first: Playwright adds a log of calls."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
