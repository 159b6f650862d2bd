"""toolkit download: files from URLs."""

from toolkit.cli._start import app_command

COMMAND = app_command(
    "download",
    metavar="URL|FILE|- ...",
    out_help="The folder that the files go into.",
    help="""Download files: URLs, lists of them (text, CSV, TSV, JSON, Parquet, Metalink), or - for standard input.

    \b
    Examples:
      toolkit download urls.txt -o files/
      toolkit download https://example.org/a.pdf https://example.org/b.pdf -o files/
      toolkit download table.csv -o files/ --name-template "{host}/{name}" --manifest rows.csv
      cat urls.txt | toolkit download - -o files/ --workers 32 --per-host 4
    """,
)
