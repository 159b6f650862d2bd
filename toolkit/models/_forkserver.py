"""The standard library's fork server, started with the job's modules loaded and stopped again.

A fork server is a small process without threads that our workers are forked from, so that starting one costs
milliseconds and is safe whatever threads this process has. Left alone it would live as long as the program.
"""

from __future__ import annotations

import multiprocessing
import os
import select
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
    with _lock:
        is_there = _enter(modules)
    if not is_there:
        yield multiprocessing.get_context("spawn")
        return
    try:
        yield multiprocessing.get_context("forkserver")
    finally:
        _leave()


def begin(modules: Sequence[str]) -> None:
    """Start the fork server now, for workers that come later: it imports the modules beside what is done meanwhile.

    It is stopped when the first that is served leaves, or ends with this program.
    """
    global _users  # noqa: PLW0603 - see _enter
    with _lock:
        if server_number() is None and _enter(modules):
            _users -= 1


def server_number() -> int | None:
    """Return the process number of the fork server that starts workers, or None if they are spawned."""
    server = _server()
    number: int | None = None if server is None else server._forkserver_pid  # noqa: SLF001
    return number


def has_died(number: int | None) -> bool:
    """Tell whether this fork server has died, and with it all news of what became of its workers."""
    return number is not None and (number != server_number() or _hung_up())


@contextmanager
def launching() -> Iterator[None]:
    """Start workers in here: signals to the whole process group spare them, and their server if it must start anew.

    Nor do they run the user's script again, which multiprocessing else makes them do. So a script needs no
    `if __name__ == "__main__":`, unless its job lives in it; then _worker imports it by itself.
    """
    main = sys.modules["__main__"]
    with _lock, _spared():
        if server_number() is not None and _hung_up():
            _server()._stop()  # noqa: SLF001 - buried here, or it may seem alive while it dies
        kept: dict[str, Any] = {name: vars(main).pop(name) for name in ("__file__", "__spec__") if name in vars(main)}
        main.__spec__ = None
        try:
            yield
        finally:
            vars(main).update(kept)


def _enter(modules: Sequence[str]) -> bool:
    """Start the fork server, if need be; tell whether there is one now. To be called with the lock."""
    global _users, _ours  # noqa: PLW0603 - there is one fork server in a program, and this is its guard
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return False
    from multiprocessing import forkserver

    server: Any = forkserver._forkserver  # noqa: SLF001 - it has no public way to be stopped
    if server._forkserver_pid is not None:  # noqa: SLF001
        _users += 1
        return True
    usual = server._preload_modules  # noqa: SLF001
    server.set_forkserver_preload(list(modules))
    try:
        with _spared():
            forkserver.ensure_running()
    except OSError:  # the path of the temporary folder is too long for a socket, or nobody may write there
        return False
    finally:
        server.set_forkserver_preload(usual)
    _users += 1
    _ours = True
    return True


@contextmanager
def _spared() -> Iterator[None]:
    """Have processes that are started here inherit a mask: Ctrl-C and `kill -- -PGID` reach the whole process group."""
    if sys.platform == "win32":
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # now, for starting it would let the signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _server() -> Any:
    module = sys.modules.get("multiprocessing.forkserver")
    return None if module is None else module._forkserver  # noqa: SLF001


def _hung_up() -> bool:
    """Whether the fork server has closed the pipe by which it learns that we live: only its death does that."""
    if sys.platform == "win32":
        return False
    poll = select.poll()
    poll.register(_server()._forkserver_alive_fd, 0)  # noqa: SLF001
    return bool(poll.poll(0))


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
