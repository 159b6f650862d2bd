"""A server that misbehaves in every way that is known to us: each has one outcome, whatever the client."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import toolkit
from tests.apps.scrape.stage import Raw, Stage, moved, reply

CLIENTS = [("asyncio", "aiohttp"), ("threads", "requests"), ("threads", "curl")]
GOOD = b"<!doctype html><title>good</title>"
LIMIT = 200_000


def raw(*lines: str, body: bytes = b"", then: Any = "close") -> Raw:
    """Return a reply of such lines, and nothing that is not in them."""
    return Raw("\r\n".join([*lines, "", ""]).encode("latin-1") + body, then)


def page(*fields: str, body: bytes = GOOD, then: Any = "close") -> Raw:
    return raw("HTTP/1.1 200 OK", "Content-Type: text/html", *fields, body=body, then=then)


def coded(body: bytes, coding: str) -> Raw:
    return reply(body, f"Content-Encoding: {coding}")


def chunks(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + end


def charset(body: bytes, label: str = "", meta: str = "") -> Raw:
    """Return a page whose title is bytes of some coding, as its header and its meta say."""
    kind = f"text/html; charset={label}" if label else "text/html"
    return reply(f"<!doctype html>{meta}<title>".encode() + body + b"</title>", kind=kind)


def bare(body: bytes) -> bytes:
    """Deflate without the wrapping of zlib: what some servers call deflate."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


CHUNKED = "Transfer-Encoding: chunked"
META = '<meta charset="{}">'
EQUIV = '<meta http-equiv=Content-Type content="text/html; charset={}">'
BOMB = gzip.compress(b"<!doctype html>" + b"x" * 20_000_000)
ENTITIES = (
    b'<?xml version="1.0"?><!DOCTYPE html [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><html><title>good</title>&c;&c;&c;'
)

