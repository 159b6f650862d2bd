"""PDFs of pages that are JPEGs: every object stands where the table says."""

from __future__ import annotations

import io
import re

from toolkit.apps.resize.pdf import Book


def test_objects_stand_where_the_table_says() -> None:
    """A reader goes from the end to the table, and from there to each object; streams have the length they tell."""
    file, pages = io.BytesIO(), [b"\xff\xd8 one endobj \xff\xd9", b"\xff\xd8 two\n\xff\xd9"]
    book = Book(file)
    for jpeg in pages:
        book.page(jpeg, 200, 100)
    book.close()
    data = file.getvalue()
    at = int(data.split(b"startxref\n")[1].split()[0])
    table = data[at:].split(b"trailer")[0].splitlines()
    assert table[:2] == [b"xref", b"0 9"]
    assert {len(line) for line in data[at:].split(b"trailer")[0].splitlines(keepends=True)[2:]} == {20}
    objects = [data[int(line[:10]) :] for line in table[3:]]
    assert [body.split(b" ", 1)[0] for body in objects] == [str(number).encode() for number in range(1, 9)]
    assert b"/Count 2 /Kids [5 0 R 8 0 R]" in objects[1]
    assert b"/MediaBox [0 0 595 297.5]" in objects[4]
    for body, jpeg in zip((objects[2], objects[5]), pages, strict=True):
        head, _, rest = body.partition(b"stream\n")
        size = int(re.findall(rb"/Length (\d+)", head)[0])
        assert rest[:size] == jpeg
        assert rest[size:].startswith(b"\nendstream")
