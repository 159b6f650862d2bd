"""A Chromium for this process, in a thread with an event loop of its own, whatever the concurrency model.

It is started by the first page that needs it, shared by all, and closed once none has needed it for a while. Pages see
no network: whatever one asks for is handed to whoever has it rendered, and answered with what that fetched.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import re
import signal
import sys
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from toolkit.apps.scrape.rendering.chromium import SANDBOX
from toolkit.apps.scrape.rendering.engine import CLOSING, BrowserLoop, Engine, first_line, started
from toolkit.apps.scrape.rendering.tab import GRACE, Showing, Tab
from toolkit.core.cpus import usable_cpus
from toolkit.core.errors import FailureKind, TaskError, UsageError

IDLE = 5.0
"""Seconds without a page after which the browser is closed."""
STARTING = 30.0
"""Seconds that it may take to start."""


def show(tab: Tab) -> Future[str]:
    """Have a page rendered; the result is its HTML, or TaskError. Cancelling it gives the page up."""
    global _place  # noqa: PLW0603 - there is one browser in a process, and this is its guard
    with _lock:
        if _place is None or not _place.takes():
            _place = _Place()
        return _place.start(_place.render(tab))


def close_browser() -> None:
    """Close this process's browser now, if there is one; pages that are under way fail."""
    with _lock:
        place = _place
    if place is not None:
        place.close()


class _Place:
    """The thread, its loop, and the browser in it."""

    def __init__(self) -> None:
        self._loop = BrowserLoop()
        self._process = os.getpid()
        self._pages: set[Future[Any]] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._over = False
        self._engine: Engine | None = None
        self._starting: asyncio.Task[Engine] | None = None
        self._room = asyncio.Semaphore(max(2, usable_cpus()))
        self._idle: asyncio.TimerHandle | None = None
        self._worked = False
        self._thread = threading.Thread(target=self._live, name="toolkit-browser", daemon=True)
        self._thread.start()

    def takes(self) -> bool:
        """Tell whether another page may come; asked and changed under the lock only."""
        return not self._over and self._thread.is_alive() and self._process == os.getpid()

    def start(self, coroutine: Coroutine[Any, Any, str]) -> Future[str]:
        """Run a coroutine in the thread."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        self._pages.add(future)
        future.add_done_callback(self._ended)
        return future

    def close(self) -> None:
        """End the thread, and wait for it."""
        with _lock:
            ends, self._over = self._over, True
        if not ends:  # stopped once more, the loop would leave what it is closing half closed
            with suppress(RuntimeError):  # it has ended already
                self._loop.call_soon_threadsafe(self._loop.stop)
        if self._thread is not threading.current_thread():
            self._thread.join(2 * CLOSING)

    async def render(self, tab: Tab) -> str:
        """Render a page, when there is room for another."""
        async with self._room:
            engine = await self._started()
            try:
                async with asyncio.timeout(tab.timeout + GRACE + CLOSING):
                    return await Showing(engine.browser, tab).show()
            except TimeoutError:
                await self._give_up(engine)
                raise TaskError(FailureKind.OVERDUE, f"Chromium did not answer within {tab.timeout:g} s") from None
            except TaskError:
                raise
            except Exception as error:
                gone = not engine.browser.is_connected()
                if gone:
                    await self._give_up(engine)
                what = "Chromium ended while it rendered the page" if gone else f"Chromium: {first_line(error)}"
                raise TaskError(FailureKind.WORKER_DIED, what, retryable=True) from error

    def _live(self) -> None:
        """Run the loop until it is stopped, and close the browser."""
        if sys.platform != "win32":  # they reach the whole process group; the driver inherits this, and lives as we do
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        asyncio.set_event_loop(self._loop)
        # Playwright leaves tasks behind where a page goes away in the midst of a request: nobody need be told.
        self._loop.set_exception_handler(lambda _, __: None)
        try:
            self._loop.run_forever()
            with suppress(Exception):
                self._loop.run_until_complete(self._clean_up())
        finally:
            self._loop.close()

    async def _clean_up(self) -> None:
        for page in list(self._pages):
            page.cancel()
        await asyncio.sleep(0)
        if self._starting is not None:
            await asyncio.wait([self._starting])
        if self._engine is not None:
            await self._engine.close()
        if self._ending:
            await asyncio.wait(self._ending)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _started(self) -> Engine:
        """Return a browser that answers."""
        if self._idle is not None:
            self._idle.cancel()
        if self._engine is not None and self._engine.browser.is_connected():
            return self._engine
        if self._starting is None:
            self._starting = self._loop.create_task(self._start())
        return await asyncio.shield(self._starting)  # whoever gives up, it is not to stay half started

    async def _start(self) -> Engine:
        try:
            if self._engine is not None:
                await self._give_up(self._engine)
            async with asyncio.timeout(STARTING):
                self._engine = await started(self._loop)
        except UsageError:
            raise
        except Exception as error:
            what = f"Chromium cannot be started: {_why(error)}"
            raise TaskError(FailureKind.WORKER_DIED, what, retryable=True, fatal=not self._worked) from error
        finally:
            self._starting = None
        self._worked = True
        return self._engine

    async def _give_up(self, engine: Engine) -> None:
        """Have another browser from now on."""
        if engine is self._engine:
            self._engine = None
        ending = self._loop.create_task(engine.kill())
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
        await asyncio.shield(ending)  # the page that saw it may be given up meanwhile

    def _ended(self, future: Future[Any]) -> None:
        """Note that a page has ended, in whatever thread."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._rest, future)

    def _rest(self, future: Future[Any]) -> None:
        self._pages.discard(future)
        if self._idle is not None:
            self._idle.cancel()
        if not self._pages:
            self._idle = self._loop.call_later(IDLE, self._stop_if_idle)

    def _stop_if_idle(self) -> None:
        with _lock:
            if self._pages:
                return
            self._over = True
        self._loop.stop()


def _why(error: Exception) -> str:
    """Return why the browser does not start, from what it wrote as it ended."""
    if isinstance(error, TimeoutError):
        return f"it did not answer within {STARTING:g} s"
    found = re.search(
        r"(?:FATAL|ERROR):\S*?(?:sandbox|singleton)\S* ?(.*)|FATAL:\S+ (.*)|error while loading.*", str(error)
    )
    why = first_line(error) if found is None else (found[1] or found[2] or found[0])[:300]
    if "sandbox" in why.lower():
        why += f" (to do without its sandbox, and know what that means: {SANDBOX}=off)"
    return why


_lock = threading.Lock()
_place: _Place | None = None
atexit.register(close_browser)
