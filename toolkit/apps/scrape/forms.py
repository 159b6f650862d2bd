"""Forms as browsers send them: which controls count, what each says, and in what letters (HTML standard, 4.10.21)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolkit.apps.scrape.encodings import codec_of, decode
from toolkit.apps.scrape.parsers import Document, Parser
from toolkit.apps.scrape.text import tidy
from toolkit.apps.scrape.urlencoded import Pair, label_of, urlencoded
from toolkit.apps.scrape.urls import base_of, resolve
from toolkit.core import plugins

CONTROLS = "input, select, textarea, button"
SUBMIT = frozenset({"submit", "image"})
SILENT = frozenset({"button", "reset"})
"""Types of buttons that send nothing."""


class FormError(ValueError):
    """The page has no such form, or the form no such field; the message says which, and names no value."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A form that is filled in. url: where it goes, its action's own query and fragment left out for GET.

    method: GET or POST. data: its pairs as one text, ready to send.
    """

    url: str
    method: str
    data: bytes = field(repr=False)


def fill(page: bytes, charset: str | None, url: str, *, parser: str, form: str, values: tuple[Pair, ...]) -> Filled:
    """Return a page's form with values put in, and everything else as the page has it; raises FormError.

    charset: HTTP's label or None. form: its selector, "" for the first that has a password field. Always sent
    urlencoded, with the first submit button, or the one that values name.
    """
    text, encoding = decode(page, charset)
    seen = _Page(text, parser)
    chosen = seen.form(form)
    names = [name for name, _ in values]
    for name in names:
        if name not in chosen.names:
            raise FormError(f"its form has no field {name!r} (it has: {', '.join(chosen.names) or 'none'})")
    button = chosen.button(names)
    label = label_of(chosen.says("accept-charset") or "", encoding)
    data = urlencoded(chosen.pairs(values, button, label), label)
    action = (button and button.says("formaction")) or chosen.says("action") or ""
    method = (button and button.says("formmethod")) or chosen.says("method") or ""
    codec = codec_of(encoding)
    target = resolve(base_of(url, seen.base, codec), action, codec) if action.strip() else url
    target = target.partition("#")[0]
    if method.strip().lower() != "post":
        return Filled(target.partition("?")[0], "GET", data)
    return Filled(target, "POST", data)


def has_match(page: bytes, charset: str | None, parser: str, selector: str) -> bool:
    """Tell whether a page has what a selector means."""
    loaded = _parser(parser)
    return loaded.parse(decode(page, charset)[0]).first(loaded.compile(selector)) is not None


class _Control:
    """One control of a form."""

    def __init__(self, document: Document, node: Any, *, disabled: bool) -> None:
        self._document = document
        self.node = node
        self.name = self.says("name") or ""
        self.tag = document.tag(node)
        self.type = (self.says("type") or ("submit" if self.tag == "button" else "text")).strip().lower()
        self.disabled = disabled or self.says("disabled") is not None

    def says(self, name: str) -> str | None:
        return self._document.attribute(self.node, name)

    @property
    def sends(self) -> bool:
        """Whether it is a button that sends the form."""
        return self.tag in ("button", "input") and self.type in SUBMIT

    def values(self, options: Sequence[Any]) -> list[str]:
        """Return what it says by itself; nothing if it is not on."""
        if self.tag == "select":
            return self._selected(options)
        if self.tag == "textarea":
            return [self._document.pre(self.node)]
        if self.type in ("checkbox", "radio"):
            value = self.says("value")
            return [] if self.says("checked") is None else ["on" if value is None else value]
        if self.type == "file":
            return [""]
        return [self.says("value") or ""]

    def _selected(self, options: Sequence[Any]) -> list[str]:
        said = self._document.attribute
        usable = [each for each in options if said(each, "disabled") is None]
        chosen = [each for each in usable if said(each, "selected") is not None]
        if self.says("multiple") is None:
            chosen = chosen[-1:] or ([] if (self.says("size") or "1").strip() not in ("", "0", "1") else usable[:1])
        return [tidy(self._document.text(each)) if (value := said(each, "value")) is None else value for each in chosen]


class _Form:
    """One form and its controls, in the order of the page."""

    def __init__(self, page: _Page, node: Any) -> None:
        self._page = page
        self.node = node
        self.controls: list[_Control] = []

    def says(self, name: str) -> str | None:
        return self._page.document.attribute(self.node, name)

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(each.name for each in self.controls if each.name))

    @property
    def asks_for_a_password(self) -> bool:
        return any(each.tag == "input" and each.type == "password" for each in self.controls)

    def button(self, wanted: list[str]) -> _Control | None:
        """Return the button that is pressed: the first, unless another is wanted by name."""
        buttons = [each for each in self.controls if each.sends and not each.disabled]
        return next((each for each in buttons if each.name in wanted), next(iter(buttons), None))

    def pairs(self, values: tuple[Pair, ...], button: _Control | None, label: str) -> Iterator[Pair]:
        """Yield what the form says; what is given stands where the first control of its name does."""
        given = {name for name, _ in values}
        left = set(given)
        for each in self.controls:
            if each.name in given:
                if each.name in left:
                    left.discard(each.name)
                    yield from ((name, value) for name, value in values if name == each.name)
            elif not each.disabled and each.type not in SILENT and (not each.sends or each is button):
                yield from self._own(each, label)

    def _own(self, each: _Control, label: str) -> Iterator[Pair]:
        if each.sends and each.type == "image":
            prefix = f"{each.name}." if each.name else ""
            yield from ((f"{prefix}{axis}", "0") for axis in "xy")
        elif each.name == "_charset_" and each.type == "hidden":
            yield each.name, label
        elif each.name:
            options = self._page.options(each.node) if each.tag == "select" else ()
            for value in each.values(options):
                yield each.name, value


class _Page:
    """A page's forms, with each control in the form that it belongs to, wherever that stands."""

    def __init__(self, text: str, parser: str) -> None:
        self._parser: Parser = _parser(parser)
        self.document: Document = self._parser.parse(text)
        bases = self.document.attributes(self._parser.compile("base[href]"), "href", first=True)
        self.base = next(iter(bases), None)
        self.forms: list[_Form] = []
        self._read()

    def options(self, node: Any) -> Sequence[Any]:
        return self.document.find(self._parser.compile("option", within=True), node)

    def form(self, selector: str) -> _Form:
        """Return the form that a selector means, or the first with a password field; raises FormError."""
        if not selector:
            found = next((each for each in self.forms if each.asks_for_a_password), None)
            if found is None:
                raise FormError("the page has no form with a password field")
            return found
        node = self.document.first(self._parser.compile(selector))
        if node is None:
            raise FormError(f"the page has no {selector!r}")
        if self.document.tag(node) != "form":
            raise FormError(f"{selector!r} is no form")
        markup = self.document.outer(node)  # parsers give a node anew each time it is looked up
        return next(each for each in self.forms if self.document.outer(each.node) == markup)

    def _read(self) -> None:
        """Deal the controls out: they come in the order of the page, so those in an element are the next so many.

        A form that is empty has been put into a table wrongly: the parser has closed it, but what follows is its own.
        """
        document, controls = self.document, self._parser.compile(CONTROLS, within=True)
        form: _Form | None = None
        inside = shut = open_again = 0
        lost = False
        strays: list[tuple[str, _Control]] = []
        for node in document.find(self._parser.compile(f"form, fieldset[disabled], {CONTROLS}")):
            match document.tag(node):
                case "form":
                    form = _Form(self, node)
                    self.forms.append(form)
                    inside = len(document.find(controls, node))
                    lost = inside == 0
                    continue
                case "fieldset":
                    shut = max(shut, len(document.find(controls, node)))
                    open_again = self._in_legend(node, controls)
                    continue
            control = _Control(document, node, disabled=shut > 0 and open_again <= 0)
            shut, open_again = shut - 1, open_again - 1
            owner = control.says("form")
            if owner is not None:
                strays.append((owner, control))
            elif form is not None and (inside > 0 or lost):
                form.controls.append(control)
            inside -= 1
        for owner, control in strays:
            for each in self.forms:
                if owner and each.says("id") == owner:
                    each.controls.append(control)
                    break

    def _in_legend(self, fieldset: Any, controls: Any) -> int:
        """Return how many controls a switched-off group leaves on: those of its heading."""
        first = next(iter(self.document.children(fieldset)), None)
        if first is None or self.document.tag(first) != "legend":
            return 0
        return len(self.document.find(controls, first))


def _parser(name: str) -> Parser:
    parser: Parser = plugins.load("toolkit.apps.scrape.parsers", name, "parser")
    return parser
