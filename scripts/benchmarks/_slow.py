"""A server that waits before it answers, in a process of its own: what a list of small files from far away is like.

python _slow.py FOLDER SECONDS    prints its port when it is ready, and ends when its standard input does
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

END = b"\r\n\r\n"


@contextmanager
def slow_server(folder: Path, seconds: float) -> Iterator[str]:
    """Serve a folder's files from memory, each after so many seconds; yield the server's address, without a slash."""
    command = [sys.executable, __file__, str(folder), str(seconds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0) as process:
        assert process.stdout is not None
        port = process.stdout.readline().decode().strip()
        if not port:
            raise SystemExit("the slow server could not start")
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


class Waiting(asyncio.Protocol):
    """One connection: every request is answered in its turn, `seconds` after it came."""

    def __init__(self, answers: dict[bytes, bytes], seconds: float) -> None:
        self._answers = answers
        self._seconds = seconds
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole; none of them has a body."""
        *heads, self._rest = (self._rest + data).split(END)
        for head in heads:
            method, target, _ = head.split(b" ", 2)
            answer = self._answers.get(target, MISSING)
            whole = answer if method == b"GET" else answer[: answer.index(END) + len(END)]
            asyncio.get_running_loop().call_later(self._seconds, self._send, whole)

    def _send(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


MISSING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0" + END


def answers(folder: Path) -> dict[bytes, bytes]:
    """Return the whole reply for each file, by its target."""
    found = {}
    for path in folder.iterdir():
        body = path.read_bytes()
        head = f'HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nETag: "{path.stem}"\r\n'
        found[f"/{folder.name}/{path.name}".encode()] = f"{head}Content-Length: {len(body)}".encode() + END + body
    return found


async def serve(folder: Path, seconds: float) -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    ready = answers(folder)
    server = await loop.create_server(lambda: Waiting(ready, seconds), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    with suppress(ImportError):
        import uvloop

        uvloop.install()
    asyncio.run(serve(Path(sys.argv[1]), float(sys.argv[2])))
