"""A rules file is read whole or refused with the line that is wrong."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from toolkit.apps.scrape.rules import Field, Rules, load_rules, read_rules
from toolkit.core.errors import UsageError

SHOP = r"""# a shop
parser = "lexbor"
strict = true

[[page]]
name = "listing"
glob = ["/category/*", "https://shop.example/**/sale"]
rows = "article.item"

[page.fields]
name = "h2"
price = ".price | price:EUR"
tags = { css = "li", many = true, re = '(\w+)', filters = ["lower"] }
id = "@data-id | int"
label = "> h2 a::own"
site = { css = "h1", from = "page" }

[[page.follow]]
css = "h2 a"
page = "item"
join = true

[[page.follow]]
name = "more"
css = "a.next"
pagination = true
depth = 3

[[page]]
name = "item"
match = '/item/\d+'

[page.fields]
name = "h1"
weight = { css = "td", cast = "float", default = 0 }

[page.fields."reviews[]"]
css = ".review"
fields = { who = ".who | required", reply = { css = ".reply", fields = { text = "p" } } }

[[follow]]
css = "nav a"
allow = "/public/"
deny = ['\.pdf$', "[?]print"]
domains = ["Shop.Example"]
"""


def load(tmp_path: Path, text: str, parser: str | None = None, fields: tuple[str, ...] = ()) -> Rules:
    path = tmp_path / "rules.toml"
    path.write_text(text, encoding="utf-8")
    return load_rules(path, parser, fields)


def test_load_when_right(tmp_path: Path) -> None:
    """Page types, fields, records and follow rules are what the file says."""
    rules = load(tmp_path, SHOP)
    assert [page.name for page in rules.pages] == ["listing", "item"]
    assert rules.columns[3:] == ("name", "price", "tags", "id", "label", "site", "weight", "reviews")
    kinds = {"name": str, "price": dict, "tags": list, "id": int, "label": str, "site": str, "weight": float}
    assert rules.types == {"url": str, "final_url": str, "status": int, **kinds, "reviews": list}
    assert rules.page("item").fields[1].default == 0.0
    reviews = rules.page("item").fields[2]
    assert (reviews.name, reviews.many, [one.name for one in reviews.fields]) == ("reviews", True, ["who", "reply"])
    join, more = rules.page("listing").follow
    assert (join.name, join.page, join.join) == ("listing 1", "item", True)
    assert (more.pagination, more.depth) == (True, 3)
    assert rules.rule("more") is more
    assert rules.rule("follow 1").domains == ("shop.example",)


def test_rules_when_sent_to_another_process(tmp_path: Path) -> None:
    """They are equal there, and their digest is the same."""
    rules = load(tmp_path, SHOP)
    sent = pickle.loads(pickle.dumps(rules))
    assert sent == rules
    assert hash(sent) == hash(rules)
    assert sent.digest() == rules.digest() == load(tmp_path, "# another comment\n" + SHOP).digest()


@pytest.mark.parametrize(
    ("old", "new"),
    [("price:EUR", "price:USD"), ("glob = [", 'match = "x"\nglob = ['), (".who | required", ".who"), ("depth = 3", ""),
     ('parser = "lexbor"', 'parser = "lxml"'), ("default = 0", "default = 1"), ('"h1", from = "page"', '"h1"')],
)  # fmt: skip
def test_digest_when_the_rules_change(tmp_path: Path, old: str, new: str) -> None:
    """Whatever changes rows or links changes it."""
    assert load(tmp_path, SHOP.replace(old, new)).digest() != load(tmp_path, SHOP).digest()


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("http://h.org/category/a", "listing"),
        ("http://h.org/category/a?page=2", "listing"),
        ("http://h.org/category/a/b", None),
        ("http://h.org/x/category/a", None),
        ("https://shop.example/a/b/sale", "listing"),
        ("http://h.org/item/12", "item"),
        ("http://h.org/item/x", None),
    ],
)
def test_page_for_when_patterned(tmp_path: Path, url: str, page: str | None) -> None:
    """The first page type whose pattern takes the URL; a glob's * stays within a part of the path."""
    found = load(tmp_path, SHOP).page_for(url)
    assert (found.name if found else None) == page


def test_page_for_when_there_is_one_without_a_pattern(tmp_path: Path) -> None:
    """It takes what no page type before it does; [fields] at the top is such a one."""
    rules = load(tmp_path, '[fields]\na = "p"\n[[page]]\nname = "x"\nmatch = "/x"\n[page.fields]\nb = "i"\n')
    assert [page.name for page in rules.pages] == ["x", "page"]
    assert rules.page_for("http://h.org/x") == rules.pages[0]
    assert rules.page_for("http://h.org/y") == rules.pages[1]


