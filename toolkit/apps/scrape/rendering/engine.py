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
    import psutil
    from playwright.async_api import Browser, Playwright

LOOK = 0.02
"""Seconds between looks at what is ending."""
CLOSING = 5.0
"""Seconds that closing a page, or the browser, may take; then it is killed."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A running browser, and the program that speaks with it. number: of its first process; driver: that program."""

    playwright: Playwright
    browser: Browser
    number: int
    driver: asyncio.subprocess.Process | None = None

    async def close(self) -> None:
        """Close it, if need be by force."""
        try:
            async with asyncio.timeout(CLOSING):
                await self.browser.close()
        except BaseException:
            self._kill()
        await self._stop()

    async def kill(self) -> None:
        """End it at once."""
        self._kill()
        await self._stop()

    async def _stop(self) -> None:
        """End the program that speaks with it, in time or by force: a loop is not closed while it has one running."""
        with suppress(Exception):
            async with asyncio.timeout(CLOSING):
                await self.playwright.stop()
        if self.driver is not None and self.driver.returncode is None:
            with suppress(ProcessLookupError):
                self.driver.kill()
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSING):
                    await self.driver.wait()

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

    starting = async_playwright()
    try:
        playwright = await starting.start()
    except BaseException:
        _kill_half_started()
        raise
    transport = getattr(getattr(starting, "_client", None), "_transport", None)
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
    return Engine(playwright, browser, number, getattr(transport, "_proc", None))


def _kill_half_started() -> None:
    """End Playwright's program: one that is given up while it starts would not end by itself."""
    for child in _drivers():
        child.kill()


async def drivers_ended() -> None:
    """Wait until those that were killed are gone, and this loop knows: it is to be closed."""
    for _ in range(int(CLOSING / LOOK)):
        if not _drivers():
            break
        await asyncio.sleep(LOOK)
    await asyncio.sleep(LOOK)


def _drivers() -> list[psutil.Process]:
    """Return the programs of Playwright's that this process has started."""
    import psutil

    found = []
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            if "run-driver" in child.cmdline():
                found.append(child)
    return found


def first_line(error: BaseException) -> str:
    """Return what an error says first: Playwright adds a log of calls."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
