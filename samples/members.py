"""The members' room of the sample shop: a form that lets in, and a cookie that says who was let in."""

from __future__ import annotations

import secrets

from aiohttp import web

LOGIN, HOME = "/members/login.html", "/members/"
NAME, PASSWORD = "ann", "window pane"
COOKIE = "member"


class Members:
    """Who is logged in."""

    def __init__(self) -> None:
        self._sessions: set[str] = set()

    async def answer(self, request: web.Request) -> web.Response | None:
        """Take the form, send strangers to it, and let all others through to the page: None.

        A form with the wrong words in it comes back, as from most sites, with 200.
        """
        if not request.path.startswith(HOME):
            return None
        if request.path == LOGIN:
            return await self._logged_in(request) if request.method == "POST" else None
        if request.cookies.get(COOKIE) in self._sessions:
            return None
        return web.Response(status=302, headers={"Location": LOGIN, "Cache-Control": "no-store"})

    async def _logged_in(self, request: web.Request) -> web.Response | None:
        said = await request.post()
        if (said.get("form"), said.get("user"), said.get("password")) != ("members", NAME, PASSWORD):
            return None
        session = secrets.token_hex(8)
        self._sessions.add(session)
        reply = web.Response(status=303, headers={"Location": HOME})
        reply.set_cookie(COOKIE, session, path=HOME, httponly=True)
        return reply
