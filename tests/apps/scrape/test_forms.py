"""Forms are filled in and sent as browsers do it, whatever the parser."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from toolkit.apps.scrape.forms import Filled, FormError, fill, has_match
from toolkit.core import plugins

URL = "https://shop.test/in/login?next=/"
PASSWORD = "<input name=user><input type=password name=word>"


@pytest.fixture(params=plugins.names("toolkit.apps.scrape.parsers"))
def parser(request: pytest.FixtureRequest) -> str:
    """Return each parser in turn."""
    return str(request.param)


def filled(
    html: str, parser: str, form: str = "", charset: str | None = "utf-8", codec: str = "utf-8", **values: str
) -> Filled:
    page = f"<!doctype html><title>t</title><body>{html}".encode(codec)
    return fill(page, charset, URL, parser=parser, form=form, values=tuple(values.items()))


def pairs(html: str, parser: str, **values: str) -> list[tuple[str, str]]:
    done = filled(f"<form method=post>{html}{PASSWORD}</form>", parser, **values)
    return parse_qsl(done.data.decode(), keep_blank_values=True)[:-2]


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ('<input type=hidden name=csrf value="a&amp;b c">', [("csrf", "a&b c")]),
        ("<input name=empty><input value=nameless><input name='' value=x>", [("empty", "")]),
        ("<input type=HIDDEN name=a value=1 disabled>", []),
        ("<input type=checkbox name=a checked><input type=checkbox name=b value=2 checked>", [("a", "on"), ("b", "2")]),
        ("<input type=checkbox name=a><input type=radio name=r value=1><input type=radio name=r value=2 checked>",
         [("r", "2")]),
        ("<select name=s><option>one  <b>1</b><option value=2>two</select>", [("s", "one 1")]),
        ("<select name=s><option value=1><option value=2 selected><option value=3></select>", [("s", "2")]),
        ("<select name=s><option disabled>no<option>yes</select>", [("s", "yes")]),
        ("<select name=s multiple><option>a<option selected>b<option selected>c</select>", [("s", "b"), ("s", "c")]),
        ("<select name=s multiple><option>a</select><select name=t size=4><option>a</select>", []),
        ("<select name=s></select>", []),
        ("<textarea name=t>\nA\nB&amp;</textarea>", [("t", "A\r\nB&")]),
        ("<button type=button name=a value=1></button><input type=reset name=b>", []),
        ("<button name=go value=1>Go</button><input type=submit name=b value=2>", [("go", "1")]),
        ("<input type=submit value=Go><input type=submit name=b value=2>", []),
        ("<button name=a value=1 disabled></button><input type=submit name=b value=2>", [("b", "2")]),
        ("<input type=image name=i><input type=submit name=b>", [("i.x", "0"), ("i.y", "0")]),
        ("<input type=image src=x>", [("x", "0"), ("y", "0")]),
        ("<input type=file name=f>", [("f", "")]),
        ("<input type=hidden name=_charset_ value=x>", [("_charset_", "utf-8")]),
        ("<fieldset disabled><legend><input name=a></legend><input name=b></fieldset><input name=c>",
         [("a", ""), ("c", "")]),
        ("<fieldset disabled><input name=b></fieldset><input name=c>", [("c", "")]),
        ("<fieldset disabled><p><legend><input name=a></legend></fieldset>", []),
    ],
)  # fmt: skip
def test_successful_controls_are_sent(parser: str, html: str, said: list[tuple[str, str]]) -> None:
    """And no others; in the order of the page."""
    assert pairs(html, parser) == said


def test_values_stand_where_their_controls_do(parser: str) -> None:
    """Once, whatever the control says itself, and however many there are of the name."""
    html = (
        "<input type=radio name=r value=1><input type=hidden name=csrf value=c><input type=checkbox name=keep>"
        "<input type=radio name=r value=2 checked><textarea name=t disabled>old</textarea>"
    )
    assert pairs(html, parser, keep="yes", r="3", t="") == [("r", "3"), ("csrf", "c"), ("keep", "yes"), ("t", "")]


def test_button_can_be_chosen_by_name(parser: str) -> None:
    """Another than the first; it may have a target of its own."""
    html = "<button name=a value=1></button><button name=b value=2 formaction=/b formmethod=POST></button>"
    done = filled(f"<form>{html}{PASSWORD}</form>", parser, b="2")
    assert (done.method, done.url, done.data) == ("POST", "https://shop.test/b", b"b=2&user=&word=")


def test_name_that_is_not_there_is_told_with_those_that_are(parser: str) -> None:
    """Without any value."""
    html = f"<form><input type=hidden name=csrf value=s3cret>{PASSWORD}<input name=user></form>"
    with pytest.raises(FormError) as caught:
        filled(html, parser, user="ann", pin="1234")
    assert str(caught.value) == "its form has no field 'pin' (it has: csrf, user, word)"


@pytest.mark.parametrize(
    ("html", "form", "said"),
    [
        (f"<form><input name=q></form><form>{PASSWORD}</form>", "", "user=&word="),
        (f"<form id=a><input name=q></form><form>{PASSWORD}</form>", "#a", "q="),
        (f"<form><input name=q></form><form><input name=z></form><p class=f>{PASSWORD}", "form + form", "z="),
        (f"<form>{PASSWORD}</form><form>{PASSWORD}<input name=second></form>", "", "user=&word="),
        (f"<form id=f><input name=a></form>{PASSWORD}<input form=f name=b><input form=g name=c>", "#f", "a=&b="),
        (f"<form id=f></form><div><input form=f type=password name=p></div><form>{PASSWORD}</form>", "", "p="),
        (f"<table><form><tr><td>{PASSWORD}</td></tr></form></table><form><input name=q></form>", "", "user=&word="),
        (f"<form><input name=x form=g>{PASSWORD}</form><form id=g></form>", "", "user=&word="),
    ],
)
def test_form_is_the_one_that_is_meant(parser: str, html: str, form: str, said: str) -> None:
    """By its selector, or by its password field; controls are its own wherever they stand."""
    assert filled(html, parser, form).data.decode() == said


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("", "the page has no form with a password field"),
        ("#no", "the page has no '#no'"),
        ("p", "'p' is no form"),
    ],
)
def test_form_that_is_not_there_is_told(parser: str, form: str, words: str) -> None:
    """And what there is instead."""
    with pytest.raises(FormError, match=words):
        filled("<p><form><input name=q></form>", parser, form)


@pytest.mark.parametrize(
    ("html", "method", "target"),
    [
        ("<form method=post>", "POST", "https://shop.test/in/login?next=/"),
        ("<form method=post action=''>", "POST", "https://shop.test/in/login?next=/"),
        ("<form method=POST action=do?x=1#f>", "POST", "https://shop.test/in/do?x=1"),
        ("<form method=post action=' //other.test/x '>", "POST", "https://other.test/x"),
        ("<form method=post action='javascript:go()'>", "POST", "javascript:go()"),
        ("<base href=/b/><form method=post action=do>", "POST", "https://shop.test/b/do"),
        ("<base href=/b/><form method=post>", "POST", "https://shop.test/in/login?next=/"),
        ("<form action=do?x=1#f>", "GET", "https://shop.test/in/do"),
        ("<form method=dialog>", "GET", "https://shop.test/in/login"),
    ],
)
def test_form_goes_where_its_action_says(parser: str, html: str, method: str, target: str) -> None:
    """Relative to the page's base; a form without one goes back to the page itself."""
    done = filled(f"{html}{PASSWORD}</form>", parser)
    assert (done.method, done.url) == (method, target)


