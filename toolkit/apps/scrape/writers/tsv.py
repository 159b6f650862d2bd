"""TSV: as CSV, with tabs between the cells."""

from __future__ import annotations

from functools import partial

from toolkit.apps.scrape.writers import csv

write = partial(csv.write, delimiter="\t")
Appender = partial(csv.Appender, delimiter="\t")