# What the server sends, and what comes of it: the title of a row ("= good"), or the kinds of failure that are right.
TABLE: dict[str, tuple[Any, str]] = {
    # Redirects
    "moved for good": (moved("/good", "301 Moved"), "= good"),
    "see other": (moved("/good", "303 See"), "= good"),
    "temporarily": (moved("/good", "307 Temporary"), "= good"),
    "permanently": (moved("/good", "308 Permanent"), "= good"),
    "moved nearby": (moved("good"), "= good"),
    "moved with a fragment": (moved("/good#there"), "= good"),
    "moved without scheme": (moved("//{host}/good"), "= good"),
    "moved with a backslash": (moved("\\good"), "= good"),
    "moved to raw letters": (moved("/dobré"), "= good"),
    "moved with a space": (moved("/a b"), "= good"),
    "moved by a chain": (moved("/chain/1"), "= good"),
    "moved by a long chain": (moved("/chain/-20"), "redirect"),
    "moved in a circle": (moved("/circle"), "redirect"),
    "moved to itself": (moved("/moved%20to%20itself"), "redirect"),
    "moved nowhere": (reply(b"", status="302 Found"), "http"),
    "moved to nothing": (moved(""), "http"),
    "moved to half an address": (moved("http://[::1/"), "redirect"),
    "moved to another scheme": (moved("ftp://{host}/good"), "blocked"),
    "moved to a script": (moved("javascript:alert(1)"), "blocked"),
    "moved to a file": (moved("file:///etc/passwd"), "blocked"),
    "moved with a body": (reply(b"<title>no", "Location: /good", status="302 Found"), "= good"),
    "many choices": (moved("/good", "300 Choices"), "http"),
    "not modified": (raw("HTTP/1.1 304 Not Modified"), "http"),
    "use a proxy": (moved("/good", "305 Use Proxy"), "http"),
    # Statuses
    "no content": (raw("HTTP/1.1 204 No Content"), "= None"),
    "reset content": (reply(b"", status="205 Reset"), "= None"),
    "not authoritative": (reply(GOOD, status="203 Other"), "= good"),
    "part of it unasked": (reply(GOOD, "Content-Range: bytes 0-33/34", status="206 Partial"), "= good"),
    "who are you": (reply(GOOD, "WWW-Authenticate: Basic realm=x", status="401 Who"), "http"),
    "pay": (reply(GOOD, status="402 Pay"), "http"),
    "forbidden": (reply(GOOD, status="403 Forbidden"), "http"),
    "not found": (reply(GOOD, status="404 Not Found"), "http"),
    "no reason": (Raw(b"HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n"), "http"),
    "teapot": (reply(GOOD, status="418 Teapot"), "http"),
    "unheard of": (reply(GOOD, status="599 ?"), "http"),
    "continue first": (Raw(b"HTTP/1.1 100 Continue\r\n\r\n" + reply(GOOD).sent), "= good"),
    "hints first": (Raw(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 3 + reply(GOOD).sent), "= good"),
    "hints and nothing": (Raw(b"HTTP/1.1 103 Early Hints\r\n\r\n", "close"), "connect|protocol|truncated"),
    # Connections
    "closed": (Raw(b"", "close"), "connect"),
    "reset": (Raw(b"", "reset"), "connect"),
    "half a head": (Raw(b"HTTP/1.1 200 OK\r\nContent-", "close"), "connect|protocol|truncated"),
    "reset in the body": (page("Content-Length: 5000", then="reset"), "truncated|connect"),
    "silent": (Raw(b"", "hang"), "timeout"),
    "silent in the head": (Raw(b"HTTP/1.1 200 OK\r\nContent-", "hang"), "timeout"),
    "silent in the body": (page("Content-Length: 5000", then="hang"), "timeout"),
    "silent in a chunk": (page(CHUNKED, body=b"50\r\nhalf", then="hang"), "timeout"),
    # Not HTTP
    "garbage": (Raw(b"what?\r\n\r\n", "close"), "protocol"),
    "zeros": (Raw(b"\0" * 100 + b"\r\n\r\n", "close"), "protocol"),
    "another protocol": (Raw(b"SSH-2.0-OpenSSH\r\n", "close"), "protocol"),
    "a TLS alert": (Raw(b"\x15\x03\x01\x00\x02\x02\x0a", "close"), "protocol|connect"),
    "only a page": (Raw(GOOD, "close"), "protocol"),
    "no number for a status": (raw("HTTP/1.1 OK 200"), "protocol"),
    "endless head": (page(*(f"X-{n}: {'x' * 60}" for n in range(20_000))), "protocol|too_large"),
    "endless line": (page(f"X: {'x' * 2_000_000}"), "protocol|too_large"),
    "old version": (raw("HTTP/1.0 200 OK", "Content-Type: text/html", body=GOOD), "= good"),
    # Lengths
    "no length": (page(), "= good"),
    "too short": (page("Content-Length: 5000"), "truncated"),
    "too long": (page(f"Content-Length: {len(GOOD)}", body=GOOD + b"<title>more</title>"), "protocol"),
    "with another reply": (Raw(reply(GOOD).sent + reply(b"<title>evil").sent), "= good|protocol"),
    "two lengths": (page("Content-Length: 34", "Content-Length: 35"), "protocol"),
    "the same length twice": (page(*[f"Content-Length: {len(GOOD)}"] * 2), "= good|protocol"),
    "length below zero": (page("Content-Length: -1"), "protocol"),
    "length in words": (page("Content-Length: many"), "protocol"),
    "length beyond all": (page("Content-Length: 99999999999999999"), "too_large"),
    "length beyond numbers": (page("Content-Length: 99999999999999999999999"), "protocol|too_large"),
    "larger than allowed": (page(f"Content-Length: {LIMIT + 1}", then="hang"), "too_large"),
    "larger than told": (page(body=GOOD + b"x" * LIMIT), "too_large"),
    "chunked": (page(CHUNKED, body=chunks(GOOD[:5], GOOD[5:]), then="keep"), "= good"),
    "chunked with more": (page(CHUNKED, body=chunks(GOOD, end=b"0;x=y\r\nTrailer: 1\r\n\r\n"), then="keep"), "= good"),
    "chunked and cut": (page(CHUNKED, body=chunks(GOOD, end=b"")), "truncated|protocol"),
    "chunked and cut within": (page(CHUNKED, body=b"50\r\n<title>half"), "truncated|protocol"),
    "chunked in no numbers": (page(CHUNKED, body=b"zz\r\n" + GOOD), "protocol|truncated"),
    "chunked without end": (page(CHUNKED, body=chunks(*[b"x" * 1000] * 500)), "too_large"),
    # Codings
    "gzip": (coded(gzip.compress(GOOD), "gzip"), "= good"),
    "gzip by another name": (coded(gzip.compress(GOOD), "X-GZip"), "= good"),
    "gzip in two parts": (coded(gzip.compress(GOOD[:20]) + gzip.compress(GOOD[20:]), "gzip"), "= good"),
    "gzip twice": (coded(gzip.compress(gzip.compress(GOOD)), "gzip, gzip"), "= good"),
    "gzip with rubbish behind": (coded(gzip.compress(GOOD) + b"rubbish", "gzip"), "= good|coding"),
    "gzip cut": (coded(gzip.compress(GOOD)[:-9], "gzip"), "truncated"),
    "gzip with a wrong sum": (coded(gzip.compress(GOOD)[:-8] + b"\0" * 8, "gzip"), "coding"),
    "gzip that is none": (coded(GOOD, "gzip"), "coding"),
    "gzip of nothing": (coded(b"", "gzip"), "= None"),
    "deflate": (coded(zlib.compress(GOOD), "deflate"), "= good"),
    "deflate without wrapping": (coded(bare(GOOD), "deflate"), "= good"),
    "deflate within gzip": (coded(gzip.compress(zlib.compress(GOOD)), "deflate, gzip"), "= good"),
    "identity": (coded(GOOD, "identity"), "= good"),
    "a coding nobody knows": (coded(GOOD, "rot13"), "unsupported"),
    "many codings": (coded(GOOD, ", ".join(["gzip"] * 50)), "unsupported|coding"),
    "a bomb": (coded(BOMB, "gzip"), "too_large"),
    "a bomb in a bomb": (coded(gzip.compress(BOMB), "gzip, gzip"), "too_large"),
    # Types
    "no type": (reply(GOOD, kind=""), "= good"),
    "plain text": (reply(GOOD, kind="text/plain"), "= good"),
    "plain text that is so": (reply(b"words", kind="text/plain"), "unsupported"),
    "plain text by order": (reply(GOOD, "X-Content-Type-Options: nosniff", kind="text/plain"), "unsupported"),
    "xhtml": (reply(GOOD, kind="application/xhtml+xml"), "= good"),
    "json": (reply(b"{}", kind="application/json"), "unsupported"),
    "a picture": (reply(b"\x89PNG\r\n\x1a\n" * 100, kind="image/png"), "unsupported"),
    "a picture that is called a page": (reply(b"\x89PNG\r\n\x1a\n" * 100), "= None"),
    "an endless stream of sound": (raw("HTTP/1.1 200 OK", "Content-Type: audio/mpeg", then="hang"), "unsupported"),
    "odd type": (reply(GOOD, kind="text/html;;; charset"), "= good"),
    # Encodings: a byte order mark, then the header, then meta, then what the bytes look like
    "utf-8": (charset("é".encode(), "utf-8"), "= é"),
    "mark before header": (reply(b"\xef\xbb\xbf<title>\xc3\xa9", kind="text/html; charset=latin-1"), "= é"),
    "utf-16 by its mark": (reply("\ufeff<title>é".encode("utf-16-le"), kind="text/html; charset=utf-8"), "= é"),
    "header before meta": (charset("é".encode(), "utf-8", META.format("windows-1251")), "= é"),
    "meta": (charset("п".encode("cp1251"), meta=META.format("windows-1251")), "= п"),
    "meta as a header": (charset("п".encode("cp1251"), meta=EQUIV.format("windows-1251")), "= п"),
    "the first meta": (charset("п".encode("cp1251"), meta=META.format("cp1251") + META.format("utf-8")), "= п"),
    "meta in a comment": (charset("é".encode(), meta="<!-- <meta charset=cp1251> --><meta charset=utf-8>"), "= é"),
    "utf-16 in meta": (charset("é".encode(), meta=META.format("utf-16")), "= é"),
    "latin-1 is windows-1252": (charset(b"\x80\x93", "iso-8859-1"), "= €“"),
    "ascii is windows-1252": (charset(b"\xe9", "us-ascii"), "= é"),
    "gb2312 is gbk": (charset("镕".encode("gbk"), "gb2312"), "= 镕"),
    "shift_jis is windows-31j": (charset("①".encode("cp932"), "shift_jis"), "= ①"),
    "an encoding nobody knows": (charset("é".encode(), "klingon", META.format("utf-8")), "= é"),
    "utf-7": (charset(b"+ADw-script+AD4-", "utf-7"), "= +ADw-script+AD4-"),
    "an encoding in quotes": (charset("é".encode(), '"utf-8"'), "= é"),
    "no encoding at all": (charset("Příliš žluťoučký kůň".encode()), "= Příliš žluťoučký kůň"),
    "bytes that are wrong": (charset(b"a\xff\xc3b", "utf-8"), "= a\ufffd\ufffdb"),
    "half a letter": (charset(b"a\xe2\x82", "utf-8"), "= a\ufffd"),
    "zeros in it": (charset(b"a\0b", "utf-8"), "= a\ufffdb|= ab"),
    # HTML
    "no html": (b"<title>good", "= good"),
    "nothing": (b"", "= None"),
    "only space": (b" \n\t", "= None"),
    "a comment that never ends": (b"<!doctype html><!-- <title>x</title>", "= None"),
    "a script that never ends": (b"<!doctype html><script><title>x</title>", "= None"),
    "a title that never ends": (b"<!doctype html><title>good", "= good"),
    "titles": (b"<title>good</title><title>x</title>", "= good"),
    "a title in a picture": (b"<!doctype html><svg><title>x</title></svg>", "= x"),
    "deep": (b"<title>good</title>" + b"<div>" * 15_000, "parse"),
    "deep in tables": (b"<title>good</title>" + b"<table><tr><td>" * 5_000, "= good"),
    "deep in links": (b"<title>good</title>" + b"<a><b>" * 8_000, "parse"),
    "many ends": (b"<title>good</title>" + b"</p>" * 40_000, "= good"),
    "many attributes": (b"<title>good</title><p " + b" ".join(b"a%d=1" % n for n in range(20_000)) + b">", "parse"),
    "a long attribute": (b"<title>good</title><p a='" + b"x" * 150_000 + b"'>", "= good"),
    "many signs": (b"<title>good</title>" + b"&amp;&#x41;&nosuch;" * 8_000, "= good"),
    "a bomb of entities": (ENTITIES, "= good"),
    "a file by entity": (b'<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]><title>good</title>&x;', "= good"),
    "an xml declaration": (b"<?xml version='1.0' encoding='utf-8'?><html><title>good</title>", "= good"),
    "frames": (b"<!doctype html><title>good</title><frameset><frame src=x></frameset>", "= good"),
    "plaintext": (b"<!doctype html><title>good</title><plaintext><title>x</title>", "= good"),
}  # fmt: skip


