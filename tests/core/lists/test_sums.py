"""Files of checksums: what the programs write that people have, and what contradicts itself."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path

import pytest

from toolkit.core.errors import UsageError
from toolkit.core.lists import sums

MD5, SHA1, SHA256, SHA512 = "0" * 32, "1" * 40, "a" * 64, "b" * 128
SIGNED = f"""-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

# x.iso: 12 bytes
SHA256 (x.iso) = {SHA256}
-----BEGIN PGP SIGNATURE-----

iQIzBAEBCAAdFiEE
=abcd
-----END PGP SIGNATURE-----
"""


def read(folder: Path, content: str | bytes, name: str = "SHA256SUMS") -> dict[str, str]:
    """Read a file of checksums with that content."""
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return sums.read(folder / name)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", {}),
        ("# nothing\n\n  \n", {}),
        (f"{SHA256}  a b.iso\n", {"a b.iso": f"sha256:{SHA256}"}),
        (f"\ufeff{SHA256.upper()} *./d/a.iso\r\n", {"d/a.iso": f"sha256:{SHA256}"}),
        (f"{MD5} a\n{SHA1}\tb\n", {"a": f"md5:{MD5}", "b": f"sha1:{SHA1}"}),
        (f"{'c' * 56}  c\n{SHA512}   d", {"c": f"sha224:{'c' * 56}", " d": f"sha512:{SHA512}"}),
        (f"SHA256 (a (1).iso) = {SHA256}\nMD5(b)= {MD5}\n", {"a (1).iso": f"sha256:{SHA256}", "b": f"md5:{MD5}"}),
        (f"BLAKE2b (a) = {SHA512}\nBLAKE2b-256 (b) = {SHA256}\n", {"a": f"blake2b:{SHA512}", "b": f"blake2b:{SHA256}"}),
        (f"\\{SHA256}  a\\nb\\\\n\\r\n", {"a\nb\\n\r": f"sha256:{SHA256}"}),
        (f"\\SHA256 (a\\\\b) = {SHA256}\n", {"a\\b": f"sha256:{SHA256}"}),
        (f"{SHA256}  a\\nb\n", {"a\\nb": f"sha256:{SHA256}"}),
        (f"{MD5}  a\n{SHA256}  a\n{SHA1}  a\n{SHA256}  ./a\n", {"a": f"sha256:{SHA256}"}),
        (SIGNED, {"x.iso": f"sha256:{SHA256}"}),
    ],
)  # fmt: skip
def test_read_takes_what_programs_write(tmp_path: Path, content: str, found: dict[str, str]) -> None:
    """Both forms, escaped names, byte order marks, signatures around; the strongest of several counts."""
    assert read(tmp_path, content) == found


@pytest.mark.parametrize("name", ["B2SUMS", "x.b2", "x.blake2sums.txt"])
def test_read_takes_digits_for_blake2_when_the_file_is_called_so(tmp_path: Path, name: str) -> None:
    """128 digits may be of two algorithms."""
    assert read(tmp_path, f"{SHA512}  a\n", name) == {"a": f"blake2b:{SHA512}"}
    assert read(tmp_path, f"SHA512 (a) = {SHA512}\n", name) == {"a": f"sha512:{SHA512}"}


def test_read_unpacks_when_sums_are_compressed(tmp_path: Path) -> None:
    """As large distributions send them."""
    assert read(tmp_path, gzip.compress(f"{SHA256}  a\n".encode()), "SUMS.gz") == {"a": f"sha256:{SHA256}"}


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (f"{SHA256}\n", "SHA256SUMS:1: .* is no checksum and name"),
        (f"\n{SHA256}  a\nhello\n", "SHA256SUMS:3: 'hello' is no checksum and name"),
        (f"{SHA256[1:]}  a\n", "SHA256SUMS:1: 63 digits"),
        (f"RMD160 (a) = {SHA1}\n", "SHA256SUMS:1: the algorithm 'RMD160' is not known"),
        (f"SHA256 (a) = {SHA1}\n", "SHA256SUMS:1: .*sha256 has 64 digits, not 40"),
        (f"{SHA256}  a\n{'b' * 64}  a\n", "SHA256SUMS:2: 'a' has another checksum further up"),
        ("x" * 70_000, "SHA256SUMS:1: the line is longer than 65,536 characters"),
    ],
)
def test_read_refuses_when_a_line_is_none(tmp_path: Path, content: str, what: str) -> None:
    """With file and line: a checksum that is not understood must not be left out quietly."""
    with pytest.raises(UsageError, match=what):
        read(tmp_path, content)


def test_read_refuses_when_a_file_cannot_be_read(tmp_path: Path) -> None:
    """Missing, a folder, or compressed and cut short."""
    (tmp_path / "cut.gz").write_bytes(gzip.compress(f"{SHA256}  a\n".encode())[:-9])
    for name, what in (("none", "No such file"), (".", "Is a directory"), ("cut.gz", "ended before")):
        with pytest.raises(UsageError, match=f"cannot be read: .*{what}"):
            sums.read(tmp_path / name)


@pytest.mark.parametrize("program", ["md5sum", "sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum", "b2sum"])
def test_read_agrees_with_the_program(tmp_path: Path, program: str) -> None:
    """Names with spaces, brackets, backslashes and line breaks come back, in both forms."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    names = {"a", " b c", "d (e) = f", "g\\h\ni", "*j", "é"}
    for name in names:
        (tmp_path / name).write_text(name)
    for flag in ("--text", "--binary", "--tag"):
        out = subprocess.run([program, flag, "--", *names], cwd=tmp_path, capture_output=True, check=True).stdout
        found = read(tmp_path, out, "B2SUMS" if program == "b2sum" else "SUMS")
        assert set(found) == names
        algorithm = "blake2b" if program == "b2sum" else program.removesuffix("sum")
        assert {digest.partition(":")[0] for digest in found.values()} == {algorithm}
