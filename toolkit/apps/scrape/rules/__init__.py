"""Rules: which rows a page has, where each field is found and which links are followed; checked when they are read."""

from toolkit.apps.scrape.rules.files import load_rules, read_rules
from toolkit.apps.scrape.rules.links import Link
from toolkit.apps.scrape.rules.model import FACTS, Field, Follow, PageType, Rules, Value
from toolkit.apps.scrape.rules.read import Problem, Reading, complete, extract, read_page
from toolkit.apps.scrape.rules.short import parse_field

__all__ = [
    "FACTS",
    "Field",
    "Follow",
    "Link",
    "PageType",
    "Problem",
    "Reading",
    "Rules",
    "Value",
    "complete",
    "extract",
    "load_rules",
    "parse_field",
    "read_page",
    "read_rules",
]