@pytest.fixture
def server() -> Iterator[Stage]:
    """Return a running server that has all of the table."""
    with Stage() as stage:
        for name, (answer, _) in TABLE.items():
            whole = answer if isinstance(answer, Raw) else reply(answer)
            sent = whole.sent.replace(b"{host}", f"127.0.0.1:{stage.port}".encode())
            stage.answers[path_of(name)] = Raw(sent, whole.then)
        stage.answers |= dict.fromkeys(("/good", "/dobr%C3%A9", "/a%20b"), GOOD)
        stage.answers |= {f"/chain/{number}": moved(f"/chain/{number + 1}") for number in range(-20, 10)}
        stage.answers |= {"/chain/10": GOOD, "/circle": moved("/circle/2"), "/circle/2": moved("/circle")}
        yield stage


def path_of(name: str) -> str:
    return "/" + name.replace(" ", "%20")


def scrape(server: Stage, tmp_path: Path, names: list[str], **options: Any) -> dict[str, str]:
    """Return what became of each page: the title of its row, or the kind of its failure."""
    (tmp_path / "urls.txt").write_text("\n".join(server.url(path_of(name)) for name in names))
    out, manifest = tmp_path / "rows.jsonl", tmp_path / "manifest.jsonl"
    fixed: dict[str, Any] = {"field": ["t=title"], "retries": 0, "timeout": 1.0, "max_body": LIMIT, "workers": 8}
    fixed |= {"per_host": 8, "manifest": manifest, "ignore_robots": True}
    toolkit.scrape(str(tmp_path / "urls.txt"), out, **fixed | options)
    rows = {row["url"]: row["t"] for row in map(json.loads, out.read_text("utf-8").splitlines())}
    ended = [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]
    became = {row["url"]: f"= {rows[row['url']]}" if row["outcome"] == "done" else row["reason"] for row in ended}
    return {name: became[server.url(path_of(name))] for name in names}