@pytest.mark.parametrize(
    ("codec", "charset", "accepts", "sent"),
    [
        ("utf-8", "utf-8", "", "user=%C3%A4%E2%82%AC+~%26%2B*-._"),
        ("cp1252", "latin1", "", "user=%E4%80+~%26%2B*-._"),
        ("cp1251", "windows-1251", "", "user=%26%23228%3B%88+~%26%2B*-._"),
        ("utf-16", None, "", "user=%C3%A4%E2%82%AC+~%26%2B*-._"),
        ("utf-8", "utf-8", "nonsense, iso-8859-15", "user=%E4%A4+~%26%2B*-._"),
        ("gbk", "gb2312", "", "user=%810%8A1%A2%E3+~%26%2B*-._"),
    ],
)
def test_form_is_sent_in_its_pages_encoding(parser: str, codec: str, charset: str, accepts: str, sent: str) -> None:
    """Or in the one that it accepts; what that has no sign for goes as a reference, as browsers send it."""
    html = f"<form accept-charset='{accepts}'>{PASSWORD}</form>"
    done = filled(html, parser, charset=charset, codec=codec, user="ä€ ~&+*-._")
    assert done.data.decode() == sent.replace("~", "%7E") + "&word="


def test_nothing_that_is_filled_in_shows(parser: str) -> None:
    """Neither in a repr."""
    assert "s3cret" not in repr(filled(f"<form>{PASSWORD}</form>", parser, word="s3cret"))


def test_match_is_found_or_not(parser: str) -> None:
    """In a page of any encoding."""
    page = "<a class=out>Abmelden</a>".encode("utf-16")
    assert has_match(page, None, parser, "a.out")
    assert not has_match(page, None, parser, "a.in")