def test_refusal_when_a_rule_does_not_lead_there(tmp_path: Path) -> None:
    """allow, deny and domains each have their reason; a domain is its own and what is below it."""
    rule = load(tmp_path, SHOP).rule("follow 1")
    assert rule.refusal("http://shop.example/public/a") is None
    assert rule.refusal("http://www.shop.example/public/a") is None
    assert rule.refusal("http://myshop.example/public/a") == "outside of the rule's domains"
    assert rule.refusal("http://shop.example.org/public/a") == "outside of the rule's domains"
    assert rule.refusal("http://shop.example/a") == "not among what the rule allows"
    assert rule.refusal("http://shop.example/public/a.pdf") == "denied by the rule"


def test_load_when_fields_are_given_too(tmp_path: Path) -> None:
    """They are added to each page type, or stand in for the field of their name."""
    rules = load(tmp_path, SHOP, fields=("name=h3", "extra=em"))
    for page in rules.pages:
        assert page.fields[0] == Field("name", "h3")
        assert page.fields[-1] == Field("extra", "em")


XPATH = '[fields]\na = "p"\nb = { xpath = "//p/@id" }\n'


def test_parser_when_the_rules_have_xpath(tmp_path: Path) -> None:
    """The parser lxml reads it unless another parser is named, which then is an error with the line."""
    assert load(tmp_path, XPATH).parser == "lxml"
    assert load(tmp_path, '[fields]\na = "p"\n').parser == "lexbor"
    assert read_rules(None, ["a=xpath://p"]).parser == "lxml"
    for parser, text in (("bs4", XPATH), (None, 'parser = "bs4"\n' + XPATH)):
        line = 3 + text.count("parser")
        with pytest.raises(
            UsageError, match=rf"rules.toml, line {line}: field 'b': .*not an XPath: bs4 knows no XPath"
        ):
            load(tmp_path, text, parser)


def test_parser_when_asked_for(tmp_path: Path) -> None:
    """What is asked for goes before what the file names."""
    assert load(tmp_path, SHOP, "bs4").parser == "bs4"


PAGE = '[[page]]\nname = "a"\n[page.fields]\n'


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a = ", None, "not TOML"),
        ("", 1, "no page type"),
        ("x = 1", 1, "the file has no 'x': there are parser"),
        ('\nrows = "p"', 2, "rows without fields"),
        ("parser = 1\n[fields]", 1, "parser must be a text in quotes, not 1"),
        ('strict = "x"\n[fields]', 1, "strict must be true or false"),
        ('[page]\nname = "x"', 1, r"two brackets: \[\[page\]\]"),
        ("[[page]]\n[page.fields]", 1, "needs a name"),
        ('[[page]]\nname = "a"\n[[page]]\nname = "a"', 4, "two page types are called 'a'"),
        ('[[page]]\nname = "a"\nmatch = ["x", "("]', 3, "not a regular expression"),
        ('[[page]]\nname = "a"\nrows = ""', 3, "rows is empty"),
        ('[[page]]\nname = "a"\nrows = "p["', 3, "'p\\[' is not a CSS selector"),
        (PAGE + 'x = "p"\ny = "p:nope"', 5, "field 'y': 'p:nope' is not a CSS selector"),
        (PAGE + "x = 1", 4, "a selector in quotes or a table, not 1"),
        (PAGE + 'url = "p"', 4, "every row has a column"),
        (PAGE + 'x = "p"\n"x[]" = "p"', 4, "field 'x' is given twice"),
        (PAGE + '"x y" = "p"', 4, "cannot be the name"),
        (PAGE + 'x = "p | nope"', 4, "no filter is called 'nope'"),
        (PAGE + 'x = "@href"', 4, "the selector is missing"),
        (PAGE + 'x = "> p"', 4, "in a record only"),
        (PAGE + 'x = { cast = "int" }', 4, "name its element"),
        (PAGE + 'x = { css = "p", xpath = "//p" }', 4, "exclude each other"),
        (PAGE + 'x = { css = "p", nope = 1 }', 4, "field 'x' has no 'nope'"),
        (PAGE + 'x = { css = "p", take = "nope" }', 4, "there are text, own"),
        (PAGE + 'x = { css = "p", take = "own", attr = "id" }', 4, "take and attr exclude"),
        (PAGE + 'x = { css = "p", cast = "int", default = "a" }', 4, "is int: its default cannot be 'a'"),
        (PAGE + 'x = { css = "p", re = "(" }', 4, "not a regular expression"),
        (PAGE + 'x = { css = "p", many = "yes" }', 4, "many must be true or false"),
        (PAGE + 'x = { css = "p", fields = { y = "b[" } }', 4, "field 'y': .* not closed"),
        (PAGE + 'x = { css = "p", cast = "int", fields = { y = "b" } }', 4, "cast goes to its own fields"),
        (PAGE + "[page.fields.x]\ncss = 'p'\n[page.fields.x.fields]\ny = 'b | nope'", 7, "no filter"),
        ('[[page]]\nname = "a"\n[[page.follow]]\ncss = "a:nope"', 3, "follow rule 'a 1': 'a:nope' is not"),
        ('[[page]]\nname = "a"\n[[page.follow]]\n\npage = "b"', 3, "no page type is called 'b': there are a"),
        ('[[page]]\nname = "a"\n[[page.follow]]\ndepth = -1', 4, "depth must be a number"),
        ('[[page]]\nname = "a"\n[[page.follow]]\nallow = "("', 4, "allow: .* not a regular expression"),
        ('[[page]]\nname = "a"\n[[page.follow]]\njoin = true\n[[page.follow]]\njoin = true', 6, "one page only"),
        (PAGE + '[[follow]]\nname = "x"\n[[follow]]\nname = "x"', 6, "two follow rules are called 'x'"),
        ('[[page]]\nname = "a"\n[[follow]]\njoin = true', 3, "in a page type only"),
        (PAGE + 'x = "p | int"\n[[page]]\nname = "b"\n[page.fields]\n\nx = "p"', 9, "'x' is str here and int in the"),
        ("strict = true\n" + PAGE + 'x = "p:has(b)"', 5, "leaves the CSS that all parsers read alike at ':has"),
    ],
)  # fmt: skip
def test_load_when_wrong(tmp_path: Path, text: str, line: int | None, what: str) -> None:
    """The message names the file, the line and what to do."""
    place = rf"rules\.toml, line {line}: " if line else r"rules\.toml: "
    with pytest.raises(UsageError, match=rf"(?s){place}.*{what}"):
        load(tmp_path, text)


