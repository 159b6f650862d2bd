"""The Python API: each app as a function that takes the command's options by name and returns the Summary."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from textwrap import fill
from typing import Any, get_type_hints

from toolkit import models
from toolkit.core import plugins
from toolkit.core.errors import UsageError
from toolkit.core.options import build, check, read, shown_type
from toolkit.core.schedule import Planned
from toolkit.core.task import Outcome
from toolkit.options import NetworkOptions, RunOptions, network_of
from toolkit.passes import again, passes, written
from toolkit.places import check_places
from toolkit.reporting import Event, Reporter, Summary
from toolkit.run import Run

APPS = "toolkit.apps"

Sources = str | Path | Sequence[str | Path]


class _Help:
    """What help(toolkit.resize) shows: the calls, and every option that the command has."""

    def __get__(self, command: Command | None, owner: type) -> str:
        return (
            help_of(command.app) if command else "An app to call: toolkit.download(...), toolkit.download.stream(...)."
        )


class Command:  # noqa: D101 - help() is given a page for each
    __doc__ = _Help()

    def __init__(self, app: str) -> None:
        self.app = app

    def __call__(
        self,
        sources: Sources,
        out: str | Path | None = None,
        *,
        reporters: Sequence[Reporter] = (),
        **options: Any,
    ) -> Summary:
        """Do the work and return what became of it; options are those of the command, with _ for -.

        out: where results go; None for what is done in place.

        Failed tasks are in the Summary and in its exit_code; they raise nothing. Raises UsageError for options and
        sources that cannot be used.
        """
        return self.run(sources, out, reporters=reporters, **options).finish()

    def stream(self, sources: Sources, out: str | Path | None = None, **options: Any) -> Iterator[Outcome]:
        """Do the work and yield each Success, Skip or Failure as it lands; closing the iterator stops the work."""
        return self.run(sources, out, **options).outcomes()

    def plan(
        self,
        sources: Sources,
        out: str | Path | None = None,
        *,
        probe: bool = False,
        **options: Any,
    ) -> Iterator[Planned]:
        """Yield what would be done, as `--dry-run` shows it: a Task to do, a Skip, a Failure; nothing is changed.

        probe: ask servers for sizes and names, where the app can.
        """
        return self.run(sources, out, **options).preview(probe=probe)

    def run(
        self,
        sources: Sources,
        out: str | Path | None = None,
        *,
        reporters: Sequence[Reporter] = (),
        **options: Any,
    ) -> Run:
        """Return the run, not yet begun; raises UsageError."""
        chosen = self._chosen(options)
        if getattr(chosen[0], "watch", False):
            raise UsageError(f"--watch: one call is one run; toolkit.{self.app}.watch() goes on")
        return make_run(self.app, _texts(sources), _place(out), chosen, reporters=reporters)

    def watch(
        self,
        sources: Sources,
        out: str | Path | None = None,
        *,
        stop: threading.Event | None = None,
        reporters: Sequence[Reporter] = (),
        **options: Any,
    ) -> Iterator[Summary]:
        """Do the work, and again after each burst of changes among the sources; yield the Summary of each run.

        Ends when stop is set, also in the midst of a run, or by Ctrl-C. Raises UsageError, also for a later run that
        cannot be (two pictures for one name), and MissingExtra where watchfiles is not installed.
        """
        chosen, told = self._chosen(options), stop or threading.Event()
        if not _watches(self.app):
            raise UsageError(f"toolkit.{self.app} has nothing that could be watched")
        several, place = _texts(sources), _place(out)

        def once(first: bool) -> tuple[Summary, bool]:  # noqa: FBT001 - passes() tells it so
            def heed(_: Event) -> None:
                if told.is_set():
                    run.stop("told to stop")

            run = make_run(self.app, several, place, chosen if first else again(chosen), reporters=[*reporters, heed])
            return run.finish(), run.interrupted

        for summary, interrupted in passes(once, several, written(several, place, chosen), told):
            yield summary
            if interrupted:
                return

    def _chosen(self, options: dict[str, Any]) -> tuple[Any, ...]:
        """Return an instance of each class of options; raises UsageError."""
        chosen = tuple(_pick(options, group) for group in groups_of(self.app))
        if options:
            raise UsageError(f"toolkit.{self.app} has no option {min(options)!r}")
        return chosen


def groups_of(app: str) -> tuple[Any, ...]:
    """Return the option classes of an app: its own, RunOptions, and NetworkOptions if it fetches."""
    own = plugins.load(f"{APPS}.{app}", "options", "OPTIONS")
    fetches = plugins.load(f"{APPS}.{app}", "options", "NETWORK")
    return (own, RunOptions, NetworkOptions) if fetches else (own, RunOptions)


def make_run(
    app: str, sources: Sequence[str], out: Path | None, chosen: tuple[Any, ...], *, soon: bool = False, **more: Any
) -> Run:
    """Return the run of an app on sources; chosen: an instance of each class of groups_of. Raises UsageError.

    out: where results go; None for what is done in place. soon: whether the program will run it at once, or end.
    """
    for group in chosen:
        check(group)
    own, common, *rest = chosen
    in_place = getattr(own, "in_place", False)
    if not sources and not common.retry_failed and not getattr(own, "names_sources", False):
        raise UsageError(f"nothing to do: name what to {app}, or give --retry-failed")
    if out is None and not in_place:
        raise UsageError("say where the results go: '-o' FOLDER")
    if out is not None and in_place:
        raise UsageError("--in-place puts results where the sources are: leave -o out")
    check_places(sources, out, chosen)
    out = out or Path()
    make: Callable[..., Any] = plugins.load(f"{APPS}.{app}", "job", "APP")
    for network in rest:
        made = make(sources, out, own, network=network_of(common, network))
        if soon:
            models.expect(common.model or made.usual_model, made.job, client=network.client, fetches=True)
        named = getattr(made, "named", sources)
        return Run(made, common, network=network, output=str(out), sources=named, **more)
    made = make(sources, out, own)
    if soon:
        models.expect(common.model or made.usual_model, made.job, fetches=False)
    return Run(made, common, output=str(getattr(made, "out", out)), sources=sources, **more)


def help_of(app: str) -> str:
    """Return a page about an app's function and its options."""
    lines = [
        f"toolkit.{app}(sources, out, **options) does what `toolkit {app}` does, and returns a Summary.",
        "",
        f"toolkit.{app}.stream(...) yields each outcome as it lands, and .plan(...) what would be done.",
        *(
            [f"toolkit.{app}.watch(...) goes on after changes, and yields a Summary of each run."]
            if _watches(app)
            else []
        ),
        "sources: one, or a list; reporters=[...] are told of events. Options are those of the command, with _ for -:",
        "",
    ]
    for group in groups_of(app):
        hints = get_type_hints(group)
        for field in fields(group):
            told = f"{field.name}: {shown_type(hints[field.name])} = {field.default!r}. {field.metadata['option'].help}"
            lines.append(fill(told, 110, initial_indent="    ", subsequent_indent="        "))
    return "\n".join(lines)


def _watches(app: str) -> bool:
    return any(field.name == "watch" for field in fields(groups_of(app)[0]))


def _pick(options: dict[str, Any], into: Any) -> Any:
    """Take from options what a dataclass has fields for, and return it."""
    return build(
        into, read(into, {field.name: options.pop(field.name) for field in fields(into) if field.name in options})
    )


def _texts(sources: Sources) -> list[str]:
    return [str(source) for source in ([sources] if isinstance(sources, str | Path) else sources)]


def _place(out: str | Path | None) -> Path | None:
    return None if out is None else Path(out)


download = Command("download")
resize = Command("resize")
scrape = Command("scrape")
