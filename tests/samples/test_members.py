"""The members' room lets in who fills in its form, and nobody else; no link of the shop leads there."""

from __future__ import annotations

import requests

from samples.make_site import apart, pages
from samples.members import HOME, LOGIN, NAME, PASSWORD
from tests.samples.asking import Asker

FORM = {"form": "members", "user": NAME, "password": PASSWORD}


def test_stranger_is_sent_to_the_form(ask: Asker) -> None:
    """Every page of the room leads there, also one that does not exist; the form itself is for all."""
    for path in (HOME, "/members/none.html"):
        reply = ask(path)
        assert (reply.status, reply.headers["Location"]) == (302, LOGIN)
    assert b'type="password"' in ask(LOGIN).body


def test_member_is_let_in(ask: Asker) -> None:
    """The cookie that the form brings opens the room, and only it does."""
    at = ask.server.url.rstrip("/")
    with requests.Session() as session:
        reply = session.post(at + LOGIN, FORM, timeout=5)
        assert [each.status_code for each in (*reply.history, reply)] == [303, 200]
        assert 'class="greeting"' in reply.text
        assert session.get(f"{at}/members/none.html", timeout=5).status_code == 404
    assert ask(HOME, Cookie="member=guessed").status == 302


def test_wrong_words_bring_the_form_again(ask: Asker) -> None:
    """With 200, as from most sites; and no cookie. What the form has by itself must be there, too."""
    for wrong in ({"password": "guessed"}, {"user": ""}, {"form": ""}):
        reply = requests.post(ask.server.url.rstrip("/") + LOGIN, FORM | wrong, timeout=5)
        assert (reply.status_code, "Set-Cookie" in reply.headers) == (200, False)
        assert 'type="password"' in reply.text


def test_form_is_sent_elsewhere(ask: Asker) -> None:
    """Only the form takes a POST."""
    assert ask("/", "POST").status == 405
    assert ask(HOME, "POST").status == 405


def test_pages_apart_are_served(ask: Asker) -> None:
    """They are no pages that a crawl could find; what the script asks for is there."""
    assert not apart().keys() & pages().keys()
    assert not any(b"/members/" in page or b"/live/" in page for page in pages().values())
    assert b"/files/catalogue.json" in ask("/live/").body
    assert ask("/files/catalogue.json").status == 200


def test_page_is_asked_for_again(ask: Asker) -> None:
    """A page that is what it was is not sent again: so caches have something to confirm."""
    tag = ask("/item/cat-poster.html").headers["ETag"]
    assert ask("/item/cat-poster.html", If_None_Match=tag).status == 304
