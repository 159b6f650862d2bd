"""Lists of URLs as people keep them: on the command line, in files, on standard input; read as streams.

A format is one file in `formats/`, called as the suffix that it reads. Whatever is read, memory stays the same: there
is a cap on a line, a row or an item, never one on a list.
"""

from toolkit.core.lists.entry import LINE_LIMIT, ROW_LIMIT, Columns, Line
from toolkit.core.lists.seen import Seen
from toolkit.core.lists.sources import COUNTED, check_sources, count_urls, read_urls
from toolkit.core.lists.urlcolumn import is_url

__all__ = [
    "COUNTED",
    "LINE_LIMIT",
    "ROW_LIMIT",
    "Columns",
    "Line",
    "Seen",
    "check_sources",
    "count_urls",
    "is_url",
    "read_urls",
]
