"""Scrape titles and links into a table: python samples/scrape_pages.py URL... ROWS.csv."""

import sys

import toolkit


def main() -> int:
    """Scrape; every page is one row, one failure or one skip, and the totals say so."""
    *urls, rows = sys.argv[1:]
    summary = toolkit.scrape(urls, rows, field=["title=title", "links[]=a@href"], model="asyncio")
    print(f"{summary.succeeded} rows, {summary.skips} skipped, {summary.errors} failed of {summary.total} pages")
    return summary.exit_code


if __name__ == "__main__":
    sys.exit(main())
