"""toolkit scrape: rows from pages."""

from toolkit.cli._start import app_command

COMMAND = app_command(
    "scrape",
    metavar="URL|FILE|- ...",
    out_help="The file of rows: .jsonl or .csv; - prints JSON lines as they come.",
    help="""Scrape pages: URLs, lists of them (text, CSV, JSON, …), or - for standard input; one row for each page.

    \b
    Examples:
      toolkit scrape urls.txt -o rows.jsonl --field title=title --field 'links[]=a@href'
      toolkit scrape urls.txt -o prices.csv --field name=h1 --field price=.price
      toolkit scrape https://example.org/ -o - --field title=title
    """,
)
