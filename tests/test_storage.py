"""Where bytes land: inside the folder, whole or not at all, and with the file system's refusals in our words."""

from __future__ import annotations

import errno
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from toolkit.core.errors import FailureKind, TaskError, UsageError
from toolkit.storage import PartFile, atomic_write, inside, make_parent, naming_errors, output_folder

SMALL = 64 * 1024
NOBODY = 65534


@contextmanager
def without_privileges() -> Iterator[None]:
    """Be an ordinary user for a while: root may write anywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["a", "a/b.txt", "a/../b", "..a", "a..", "...", "-", "ä", "sub/x", "new/er/x"])
def test_inside_when_the_name_stays_in_the_folder(tmp_path: Path, name: str) -> None:
    """An ordinary name, also one in a subfolder that is yet to be made, is the path in the folder."""
    (tmp_path / "sub").mkdir()
    assert inside(tmp_path, name) == tmp_path / name


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "..", "./", "../", "../x", "a/../../x", "a/..", "a/../..", "/etc/passwd", "//etc/passwd", "sub/../..",
        "out/x", "up/x", "up/../x", "loop/x", "x\0", "x\0/y", "\0", "../folder-evil/x",
    ],
)  # fmt: skip
def test_inside_when_the_name_leads_out(tmp_path: Path, name: str) -> None:
    """No name, link or trick of the two leads out of the folder; the folder itself is no file in it."""
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (folder / "out").symlink_to(tmp_path / "elsewhere")
    (folder / "up").symlink_to("..")
    (folder / "loop").symlink_to("loop")
    if name == "a/..":  # this is the folder itself
        (folder / "a").mkdir()
    with pytest.raises(TaskError, match="outside the output folder") as caught:
        inside(folder, name)
    assert caught.value.kind is FailureKind.BLOCKED


def test_inside_when_a_link_stays_in_the_folder(tmp_path: Path) -> None:
    """A link is followed; what counts is where it leads. The folder may be one itself."""
    (tmp_path / "real" / "sub").mkdir(parents=True)
    (tmp_path / "real" / "link").symlink_to("sub")
    (tmp_path / "folder").symlink_to("real")
    assert inside(tmp_path / "folder", "link/x") == tmp_path / "folder" / "link" / "x"


def test_output_folder_is_made_when_it_is_missing(tmp_path: Path) -> None:
    """With its parents; nothing else is left in it."""
    folder = output_folder(tmp_path / "a" / "b")
    assert names(folder) == []
    assert output_folder(folder) == folder


def test_output_folder_when_it_cannot_be(tmp_path: Path) -> None:
    """A file in its place, or no permission, is a usage error that names it."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError, match=r"cannot write to the output folder .*file"):
        output_folder(tmp_path / "file")
    (tmp_path / "shut").mkdir(mode=0o500)
    with without_privileges(), pytest.raises(UsageError, match="Permission denied"):
        output_folder(tmp_path / "shut")


def test_atomic_write_appears_when_the_block_ends(tmp_path: Path) -> None:
    """The final name holds the whole file or the old one, never a part."""
    final = tmp_path / "new" / "x.bin"
    with atomic_write(final) as file:
        file.write(b"half")
        file.flush()
        assert not final.exists()
        assert len(names(final.parent)) == 1
        file.write(b" and half")
    assert final.read_bytes() == b"half and half"
    assert names(final.parent) == ["x.bin"]


def test_atomic_write_keeps_the_old_file_when_the_block_raises(tmp_path: Path) -> None:
    """An exception, also one that is no error, leaves the old bytes and no temporary file."""
    final = tmp_path / "x"
    final.write_bytes(b"old")
    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error):  # noqa: PT012, SIM117 - the exception comes from inside the block
            with atomic_write(final) as file:
                file.write(b"new")
                raise error
    assert final.read_bytes() == b"old"
    assert names(tmp_path) == ["x"]


def test_atomic_write_leaves_a_linked_file_alone_when_the_name_is_a_link(tmp_path: Path) -> None:
    """The link is replaced, not what it leads to."""
    (tmp_path / "precious").write_bytes(b"old")
    (tmp_path / "link").symlink_to("precious")
    with atomic_write(tmp_path / "link") as file:
        file.write(b"new")
    assert (tmp_path / "precious").read_bytes() == b"old"
    assert not (tmp_path / "link").is_symlink()


