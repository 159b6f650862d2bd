"""Where a run may go, and by which way, as the command line says it."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from samples.serve import SampleServer
from tests.clients.logins import LoginServer
from tests.clients.socks import SocksProxy
from toolkit.cli import main
from toolkit.core import addresses
from toolkit.core.addresses import is_public

APPS = [("download", "out"), ("scrape", "rows.jsonl")]


@pytest.fixture(autouse=True)
def _one_private(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make 127.0.0.2 the only address that is not public, and forget the proxies of whoever runs the tests."""
    monkeypatch.setattr(addresses, "NOT_PUBLIC", (IPv4Network("127.0.0.2/32"),))
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    is_public.cache_clear()
    yield
    is_public.cache_clear()


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """Run a command in this process; return its exit code and what it says."""
    with pytest.raises(SystemExit) as end:
        main([*map(str, arguments), "--retries", "0", "--progress", "none"])
    return int(end.value.code or 0), capsys.readouterr().err


@pytest.mark.parametrize(("app", "out"), APPS)
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "the address 127.0.0.2 is not public"),
        (("--block-private",), "the address 127.0.0.2 is not public"),
        (("--allow-private",), "connect: "),
        (("--model", "asyncio"), "the address 127.0.0.2 is not public"),
        (("--model", "threads", "--client", "requests"), "the address 127.0.0.2 is not public"),
    ],
)
def test_redirect_from_a_public_host_to_a_private_address(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, app: str, out: str, options: tuple[str, ...], words: str
) -> None:
    """Refused, unless it is allowed; then it is tried, and here nobody answers."""
    with LoginServer("") as server:
        code, said = run(capsys, app, f"{server.url}to/http://127.0.0.2:1/", "-o", tmp_path / out, *options)
    assert code == 1
    assert words in said
    assert ("1 × blocked" in said) == ("is not public" in words)


@pytest.mark.parametrize(("app", "out"), APPS)
def test_private_address_of_the_users_own_is_blocked_only_on_demand(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, app: str, out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who names an address means it; who says --block-private means that."""
    monkeypatch.setattr(addresses, "NOT_PUBLIC", (IPv4Network("127.0.0.0/8"),))
    with LoginServer("") as server:
        url = f"{server.url}to/{server.url}file"
        code, said = run(capsys, app, url, "-o", tmp_path / out, "--block-private")
        assert (code, "the address 127.0.0.1 is not public" in said) == (1, True)
        assert server.asked == []
        assert run(capsys, app, url, "-o", tmp_path / out)[0] == 0


@pytest.mark.parametrize("options", [(), ("--client", "requests"), ("--model", "asyncio")])
def test_socks_proxy_is_gone_by_and_looks_names_up(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, server: SampleServer, options: tuple[str, ...]
) -> None:
    """With name and password; the name of the host reaches the proxy as it is."""
    with SocksProxy(b"me:pw") as proxy:
        url = f"{server.url.replace('127.0.0.1', 'localhost')}files/terms.txt"
        way = ("--proxy", f"socks5h://me:pw@127.0.0.1:{proxy.port}")
        assert run(capsys, "download", url, "-o", tmp_path, *way, *options)[0] == 0
        assert [asked.rpartition(":")[0] for asked in proxy.asked] == ["name localhost"]
        refused = f"socks5h://me:wrong@127.0.0.1:{proxy.port}"
        code, said = run(capsys, "download", url, "-o", tmp_path / "2", "--proxy", refused, *options)
    assert (code, "the proxy does not connect us" in said, "wrong" in said) == (1, True, False)


def test_both_at_once_are_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Wrong usage, before anything is asked."""
    code, said = run(capsys, "download", "http://x.test/", "-o", tmp_path, "--allow-private", "--block-private")
    assert (code, "choose one" in said) == (2, True)
