"""What the options of a scrape mean: each is read here, and refused if it cannot be used."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from toolkit.apps.scrape.catalogue import visits_of
from toolkit.apps.scrape.moments import parse_since
from toolkit.apps.scrape.options import ScrapeOptions
from toolkit.apps.scrape.rules import Follow, Rules, load_rules, read_rules
from toolkit.apps.scrape.rules.check import check
from toolkit.apps.scrape.scope import Scope, check_patterns
from toolkit.apps.scrape.visit import Visit
from toolkit.core.errors import TaskError, UsageError


def rules_of(options: ScrapeOptions) -> Rules:
    """Return the rules that the options name; raises UsageError."""
    if options.rules is not None:
        rules = load_rules(options.rules, options.parser, options.field)
    else:
        rules = read_rules(options.parser, options.field)
        if options.auto is not None and not options.field:  # the parts are the columns
            rules = Rules(rules.parser, (replace(rules.pages[0], fields=()),))
        if options.render:
            rules = replace(rules, pages=tuple(replace(page, render=True) for page in rules.pages))
    _check_render(rules, options)
    if not options.follow:
        return rules
    added = tuple(Follow(f"--follow {selector}", selector) for selector in options.follow)
    return check(replace(rules, follow=(*rules.follow, *added)), lambda _: "", strict=False)


def _check_render(rules: Rules, options: ScrapeOptions) -> None:
    asking = [page.name for page in rules.pages if page.render]
    if asking and not options.render:
        raise UsageError(
            f"page type {asking[0]!r} is to be rendered, which runs its scripts in a browser: give --render"
        )
    if options.render and not asking:
        raise UsageError("--render: no page type of the rules asks for it: write render = true where it is needed")
    if asking:
        from toolkit.apps.scrape.rendering.chromium import check_render

        check_render()


def scope_of(options: ScrapeOptions) -> Scope:
    """Return how far links may lead; raises UsageError."""
    check_patterns("allow", options.allow)
    check_patterns("deny", options.deny)
    for name in ("max_depth", "max_per_host", "limit"):
        value = getattr(options, name)
        if value is not None and value < (name != "max_depth"):
            raise UsageError(f"--{name.replace('_', '-')} {value}: give a number from {int(name != 'max_depth')}")
    for domain in options.domain:
        if not re.fullmatch(r"[A-Za-z0-9.-]+", domain):
            raise UsageError(f"--domain {domain!r}: give a host, such as example.org")
    domains = frozenset(domain.lower().strip(".") for domain in options.domain)
    return Scope(domains, options.allow, options.deny, options.max_depth)


def catalogues_of(options: ScrapeOptions) -> list[Visit]:
    """Return the sitemaps and feeds to fetch; raises UsageError."""
    try:
        return visits_of(options.sitemap, options.feed)
    except TaskError as error:
        raise UsageError(f"--sitemap or --feed: {error}") from error


def since_of(options: ScrapeOptions) -> datetime | None:
    """Return the moment; raises UsageError."""
    text = options.since
    if text is not None and not (options.sitemap or options.feed):
        raise UsageError(f"--since {text!r} is about sitemaps and feeds: name one with --sitemap or --feed")
    try:
        return None if text is None else parse_since(text)
    except ValueError as error:
        raise UsageError(f"--since {text!r}: {error}") from error


def user_agent_of(options: ScrapeOptions) -> str:
    """Return the User-Agent to send: honest, and with a contact if there is one; raises UsageError."""
    from toolkit import __version__

    contact = f" (+{options.contact})" if options.contact else ""
    agent = options.user_agent or f"toolkit/{__version__}{contact}"
    if not re.fullmatch(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?", agent):
        raise UsageError(f"{agent!r} cannot be sent as a User-Agent: use plain ASCII letters and signs")
    return agent