def test_atomic_write_follows_the_umask(tmp_path: Path) -> None:
    """The result is an ordinary file, as open() would make it, not a private one."""
    program = (
        "import os, sys; from pathlib import Path; os.umask(int(sys.argv[1], 8))\n"
        "from toolkit.storage import atomic_write\n"
        "with atomic_write(Path(sys.argv[2])): pass"
    )
    for mask in ("022", "077", "000"):
        subprocess.run([sys.executable, "-c", program, mask, tmp_path / mask], check=True)
        assert stat.S_IMODE((tmp_path / mask).stat().st_mode) == 0o666 & ~int(mask, 8)


def test_atomic_write_when_the_name_is_a_folder(tmp_path: Path) -> None:
    """A folder in the way is a failure of the name, and leaves nothing behind."""
    (tmp_path / "x").mkdir()
    with pytest.raises(TaskError) as caught, atomic_write(tmp_path / "x"):
        pass
    assert caught.value.kind is FailureKind.NAME
    assert names(tmp_path) == ["x"]


def test_make_parent_when_a_file_is_in_the_way(tmp_path: Path) -> None:
    """A file where a folder should be fails the task, not the run."""
    (tmp_path / "x").write_bytes(b"")
    with pytest.raises(TaskError) as caught:
        make_parent(tmp_path / "x" / "y" / "z")
    assert (caught.value.kind, caught.value.fatal) == (FailureKind.NAME, False)


@pytest.mark.parametrize(
    ("number", "kind", "fatal", "retryable"),
    [
        (errno.ENOSPC, FailureKind.DISK, True, False),
        (errno.EDQUOT, FailureKind.DISK, True, False),
        (errno.EROFS, FailureKind.DISK, True, False),
        (errno.EMFILE, FailureKind.LIMIT, False, True),
        (errno.ENFILE, FailureKind.LIMIT, False, True),
        (errno.EFBIG, FailureKind.DISK, False, False),
        (errno.EIO, FailureKind.DISK, False, False),
        (errno.ENAMETOOLONG, FailureKind.NAME, False, False),
        (errno.EACCES, FailureKind.NAME, False, False),
        (errno.EISDIR, FailureKind.NAME, False, False),
    ],
)
def test_naming_errors_by_number(number: int, kind: FailureKind, fatal: bool, retryable: bool) -> None:
    """A full disk stops the run; too many open files pass; a bad name fails its task only."""
    with pytest.raises(TaskError, match=r"cannot write out/x: ") as caught, naming_errors(Path("out/x")):
        raise OSError(number, os.strerror(number))
    error = caught.value
    assert (error.kind, error.fatal, error.retryable) == (kind, fatal, retryable)


def test_naming_errors_when_the_disk_is_full() -> None:
    """The real thing: a device without space stops the run."""
    with pytest.raises(TaskError, match="No space left") as caught, naming_errors(Path("/dev/full")):  # noqa: SIM117
        with open("/dev/full", "wb", buffering=0) as file:
            file.write(b"x")
    assert (caught.value.kind, caught.value.fatal) == (FailureKind.DISK, True)


def test_part_file_when_the_name_is_too_long(tmp_path: Path) -> None:
    """The real thing: a name that the file system refuses fails its task only."""
    with pytest.raises(TaskError, match="too long") as caught:
        PartFile(tmp_path / ("x" * 300), 0)
    assert (caught.value.kind, caught.value.fatal) == (FailureKind.NAME, False)


def test_part_file_when_permission_is_missing(tmp_path: Path) -> None:
    """The real thing: a folder that may not be written to."""
    (tmp_path / "shut").mkdir(mode=0o500)
    with without_privileges(), pytest.raises(TaskError, match="Permission denied") as caught:
        PartFile(tmp_path / "shut" / "x", 0)
    assert caught.value.kind is FailureKind.NAME


def test_part_file_writes_on_when_a_write_is_cut_short(tmp_path: Path) -> None:
    """The real thing: at a size limit the system writes what fits, and refuses the rest; the file holds what fits."""
    program = (
        "import resource, sys; from pathlib import Path; from toolkit.storage import PartFile\n"
        "from toolkit.core.errors import TaskError\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({SMALL}, {SMALL}))\n"
        "part = PartFile(Path(sys.argv[1]), 0); part.write(b'x' * 1000)\n"
        f"try: part.write(b'y' * {SMALL})\n"
        "except TaskError as error: print(error.kind, error.fatal, error.message)"
    )
    assert hasattr(resource, "RLIMIT_FSIZE")
    done = subprocess.run([sys.executable, "-c", program, tmp_path / "x"], check=True, capture_output=True, text=True)
    assert done.stdout == f"disk False cannot write {tmp_path / 'x'}: File too large\n"
    assert (tmp_path / "x").read_bytes() == b"x" * 1000 + b"y" * (SMALL - 1000)