@pytest.mark.parametrize(("model", "client"), CLIENTS, ids=["aiohttp", "requests", "curl"])
def test_outcomes(server: Stage, tmp_path: Path, model: str, client: str) -> None:
    """Every page of the table ends as the table says; nothing spoils what comes after it on its connection."""
    became = scrape(server, tmp_path, list(TABLE), model=model, client=client)
    assert {name: told for name, told in became.items() if told not in TABLE[name][1].split("|")} == {}


@pytest.mark.parametrize("parser", ["lxml", "bs4"])
def test_outcomes_with_other_parsers(server: Stage, tmp_path: Path, parser: str) -> None:
    """So with the other parsers, of what is a page at all."""
    first = list(TABLE).index("utf-8")
    names = list(TABLE)[first:]
    became = scrape(server, tmp_path, names, model="asyncio", parser=parser)
    assert {name: told for name, told in became.items() if told not in TABLE[name][1].split("|")} == {}


AGAIN = ("closed", "reset", "half a head", "silent", "silent in the body", "too short", "chunked and cut", "gzip cut")
"""Trouble on the way: another attempt may go better."""
ONCE = ("moved in a circle", "moved to a file", "not found", "forbidden", "json", "a bomb", "larger than told", "deep")
"""What would be the same again."""
STATUSES = {
    False: (400, 401, 402, 403, 404, 405, 406, 410, 411, 414, 418, 421, 451, 501, 505, 511, 526, 599),
    True: (408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524),
}


@pytest.mark.parametrize(("model", "client"), CLIENTS, ids=["aiohttp", "requests", "curl"])
def test_what_is_tried_again(server: Stage, tmp_path: Path, model: str, client: str) -> None:
    """What may go better the next time is asked for once more, and what would not is not."""
    for number in (*STATUSES[False], *STATUSES[True]):
        server.answers[f"/{number}"] = reply(GOOD, status=f"{number} ?")
    names = [*AGAIN, *ONCE, *map(str, (*STATUSES[False], *STATUSES[True]))]
    became = scrape(server, tmp_path, names, model=model, client=client, retries=1)
    assert not any(told.startswith("=") for told in became.values())
    asked = {name: server.asked[path_of(name)] for name in names}
    again = {name for name, count in asked.items() if count > 1}
    assert again == {*AGAIN, *map(str, STATUSES[True])}
    lost = {"closed", "reset", "half a head"}  # on a kept connection: then a client asks on another, unasked
    assert max(count for name, count in asked.items() if name not in lost) == 2
