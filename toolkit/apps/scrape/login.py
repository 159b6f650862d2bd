"""Logging in by a form, once for each process and run: its page is fetched, filled in, sent, and the answer looked at.

What is filled in goes to the host of the login page alone, and stands in no message.
"""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from typing import NoReturn
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

from toolkit.apps.scrape.bodies import ACCEPT_ENCODING, BodySink
from toolkit.apps.scrape.forms import Filled, FormError, fill, has_match
from toolkit.apps.scrape.rules.model import Login
from toolkit.apps.scrape.sessions import CookieRuntime
from toolkit.apps.scrape.urls import without_password
from toolkit.core.errors import FailureKind, TaskError, TaskSkipped
from toolkit.core.follow import MayGo, follow
from toolkit.core.http import Head, Request, http_error, media_type
from toolkit.core.network import Network
from toolkit.core.urls import origin_of, wire_url

PAUSE = 60.0
"""Seconds after a login in which there is no other: a site that asks again so soon will not be pleased by one more."""
LARGEST = 10_000_000
"""Bytes of a login page, decoded."""
TELLING = 3
"""Letters from which a text is looked for among the words of a failure."""
UNAUTHORIZED = 401


async def logged_in(
    runtime: CookieRuntime,
    login: Login,
    request: Request,
    network: Network,
    *,
    run: str,
    parser: str = "lexbor",
    may_go: MayGo | None = None,
    after: int = 0,
) -> int:
    """Log in unless somebody of this process and run has, and return how often that was done so far.

    after: what this returned before, if the session proved to be over since. The other arguments are those of log_in.
    Raises TaskError as log_in does; a login that was refused is not tried again.
    """
    session = runtime.jar.session

    async def make() -> None:
        if session.refused is not None:
            raise copy.copy(session.refused)
        if session.logins > after:
            return
        if after and (ago := runtime.jar.clock() - session.since) < PAUSE:
            told = f"login at {_shown(login)}: the site asks for another {max(0.0, ago):.0f} s after the last one"
            raise TaskError(FailureKind.HTTP, told, retryable=True, retry_after=PAUSE - max(0.0, ago))
        try:
            await log_in(runtime, login, request, network, parser=parser, may_go=may_go)
        except TaskError as error:
            if error.fatal:
                session.refused = error
            raise
        session.logins, session.since = session.logins + 1, runtime.jar.clock()

    if session.refused is not None or session.logins <= after:
        await runtime.once(("login", run), make)
    return session.logins


def looks_logged_out(asked: str, head: Head, login: Login) -> bool:
    """Tell whether the answer to a page's request is that nobody is logged in: a 401, or the login page in its place.

    asked: the page's URL; head: the last one of the redirects from there. A 403 is no such answer: it is also what
    pages say that are for others.
    """
    if head.status == UNAUTHORIZED:
        return True
    return _is_login(head.url, login) and not _is_login(asked, login)


def _is_login(url: str, login: Login) -> bool:
    """Tell whether a URL is that of the login page, whatever else it says of where to go then."""
    seen, page = urlsplit(url), urlsplit(wire_url(login.url))
    if (seen.hostname, seen.path or "/") != (page.hostname, page.path or "/"):
        return False
    return set(parse_qsl(page.query, keep_blank_values=True)) <= set(parse_qsl(seen.query, keep_blank_values=True))


async def log_in(
    runtime: CookieRuntime,
    login: Login,
    request: Request,
    network: Network,
    *,
    parser: str = "lexbor",
    may_go: MayGo | None = None,
) -> None:
    """Fill in and send the form of the login page; what the site makes of it is in the runtime's cookies then.

    request: whose header fields and timeouts are used. parser: that of the rules. may_go: asked before every request,
    also before the first ("" is left behind then) and before the form goes out. Raises TaskError: retryable where the
    network or the server failed, fatal where the site, the form or the rules say that it cannot be.
    """
    try:
        await _go_through(runtime, login, request, network, parser, may_go)
    except FormError as error:
        _fail(login, str(error))
    except TaskSkipped as error:
        _fail(login, error.reason, FailureKind.BLOCKED)
    except TaskError as error:
        raise _told(login, error) from error.__cause__
    except ValueError as error:
        _fail(login, f"{parser} cannot read the page: {error}", FailureKind.PARSE)


