"""Where a scrape begins: the pages on this disk, and the lines of the user's lists, each with a place of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from toolkit.apps.scrape.localfiles import Finding, LocalPage, Passed, find_pages
from toolkit.apps.scrape.owncolumns import OwnColumns
from toolkit.apps.scrape.visit import Visit
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.lists import Columns, Line, Seen, read_urls
from toolkit.core.task import Failure, Skip, Task, failure_of
from toolkit.core.urls import lane_of, wire_url

PRIVATE = frozenset({"header", "headers", "cookie", "cookies", "authorization", "auth", "password", "token"})
"""Columns of lists that are for requests, and private: they are never carried into rows."""

Start = Task[Visit] | Skip | Failure | None


def starts(
    files: Sequence[str],
    lists: Sequence[str],
    owned: OwnColumns,
    *,
    base_url: str | None = None,
    url_column: str | None = None,
) -> Iterator[Start]:
    """Yield a task for each, a Skip for one seen before, a Failure for a line that is no URL; None for "none yet".

    files: pages and folders of pages, which stood at base_url; lists: URLs and lists of them, whose own columns are
    named by owned.
    """
    seen = Seen()
    index = 0
    for finding in find_pages(files, base_url):
        yield _on_disk(finding, index, seen)
        index += 1
    for line in read_urls(lists, url_column):
        if line is None:
            yield None
            continue
        yield _planned(line, index, seen, owned.of(_public(line.columns)))
        index += 1


def _public(columns: Columns) -> Columns:
    return tuple((name, value) for name, value in columns if name.strip().lower() not in PRIVATE)


def _on_disk(finding: Finding, index: int, seen: Seen) -> Task[Visit] | Skip | Failure:
    """Return the task for a page on this disk; its name is its path, and the rule says where it stood."""
    if isinstance(finding, LocalPage):
        visit = Visit(finding.url, kind="file", name=finding.path, rule=finding.base)
        if seen.add(finding.url):
            return Task(finding.url, visit, index=index)
        return Skip(Task(f"{finding.url} ({finding.path}, {index + 1})", visit, index=index), "duplicate")
    task = Task(f"file {finding.path}", Visit(finding.path, kind="file"), index=index)
    if isinstance(finding, Passed):
        return Skip(task, finding.reason)
    return Failure(task, FailureKind.INPUT, finding.message)


def _planned(line: Line, index: int, seen: Seen, columns: Columns) -> Task[Visit] | Skip | Failure:
    key = line.where if line.bad else line.text.partition("#")[0] or line.text
    try:
        url = _url_of(line)
    except TaskError as error:
        if seen.add(key):
            return replace(failure_of(Task(key, Visit(key), index=index), error), message=f"{line.where}: {error}")
    else:
        if seen.add(url):
            return Task(key, Visit(url, columns=columns, name="" if key == url else key), lane_of(url), index=index)
    # Not the plain key: that is the first one's, whose place in the output must stay.
    return Skip(Task(f"{key} ({line.where})", Visit(key), index=index), "duplicate")


def _url_of(line: Line) -> str:
    if line.bad:
        raise TaskError(FailureKind.INPUT, line.bad)
    return wire_url(line.text)
