"""toolkit download: files from URLs."""

from toolkit.cli._start import app_command

COMMAND = app_command(
    "download",
    metavar="URL|FILE|- ...",
    out_help="The folder that the files go into.",
    help="""Download files: URLs, text files with a URL a line, or - for standard input.

    \b
    Examples:
      toolkit download urls.txt -o files/
      toolkit download https://example.org/a.pdf https://example.org/b.pdf -o files/
      cat urls.txt | toolkit download - -o files/ --workers 32 --per-host 4
    """,
)