def test_part_file_writes_everything_when_the_system_takes_little_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each block is written whole, in order."""
    whole = os.write
    monkeypatch.setattr(os, "write", lambda file, block: whole(file, bytes(block)[:7]))
    part = PartFile(tmp_path / "x", 0)
    blocks: list[bytes | bytearray | memoryview] = [bytes(range(100)), bytearray(b"ab" * 20), memoryview(b"end")]
    for block in blocks:
        part.write(block)
    part.close()
    assert (tmp_path / "x").read_bytes() == b"".join(blocks)


@pytest.mark.parametrize("offset", [0, 3, 5])
def test_part_file_continues_when_opened_at_an_offset(tmp_path: Path, offset: int) -> None:
    """What lies behind the offset is cut off at once."""
    (tmp_path / "x").write_bytes(b"01234")
    part = PartFile(tmp_path / "x", offset)
    assert (tmp_path / "x").read_bytes() == b"01234"[:offset]
    part.write(b"new")
    part.close()
    part.close()
    assert (tmp_path / "x").read_bytes() == b"01234"[:offset] + b"new"
    assert part.size == offset + 3


def test_part_file_makes_no_hole_when_the_file_is_shorter_than_the_offset(tmp_path: Path) -> None:
    """Bytes that nobody sent are never made up."""
    (tmp_path / "x").write_bytes(b"01234")
    with pytest.raises(TaskError, match="cut short") as caught:
        PartFile(tmp_path / "x", 6)
    assert caught.value.retryable
    assert (tmp_path / "x").read_bytes() == b"01234"


def test_part_file_stops_when_the_limit_is_passed(tmp_path: Path) -> None:
    """The limit counts what was there before; a file of exactly the limit is well."""
    (tmp_path / "x").write_bytes(b"01234")
    part = PartFile(tmp_path / "x", 5, limit=8)
    part.write(b"567")
    with pytest.raises(TaskError, match="larger than 8 bytes") as caught:
        part.write(b"8")
    part.close()
    assert caught.value.kind is FailureKind.TOO_LARGE
    assert (tmp_path / "x").read_bytes() == b"01234567"


def test_part_file_is_locked_when_another_writes_it(tmp_path: Path) -> None:
    """Two writers never share a part; the second one changes nothing, and may come again later."""
    first = PartFile(tmp_path / "x", 0)
    first.write(b"mine")
    with pytest.raises(TaskError, match="being written by another run") as caught:
        PartFile(tmp_path / "x", 0)
    assert caught.value.retryable
    first.close()
    assert (tmp_path / "x").read_bytes() == b"mine"
    PartFile(tmp_path / "x", 4).close()


def test_part_file_leaves_no_descriptor_open_when_it_fails(tmp_path: Path) -> None:
    """Neither a refused lock nor a wrong offset costs a descriptor."""
    part = PartFile(tmp_path / "x", 0)
    before = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0
    for _ in range(3):
        with pytest.raises(TaskError):
            PartFile(tmp_path / "x", 0)
    if sys.platform == "linux":
        assert len(os.listdir("/proc/self/fd")) == before
    part.close()


def test_atomic_write_uses_up_what_a_killed_run_left(tmp_path: Path) -> None:
    """The temporary name belongs to the final one: a second try leaves nothing of the first behind."""
    code = (
        "import os, sys, pathlib, toolkit.storage as s\n"
        "with s.atomic_write(pathlib.Path(sys.argv[1])) as file:\n"
        "    file.write(b'half of it, and more than the whole'); file.flush(); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "final"], check=False)
    assert len(names(tmp_path)) == 1, "the killed writer should have left its temporary file"
    with atomic_write(tmp_path / "final") as file:
        file.write(b"whole")
    assert names(tmp_path) == ["final"]
    assert (tmp_path / "final").read_bytes() == b"whole"


def test_atomic_write_refuses_when_another_run_is_writing_the_same_name(tmp_path: Path) -> None:
    """Two writers never share a temporary file; the second may try again later."""
    with atomic_write(tmp_path / "final") as file:
        file.write(b"first")
        with pytest.raises(TaskError) as caught, atomic_write(tmp_path / "final"):
            pass
        assert caught.value.retryable
    assert (tmp_path / "final").read_bytes() == b"first"
