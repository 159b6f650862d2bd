"""The files that the benchmarks fetch, and the certificates that they are served with: made once, kept between runs."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from toolkit.core.errors import UsageError

KB, MB = 1000, 1_000_000
BLOCK = 1 << 20
MANY = 100
DATED = 1_700_000_000
"""When the files say that they were changed: long ago, so that their dates are strong validators."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Files of one size. name: of the folder. size: bytes. quick: how many, and of what size, in a quick run."""

    name: str
    count: int
    size: int
    quick: tuple[int, int]

    def lot(self, *, quick: bool) -> tuple[int, int]:
        """Return how many files there are, and their size in bytes."""
        return self.quick if quick else (self.count, self.size)

    @property
    def many(self) -> bool:
        """Tell whether so many files are fetched in a run that deleting them would slow the next one down."""
        return self.count >= MANY


SHELVES = {
    shelf.name: shelf
    for shelf in (
        Shelf("small", 5000, 10 * KB, (300, 10 * KB)),
        Shelf("medium", 200, MB, (20, MB)),
        Shelf("large", 4, 256 * MB, (2, 32 * MB)),
        Shelf("capped", 1, 512 * MB, (1, 64 * MB)),
    )
}


def site(folder: Path, *, quick: bool) -> Path:
    """Return the folder that is served."""
    return folder / ("site-quick" if quick else "site")


def build(root: Path, names: Iterable[str], *, quick: bool) -> None:
    """Make the files of these shelves that are not there yet, in the folder that is served."""
    for shelf in map(SHELVES.__getitem__, names):
        count, size = shelf.lot(quick=quick)
        place = root / shelf.name
        place.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            path = place / f"{shelf.name}-{number:05}.bin"
            if not path.exists() or path.stat().st_size != size:
                _write(path, size, seed=number)


def certificates(folder: Path) -> tuple[Path, Path, Path]:
    """Return an authority's certificate, and a certificate with its key for 127.0.0.1, made by openssl if need be."""
    place = folder / "tls"
    authority, certificate, key = place / "ca.pem", place / "server.pem", place / "server.key"
    if not certificate.exists():
        if shutil.which("openssl") is None:
            raise UsageError("the TLS rows need openssl: install the package openssl, or leave those rows out")
        place.mkdir(parents=True, exist_ok=True)
        signing = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
        _openssl("/CN=toolkit benchmark authority", authority, place / "ca.key", *signing)
        by = ["-CA", str(authority), "-CAkey", str(place / "ca.key"), "-addext", "basicConstraints=critical,CA:FALSE"]
        _openssl("/CN=127.0.0.1", certificate, key, *by, "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost")
    return authority, certificate, key


def _write(path: Path, size: int, seed: int) -> None:
    """Write bytes that no two files share, and that nothing compresses."""
    chance = random.Random(f"{path.name}:{seed}")
    with path.open("wb") as file:
        for start in range(0, size, BLOCK):
            file.write(chance.randbytes(min(BLOCK, size - start)))
    os.utime(path, (DATED, DATED))


def _openssl(subject: str, certificate: Path, key: Path, *more: str) -> None:
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650"]
    files = ["-out", str(certificate), "-keyout", str(key)]
    done = subprocess.run(
        ["openssl", "req", "-x509", *curve, "-subj", subject, *files, *more],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        certificate.unlink(missing_ok=True)
        raise UsageError(f"openssl could not make a certificate: {done.stderr.strip()}")
