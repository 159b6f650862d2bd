"""A running Chromium, and the program of Playwright's that speaks with it: how both are started and ended."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.apps.scrape.rendering.chromium import FLAGS, find_chromium, its_environment, sandboxed

if sys.platform == "win32":
    from asyncio import ProactorEventLoop as EventLoop
else:
    from asyncio import SelectorEventLoop as EventLoop

if TYPE_CHECKING:
    from playwright.async_api import Browser, Playwright

Program = asyncio.SubprocessTransport

LOOK = 0.02
"""Seconds between looks at what is ending."""
CLOSING = 5.0
"""Seconds that closing a page, or the browser, may take; then it is killed."""


class BrowserLoop(EventLoop):
    """An event loop that knows which programs it has started: it is not to be closed while one of them runs.

    Playwright starts one that speaks with the browser, and has none to hand out while it starts, or once it failed to.
    """

    def __init__(self) -> None:
        super().__init__()
        self._programs: list[Program] = []

    async def subprocess_exec(self, *args: Any, **options: Any) -> Any:
        """Start a program, as asyncio does, and remember it."""
        transport, protocol = await super().subprocess_exec(*args, **options)
        self._programs = [*self.running(), transport]
        return transport, protocol

    def running(self) -> list[Program]:
        """Return the programs of whose end it has not been told."""
        return [program for program in self._programs if program.get_returncode() is None]


@dataclass(frozen=True, slots=True)
class Engine:
    """A running browser, and the programs that speak with it. number: of its first process."""

    playwright: Playwright
    browser: Browser
    number: int
    programs: list[Program]

    async def close(self) -> None:
        """Close it, if need be by force."""
        try:
            async with asyncio.timeout(CLOSING):
                await self.browser.close()
        except BaseException:
            self._kill()
        await _stop(self.playwright, self.programs)

    async def kill(self) -> None:
        """End it at once."""
        self._kill()
        await _stop(self.playwright, self.programs)

    def _kill(self) -> None:
        if not self.browser.is_connected():
            return
        with suppress(OSError):
            if sys.platform == "win32":
                os.kill(self.number, signal.SIGTERM)
            else:
                os.killpg(self.number, signal.SIGKILL)


async def started(loop: BrowserLoop) -> Engine:
    """Start Chromium, and what speaks with it; raises whatever that raises, UsageError included.

    loop: this loop, in which nothing else is being started meanwhile.
    """
    from playwright.async_api import async_playwright

    playwright, others = None, loop.running()
    try:
        playwright = await async_playwright().start()
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
        await _stop(playwright, _besides(others, loop))
        raise
    return Engine(playwright, browser, number, _besides(others, loop))


def _besides(others: list[Program], loop: BrowserLoop) -> list[Program]:
    return [program for program in loop.running() if program not in others]


async def _stop(playwright: Playwright | None, programs: list[Program]) -> None:
    """End what speaks with the browser, in time or by force, and wait until the loop has been told so."""
    with suppress(Exception):
        async with asyncio.timeout(CLOSING):
            if playwright is not None:
                await playwright.stop()
    for program in programs:
        if program.get_returncode() is None:
            with suppress(ProcessLookupError):
                program.kill()
    for _ in range(int(CLOSING / LOOK)):
        if all(program.get_returncode() is not None for program in programs):
            break
        await asyncio.sleep(LOOK)


def first_line(error: BaseException) -> str:
    """Return what an error says first: Playwright adds a log of calls."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
