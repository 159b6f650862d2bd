"""Download a list of files and say how it went: python samples/download_files.py URL... FOLDER."""

import sys

import toolkit


def main() -> int:
    """Download; run it again, and only what is missing is asked for."""
    *urls, folder = sys.argv[1:]
    summary = toolkit.download(urls, folder, model="threads", workers=8, retries=2)
    print(f"{summary.succeeded} new, {summary.skips} there already, {summary.errors} failed")
    for group in summary.failures:
        print(f"{group.count} times {group.message}, for example {group.examples[0][0]}")
    return summary.exit_code


if __name__ == "__main__":  # worker processes import this file too
    sys.exit(main())
