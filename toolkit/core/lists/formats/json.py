"""JSON: an array of strings or objects, or an object one field of which is such an array; read an item at a time."""

from __future__ import annotations

import io
from collections.abc import Iterator

from toolkit.core.errors import RunStopped
from toolkit.core.lists.entry import Entry
from toolkit.core.lists.objects import Objects
from toolkit.core.lists.opening import as_text
from toolkit.core.lists.scanner import Scanner


def read(file: io.BufferedReader, url_column: str | None) -> Iterator[Entry]:
    """Yield an entry for each item, with its number in the array; raises RunStopped where the document breaks off."""
    with as_text(file) as text:
        yield from _document(Scanner(text), Objects(url_column))


def _document(scanner: Scanner, objects: Objects) -> Iterator[Entry]:
    if scanner.peek() == "{":
        yield from _only_array(scanner, objects)
    elif scanner.peek() == "[":
        yield from _array(scanner, objects)
    else:
        raise scanner.stopped("neither an array nor an object")
    if scanner.peek():
        raise scanner.stopped("more after the end; if the file has a value a line, call it .jsonl")


def _array(scanner: Scanner, objects: Objects) -> Iterator[Entry]:
    scanner.take("[")
    if scanner.peek() == "]":
        scanner.take("]")
        return
    number = 0
    while True:
        number += 1
        yield objects.entry(number, scanner.value())
        if scanner.take(",]") == "]":
            return


def _only_array(scanner: Scanner, objects: Objects) -> Iterator[Entry]:
    """Yield the items of the one array among an object's fields; empty ones do not count."""
    count, found = 0, False
    scanner.take("{")
    mark = scanner.take("}") if scanner.peek() == "}" else ","
    while mark == ",":
        if scanner.peek() != '"':
            raise scanner.stopped("not JSON: the name of a field is no string")
        scanner.value()
        scanner.take(":")
        if scanner.peek() != "[":
            scanner.value()
        else:
            before, found = count, True
            for entry in _array(scanner, objects):
                if before:
                    raise scanner.stopped("a second array: the list must be the only one")
                count += 1
                yield entry
        mark = scanner.take(",}")
    if not found:
        raise RunStopped("no array in it; if the file has an object a line, call it .jsonl")
