"""Snippets for web pages: order of formats, widths, URLs and hostile names."""

from __future__ import annotations

import os
from html.parser import HTMLParser

from toolkit.apps.resize.result import Output
from toolkit.apps.resize.srcset import page, snippet


def made(name: str, width: int, height: int = 10) -> Output:
    """Return an output whose format its suffix tells."""
    form = name.rpartition(".")[2].replace("jpg", "jpeg")
    return Output(name, form, 100, width, height)


class Reading(HTMLParser):
    """Collects what a browser would find."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.comments: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_comment(self, data: str) -> None:
        """Keep a comment."""
        self.comments.append(data)


def test_snippet_offers_modern_formats_first_and_every_width() -> None:
    """AVIF, then WebP, then an <img> in JPEG; widths rise; the box is that of the largest."""
    outputs = [made(f"a-{w}.{form}", w, w // 2) for form in ("jpg", "webp", "avif") for w in (640, 320, 1280)]
    assert snippet("A cat", outputs) == (
        "<picture>\n"
        '  <source type="image/avif" srcset="a-320.avif 320w, a-640.avif 640w, a-1280.avif 1280w" sizes="100vw">\n'
        '  <source type="image/webp" srcset="a-320.webp 320w, a-640.webp 640w, a-1280.webp 1280w" sizes="100vw">\n'
        '  <img src="a-1280.jpg" srcset="a-320.jpg 320w, a-640.jpg 640w, a-1280.jpg 1280w" sizes="100vw"'
        ' width="1280" height="640" alt="A cat" loading="lazy">\n'
        "</picture>"
    )


def test_snippet_takes_what_there_is_when_no_jpeg_or_png_was_made() -> None:
    """WebP is then the fallback, and is not offered twice."""
    tags = Reading(snippet("", [made("a.webp", 5), made("a.avif", 5)])).tags
    assert [(tag, facts.get("type")) for tag, facts in tags[1:]] == [("source", "image/avif"), ("img", None)]
    assert tags[-1][1]["src"] == "a.webp"


def test_snippet_offers_no_second_format_that_every_browser_knows() -> None:
    """A <source> in PNG or TIFF would win over the JPEG in every browser, or in those that need it least."""
    tags = Reading(snippet("", [made("a.tiff", 5), made("a.png", 5), made("a.jpg", 5)])).tags
    assert [tag for tag, _ in tags] == ["picture", "img"]
    assert tags[-1][1]["src"] == "a.jpg"


def test_snippet_names_a_width_once_when_two_outputs_have_it() -> None:
    """What was not enlarged has one width under several names; a srcset with it twice is not valid."""
    tags = Reading(snippet("", [made("a-640.png", 300), made("a-1280.png", 300)])).tags
    assert tags[-1][1]["srcset"] == "a-640.png 300w"


def test_names_are_urls_and_text_is_escaped() -> None:
    """Spaces, commas, quotes, signs of URLs, other scripts and bytes that are no UTF-8."""
    (*_, (_, facts)) = Reading(snippet('"><script>', [made('a b/c,d"#?é%:.jpg', 5)])).tags
    assert facts["src"] == "a%20b/c%2Cd%22%23%3F%C3%A9%25%3A.jpg"
    assert facts["alt"] == '"><script>'
    assert 'src="%FF.jpg"' in snippet("", [made(os.fsdecode(b"\xff.jpg"), 5)])


def test_page_names_each_picture_and_no_name_ends_its_comment() -> None:
    """One comment and one element a picture; those without outputs are left out."""
    rows = [("x/my_cat.jpg", [made("my_cat.jpg", 5)]), ("none.jpg", []), ("--><b>\n.png", [made("b.png", 5)])]
    read = Reading("".join(page(rows)))
    assert [tag for tag, _ in read.tags] == ["picture", "img"] * 2
    assert read.tags[1][1]["alt"] == "my cat"
    assert [comment.strip() for comment in read.comments] == ["x/my_cat.jpg", "--&gt;&lt;b&gt;\\n.png"]
