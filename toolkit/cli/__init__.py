"""The command line: one command a file, found by name and imported when it is used."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from typing import Any, NoReturn

import click

from toolkit import __version__
from toolkit.core import plugins
from toolkit.core.errors import ToolkitError, UsageError

ALIASES = {"downloader": "download", "resizer": "resize", "scraper": "scrape"}

EPILOG = """\b
Examples:
  toolkit download urls.txt -o files/
  toolkit resize photos/ -o thumbs/ --size 800x800 --filter sharpen
  toolkit scrape urls.txt -o rows.jsonl --field title=title
"""


class Commands(click.Group):
    """Commands by file name, imported lazily: `toolkit --version` must not wait for an image library."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names."""
        return plugins.names(__name__)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return a command, also by its alias."""
        name = ALIASES.get(cmd_name, cmd_name)
        if name not in plugins.names(__name__):
            return None
        command: click.Command = plugins.load(__name__, name, "COMMAND")
        return command


@click.command(cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="toolkit %(version)s")
def toolkit() -> None:
    """Download, resize and scrape in batches, under the concurrency model that suits the work.

    Stop it at any moment; the same command does what is missing.
    """


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run a command and exit: 0 well, 1 some tasks failed, 2 wrong usage, 3 stopped, 130 interrupted."""
    if arguments is None:
        # At its end Python looks through all objects for what could be freed: 40 ms, in a process that frees it all.
        atexit.register(gc.freeze)
        arguments = sys.argv[1:]
    if sys.stderr is None:  # closed, as by some schedulers: there is nobody to talk to, but the work can be done
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for as long as the program runs
    try:
        code = toolkit.main(arguments, prog_name="toolkit", standalone_mode=False) or 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        code = 2
    except click.ClickException as error:
        code = _wrong(_place(error), error.format_message())
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except ToolkitError as error:
        if "--debug" in arguments:
            raise
        code = _wrong("toolkit", str(error), see_help=False) if isinstance(error, UsageError) else _stopped(error)
    except Exception as error:
        if "--debug" in arguments:
            raise
        code = _stopped(f"a fault in toolkit itself: {type(error).__name__}: {error} (--debug shows where)")
    sys.exit(code)


def _place(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return context.command_path if context else "toolkit"


def _wrong(place: str, message: str, *, see_help: bool = True) -> int:
    hint = f" (see {place} --help)" if see_help else ""
    _complain(f"{place}: {message}{hint}")
    return 2


def _stopped(error: Any) -> int:
    _complain(f"toolkit: {error}")
    return 3


def _complain(text: str) -> None:
    from toolkit.reporting.words import shown

    click.echo(shown(" ".join(text.split())), err=True)
