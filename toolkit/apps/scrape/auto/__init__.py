"""What a page says by itself, without a rule: title, metadata, structured data, links, images, tables, main text."""

from toolkit.apps.scrape.auto.parts import PARTS, TYPES, check_parts, parse_parts, usual_parts
from toolkit.apps.scrape.auto.read import Auto, auto_fields, read_auto

__all__ = ["PARTS", "TYPES", "Auto", "auto_fields", "check_parts", "parse_parts", "read_auto", "usual_parts"]