async def _go_through(
    runtime: CookieRuntime,
    login: Login,
    request: Request,
    network: Network,
    parser: str,
    may_go: MayGo | None,
) -> None:
    url = wire_url(login.url)
    ask = replace(request, url=url, method="GET", body=b"", headers=_fields(request))
    head, page = await _fetched(runtime, ask, network, may_go, "", url)
    _check_page(url, head)
    if login.success and await _succeeded(runtime, login, head, page, parser):
        return  # by cookies of the user's own
    form = await runtime.call(_filled, page, media_type(head.headers)[1], head.url, parser, login)
    _check_target(head.url, form.url)
    head, page = await _fetched(runtime, _sent(ask, form, head.url), network, may_go, head.url, url)
    if login.success and not await _succeeded(runtime, login, head, page, parser):
        raise FormError(f"{login.success!r} is not on the page that came back")


async def _fetched(
    runtime: CookieRuntime, request: Request, network: Network, may_go: MayGo | None, left: str, home: str
) -> tuple[Head, bytes]:
    """Fetch a page; home: that of the login, which all credentials are for."""
    sink: BodySink | None = None

    def accept(head: Head) -> BodySink | None:
        nonlocal sink
        if not 200 <= head.status < 300:  # noqa: PLR2004
            raise http_error(head)
        sink = BodySink(head.headers, LARGEST)
        return sink

    if may_go is not None:
        await may_go(left, request)
    reply = await follow(runtime, request, accept, may_go=may_go, network=network, home=home)
    return reply.head, b"" if sink is None else sink.body()


def _fields(request: Request) -> tuple[tuple[str, str], ...]:
    rest = [field for field in request.headers if field[0].lower() != "accept-encoding"]
    return (*rest, ACCEPT_ENCODING)


async def _succeeded(runtime: CookieRuntime, login: Login, head: Head, page: bytes, parser: str) -> bool:
    found: bool = await runtime.call(has_match, page, media_type(head.headers)[1], parser, login.success)
    return found


def _filled(page: bytes, charset: str | None, url: str, parser: str, login: Login) -> Filled:
    return fill(page, charset, url, parser=parser, form=login.form, values=login.fields)


def _sent(request: Request, filled: Filled, page: str) -> Request:
    """Return the form on its way, as from its page: sites look at where it comes from, to see that it is theirs."""
    page = without_password(page)
    if filled.method == "GET":
        return replace(request, url=f"{filled.url}?{filled.data.decode()}").with_headers(("Referer", page))
    origin = _host(page).lower()
    more = ("Content-Type", "application/x-www-form-urlencoded"), ("Origin", origin), ("Referer", page)
    return replace(request, url=filled.url, method="POST", body=filled.data).with_headers(*more)


def _check_page(url: str, head: Head) -> None:
    """Raise FormError if a redirect has led away from the host that the user means the fields for."""
    if not _is_same(url, head.url):
        raise FormError(f"it leads to {_host(head.url)}: name the page there, if that is meant")


def _check_target(page: str, target: str) -> None:
    """Raise FormError if a form would go elsewhere than to where its page is from."""
    if not target.startswith(("http://", "https://")):
        raise FormError("its form goes to no http or https URL")
    if not _is_same(page, target):
        raise FormError(f"its form goes to another host ({_host(target)})")


def _is_same(url: str, onward: str) -> bool:
    """Tell whether one URL may have what is meant for the other: the same origin, or the same host by https instead."""
    if origin_of(url) == origin_of(onward):
        return True
    old, new = urlsplit(url), urlsplit(onward)
    return (old.scheme.lower(), new.scheme.lower()) == ("http", "https") and old.hostname == new.hostname


def _host(url: str) -> str:
    parts = urlsplit(without_password(url))
    return f"{parts.scheme}://{parts.netloc}"


def _shown(login: Login) -> str:
    return without_password(wire_url(login.url)).partition("?")[0]


def _fail(login: Login, why: str, kind: FailureKind = FailureKind.INPUT) -> NoReturn:
    raise TaskError(kind, f"login at {_shown(login)} failed: {why}", fatal=True) from None


def _told(login: Login, error: TaskError) -> TaskError:
    """Return a failure as one of the login, without what was filled in: a form that goes by GET has it in its URL."""
    words = re.sub(r"\?\S*", "?…", error.message)
    for _, value in login.fields:
        if len(value) >= TELLING:
            for secret in (value, quote_plus(value), quote(value, safe="")):
                words = words.replace(secret, "…")
    return TaskError(
        error.kind,
        f"login at {_shown(login)} failed: {words}",
        retryable=error.retryable,
        retry_after=error.retry_after,
        cool_lane=error.cool_lane,
        fatal=error.fatal or not (error.retryable or error.kind is FailureKind.OVERDUE),
    )