def test_page_when_rendered(tmp_path: Path) -> None:
    """A page type may ask for a browser, and say what it is to wait for: any CSS that browsers know."""
    text = '[[page]]\nname = "a"\nrender = true\nwait = " li:has(> b) "\n[page.fields]\nt = "h1"\n'
    page = load(tmp_path, text).pages[0]
    assert (page.render, page.wait) == (True, "li:has(> b)")
    plain = load(tmp_path, text.replace("render = true\n", "").replace('wait = " li:has(> b) "\n', ""))
    assert (plain.pages[0].render, plain.pages[0].wait) == (False, "")
    assert plain != load(tmp_path, text.replace('wait = " li:has(> b) "\n', ""))


@pytest.mark.parametrize(
    ("lines", "line", "what"),
    [
        ("render = 1", 3, "render must be true or false"),
        ('wait = "li"', 3, "wait needs render = true"),
        ("render = true\nwait = 3", 4, "wait must be a text"),
        ('render = true\nwait = " "', 4, "wait needs render = true, and says"),
        ('render = true\nwait = "li["', 4, "is not a CSS selector that browsers know"),
        ("render = true\nwait = 'p:lexbor-contains(\"x\")'", 4, "browsers do not know"),
    ],
)
def test_page_when_rendered_wrongly(tmp_path: Path, lines: str, line: int, what: str) -> None:
    """It is refused with its line."""
    with pytest.raises(UsageError, match=f"line {line}: .*{what}"):
        load(tmp_path, f'[[page]]\nname = "a"\n{lines}\n[page.fields]\nt = "h1"\n')


def test_load_when_there_is_no_such_file(tmp_path: Path) -> None:
    """A file that cannot be read, is not text or is far too large is named."""
    with pytest.raises(UsageError, match="the rules cannot be read"):
        load_rules(tmp_path / "none.toml", None, [])
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not UTF-8"):
        load_rules(tmp_path / "b.toml", None, [])
    (tmp_path / "l.toml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(UsageError, match="right file"):
        load_rules(tmp_path / "l.toml", None, [])


def test_xpath_when_in_a_record(tmp_path: Path) -> None:
    """// would look in the whole page, and is nearly always a slip."""
    text = '[[page]]\nname = "a"\nrows = "xpath://li"\n[page.fields]\n{} = "xpath:{}"'
    with pytest.raises(UsageError, match=r"line 5: .*begin with \.//"):
        load(tmp_path, text.replace("{}", "x", 1).replace("{}", "//a"))
    assert load(tmp_path, text.replace("{}", "x", 1).replace("{}", ".//a")).pages[0].rows_xpath
