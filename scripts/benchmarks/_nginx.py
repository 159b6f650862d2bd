"""An nginx of our own on free loopback ports, for as long as a benchmark runs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from toolkit.core.errors import UsageError

CAP = "20m"
"""Bytes a second that a connection gets below /capped/."""
PATIENCE = 10.0
"""Seconds that nginx may take to start."""

# As Debian delivers it, but for paths, ports and the log. HTTP/2 is on offer over TLS, as on most servers.
CONFIGURATION = """
{user}daemon off;
worker_processes auto;
pid {place}/nginx.pid;
error_log {place}/error.log error;
events {{ worker_connections 4096; }}
http {{
  sendfile on;
  tcp_nopush on;
  access_log off;
  default_type application/octet-stream;
  client_body_temp_path {place}/body;
  proxy_temp_path {place}/proxy;
  fastcgi_temp_path {place}/fastcgi;
  uwsgi_temp_path {place}/uwsgi;
  scgi_temp_path {place}/scgi;
  server {{
    listen 127.0.0.1:{http} backlog=4096;
    listen 127.0.0.1:{tls} ssl{http2} backlog=4096;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    root {root};
    location /capped/ {{ limit_rate {cap}; }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server is: addresses without a slash at the end, and what it calls itself."""

    http: str
    https: str
    version: str


@contextmanager
def nginx(root: Path, place: Path, certificate: Path, key: Path, *, http2: bool = True) -> Iterator[Address]:
    """Serve a folder. place: a folder for its own files. Raises UsageError if it is not installed or does not start."""
    command = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if command is None:
        raise UsageError("nginx is not installed: install the package nginx-light (Debian) or nginx")
    place.mkdir(parents=True, exist_ok=True)
    http, tls = _free_ports(2)
    user = "user root;\n" if os.geteuid() == 0 else ""
    (place / "nginx.conf").write_text(
        CONFIGURATION.format(
            user=user,
            place=place,
            http=http,
            tls=tls,
            http2=" http2" if http2 else "",
            certificate=certificate,
            key=key,
            root=root,
            cap=CAP,
        )
    )
    arguments = [command, "-p", str(place), "-e", str(place / "error.log"), "-c", str(place / "nginx.conf")]
    process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, process_group=0)
    try:
        _wait_for(process, http, place / "error.log")
        yield Address(f"http://127.0.0.1:{http}", f"https://127.0.0.1:{tls}", _version(command))
    finally:
        process.terminate()
        process.wait()


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    reason = log.read_text(errors="replace").strip() if log.exists() else ""
    raise UsageError(f"nginx did not start: {reason or 'it gave no reason'}")


def _free_ports(count: int) -> list[int]:
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [each.getsockname()[1] for each in taken]
    finally:
        for each in taken:
            each.close()


def _version(command: str) -> str:
    told = subprocess.run([command, "-v"], capture_output=True, text=True, check=False).stderr
    return told.strip().rpartition("/")[2]
