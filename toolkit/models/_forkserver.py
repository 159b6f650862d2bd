"""The standard library's fork server, started with the job's modules loaded and stopped again.

A fork server is a small process without threads that our workers are forked from, so that starting one costs
milliseconds and is safe whatever threads this process has. Left alone it would live as long as the program.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.context import BaseContext
from typing import Any

_lock = threading.Lock()
_users = 0
_ours = False


@contextmanager
def serving(modules: Sequence[str]) -> Iterator[BaseContext]:
    """Lend the context that starts workers: from a fork server that has imported the modules, else by spawning."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        yield multiprocessing.get_context("spawn")
        return
    context = multiprocessing.get_context("forkserver")
    _enter(context, modules)
    try:
        yield context
    finally:
        _leave()


@contextmanager
def main_hidden() -> Iterator[None]:
    """Keep processes started here from running the user's script again, which multiprocessing else makes them do.

    So a script needs no `if __name__ == "__main__":`, unless its job lives in it; then _worker imports it by itself.
    """
    main = sys.modules["__main__"]
    with _lock:
        kept: dict[str, Any] = {name: vars(main).pop(name) for name in ("__file__", "__spec__") if name in vars(main)}
        main.__spec__ = None
        try:
            yield
        finally:
            vars(main).update(kept)


def _enter(context: BaseContext, modules: Sequence[str]) -> None:
    global _users, _ours  # noqa: PLW0603 - there is one fork server in a program, and this is its guard
    from multiprocessing import forkserver, resource_tracker

    server: Any = forkserver._forkserver  # noqa: SLF001 - it has no public way to be stopped
    with _lock:
        _users += 1
        if server._forkserver_pid is not None:  # noqa: SLF001
            return
        _ours = True
        usual = server._preload_modules  # noqa: SLF001
        context.set_forkserver_preload(list(modules))
        resource_tracker.ensure_running()  # now, for starting it would let SIGINT through again
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            # The server and all its workers inherit the mask: Ctrl-C in a terminal reaches the whole process group.
            forkserver.ensure_running()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            context.set_forkserver_preload(usual)


def _leave() -> None:
    global _users, _ours  # noqa: PLW0603 - see _enter
    from multiprocessing import forkserver

    server: Any = forkserver._forkserver  # noqa: SLF001
    with _lock:
        _users -= 1
        if _users or not _ours or multiprocessing.active_children():  # somebody else uses it by now
            return
        _ours = False
        if server._forkserver_pid is not None:  # noqa: SLF001
            os.kill(server._forkserver_pid, signal.SIGKILL)  # noqa: SLF001 - asked to end, it would wait for strays
            server._stop()  # noqa: SLF001
