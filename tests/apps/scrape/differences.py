"""Where the parsers' trees differ, so that rows may; the documentation's table is made of this."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs, a page and selector that show it, and the texts that each parser finds."""

    what: str
    page: str
    selector: str
    lexbor: list[str]
    lxml: list[str]
    bs4: list[str]

    @property
    def answers(self) -> dict[str, list[str]]:
        """Return the texts by parser."""
        return {"lexbor": self.lexbor, "lxml": self.lxml, "bs4": self.bs4}


DIFFERENCES = [
    Difference("HTML 5 adds a `tbody`", "<table><tr><td>1</table>", "table > tbody", ["1"], [], []),
    Difference("HTML 5 always has a `head`", "<!doctype html><p>x", ":root > *", ["", "x"], ["x"], ["x"]),
    Difference("a stray `</p>` is an empty paragraph", "<p>a<div>b</div></p>", "p", ["a", ""], ["a"], ["a"]),
    Difference("newer elements end a paragraph", "<p>a<section>b</section>", "p", ["a"], ["a b"], ["a b"]),
    Difference("without a doctype, classes have no case", "<div class=Foo>x</div>", ".foo", ["x"], [], []),
    Difference("misnested formatting is opened again", "<b><p>x</b>y</p>", "p b", ["x"], [], []),
    Difference(
        "text in a table moves in front of it", "<div><table>x<tr><td>1</table></div>", "table", ["1"], ["x 1"], ["x 1"]
    ),
    Difference("`:empty` with white space inside", "<!doctype html><i> </i>", "i:empty", [], [], [""]),
    Difference("the root may be nobody's child", "<!doctype html><p>x</p>", "html:first-child", [], ["x"], ["x"]),
    Difference(
        "an attribute without a value",
        "<!doctype html><button disabled>x</button>",
        "[disabled=disabled]",
        [],
        ["x"],
        [],
    ),
    Difference("some attribute values have no case", "<!doctype html><p type=A>x</p>", "[type=a]", ["x"], [], ["x"]),
]


def table() -> str:
    """Return the documentation's table."""
    lines = ["| where trees differ | page | selector | `lexbor` | `lxml` | `bs4` |", "|---|---|---|---|---|---|"]
    for one in DIFFERENCES:
        answers = [
            ", ".join(f"`{text}`" if text else "(empty)" for text in found) or "—" for found in one.answers.values()
        ]
        lines.append(f"| {one.what} | `{one.page}` | `{one.selector}` | {' | '.join(answers)} |")
    return "\n".join(lines)
