"""What the user gave for logging in goes to servers, and nowhere else: no file, no stream, no report has it."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest

from tests.clients.logins import LoginServer
from tests.clients.proxy import Proxy
from tests.conftest import Toolkit

GIVEN = ("pa55word", "t0ken-b", "c00kie-v", "h3ader-v", "n3trc-pw", "pr0xy-pw", "i7em-v")
IN_URLS = ("ur1-pw", "qu3ry-v")
"""These stand in the list, and so in the store, which only its owner may read: a retry needs them."""


def forms(secret: str) -> list[bytes]:
    """Return what a secret may look like: plain, or within the base64 of a login."""
    logins = (f"{name}:{secret}" for name in ("joe", "pu", "n", "u"))
    return [secret.encode(), *(base64.b64encode(login.encode()).rstrip(b"=")[:-1] for login in logins)]


def found_in(data: bytes, secrets: tuple[str, ...]) -> list[str]:
    return [secret for secret in secrets if any(form in data for form in forms(secret))]


def inputs(folder: Path, server: LoginServer) -> list[object]:
    """Write what holds secrets into a folder, and return the options that name it."""
    folder.mkdir()
    (folder / "cookies").write_text("127.0.0.1\tFALSE\t/\tFALSE\t0\tses\tc00kie-v\n")
    (folder / "netrc").write_text("machine localhost login n password n3trc-pw\n")
    one = {"url": f"{server.url}item", "headers": {"X-Item": "i7em-v"}}
    rows = [
        one,
        {"url": f"{server.url}missing?token=qu3ry-v"},
        {"url": f"{server.named('localhost')}missing"},
        {"url": server.named("127.0.0.1", "u:ur1-pw@") + "in-url"},
        {"url": server.named("127.0.0.1", "u:ur1-pw@") + "missing"},
        {"url": server.url + "to/" + server.named("localhost", "u:ur1-pw@") + "missing?token=qu3ry-v"},
    ]
    (folder / "list.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return [folder / "list.jsonl", "--cookies", folder / "cookies", "--netrc-file", folder / "netrc"]


def written(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("model", "login"),
    [
        ("threads", ("--user", "joe:pa55word")),
        ("processes", ("--bearer=t0ken-b",)),
        ("asyncio", ("--user=joe:pa55word",)),
    ],
)
def test_download_keeps_secrets_to_itself(tmp_path: Path, toolkit: Toolkit, model: str, login: tuple[str, ...]) -> None:
    """Successes, failures, redirects and a proxy, with everything told that can be told."""
    out = tmp_path / "written"
    out.mkdir()
    with LoginServer("") as server, Proxy() as proxy:
        options = [
            *inputs(tmp_path / "given", server), "-o", out / "o", "--model", model, *login,
            *("--header", "X-Mine: h3ader-v", "--proxy", f"http://pu:pr0xy-pw@127.0.0.1:{proxy.port}"),
            *("--retries", "0", "--json", "--debug", "--events", out / "events", "--manifest", out / "rows.csv"),
        ]  # fmt: skip
        done = toolkit("download", *options, TMPDIR=str(out), NO_PROXY="")
        preview = toolkit("download", *options[:-6], "--dry-run", "--fresh", "--debug", TMPDIR=str(out), NO_PROXY="")
        heads = b"".join(proxy.heads)
    assert (done.returncode, preview.returncode) == (1, 1), done.stderr + preview.stderr
    assert json.loads(done.stdout)["succeeded"] == 2, done.stderr
    sent = [*GIVEN[2:4], GIVEN[5], GIVEN[6], "t0ken-b" if "bearer" in login[0] else "pa55word"]
    assert found_in(heads, tuple(sent)) == sent, "what was to be sent was not"
    for said in (done.stdout, done.stderr, preview.stdout, preview.stderr):
        assert found_in(said.encode(), GIVEN + IN_URLS) == []
    for name, data in written(out).items():
        assert found_in(data, GIVEN if "sqlite" in name else GIVEN + IN_URLS) == [], name
    for store in (out / "o").glob(".toolkit.sqlite*"):
        assert store.stat().st_size == 0 or os.name == "nt" or store.stat().st_mode & 0o077 == 0, store


def test_scrape_keeps_secrets_to_itself(tmp_path: Path, toolkit: Toolkit) -> None:
    """Rows are passed on: they have the URLs, without what is private in them."""
    out = tmp_path / "written"
    out.mkdir()
    with LoginServer("") as server:
        source, *given = inputs(tmp_path / "given", server)
        options = [
            source,
            *given,
            "-o",
            out / "rows.jsonl",
            "--user",
            "joe:pa55word",
            "--ignore-robots",
            "--field",
            "t=title",
        ]
        done = toolkit("scrape", *options, "--json", "--debug", "--events", out / "events", TMPDIR=str(out))
    assert json.loads(done.stdout)["succeeded"] == 2, done.stderr
    assert found_in((done.stdout + done.stderr).encode(), GIVEN + IN_URLS) == []
    for name, data in written(out).items():
        assert found_in(data, GIVEN if "sqlite" in name else (*GIVEN, "ur1-pw")) == [], name


def test_comparison_keeps_secrets_to_itself(tmp_path: Path, toolkit: Toolkit) -> None:
    """Its document and its page have the command, without what is private in it."""
    with LoginServer("") as server:
        options = (
            "--user",
            "joe:pa55word",
            "--header",
            "X-Mine: h3ader-v",
            "--proxy",
            "http://pu:pr0xy-pw@127.0.0.1:1",
        )
        shown = ("--models", "sequential", "--rounds", "1", "--json", "--markdown", tmp_path / "page.md")
        done = toolkit("compare", "download", f"{server.url}x", *options, *shown, TMPDIR=str(tmp_path))
    said = (done.stdout + done.stderr).encode() + b"".join(written(tmp_path).values())
    assert b"--user" in said
    assert found_in(said, GIVEN) == []
