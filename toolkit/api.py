"""The Python API: each app as a function that takes the command's options by name and returns the Summary."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from toolkit.core import plugins
from toolkit.core.errors import UsageError
from toolkit.core.options import build, check
from toolkit.core.schedule import Planned
from toolkit.core.task import Outcome
from toolkit.options import NetworkOptions, RunOptions, network_of
from toolkit.reporting import Reporter, Summary
from toolkit.run import Run

APPS = "toolkit.apps"


class Command:
    """An app to call: toolkit.download(...), or toolkit.download.stream(...)."""

    def __init__(self, app: str) -> None:
        self.app = app

    def __call__(
        self,
        sources: str | Path | Sequence[str | Path],
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

    def stream(
        self, sources: str | Path | Sequence[str | Path], out: str | Path | None = None, **options: Any
    ) -> Iterator[Outcome]:
        """Do the work and yield each Success, Skip or Failure as it lands; closing the iterator stops the work."""
        return self.run(sources, out, **options).outcomes()

    def plan(
        self,
        sources: str | Path | Sequence[str | Path],
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
        sources: str | Path | Sequence[str | Path],
        out: str | Path | None = None,
        *,
        reporters: Sequence[Reporter] = (),
        **options: Any,
    ) -> Run:
        """Return the run, not yet begun; raises UsageError."""
        several = [sources] if isinstance(sources, str | Path) else list(sources)
        chosen = tuple(_pick(options, group) for group in groups_of(self.app))
        if options:
            raise UsageError(f"toolkit.{self.app} has no option {min(options)!r}")
        return make_run(
            self.app, [str(s) for s in several], None if out is None else Path(out), chosen, reporters=reporters
        )


def groups_of(app: str) -> tuple[Any, ...]:
    """Return the option classes of an app: its own, RunOptions, and NetworkOptions if it fetches."""
    own = plugins.load(f"{APPS}.{app}", "options", "OPTIONS")
    fetches = plugins.load(f"{APPS}.{app}", "options", "NETWORK")
    return (own, RunOptions, NetworkOptions) if fetches else (own, RunOptions)


def make_run(app: str, sources: Sequence[str], out: Path | None, chosen: tuple[Any, ...], **more: Any) -> Run:
    """Return the run of an app on sources; chosen: an instance of each class of groups_of. Raises UsageError.

    out: where results go; None for what is done in place.
    """
    for group in chosen:
        check(group)
    own, common, *rest = chosen
    in_place = getattr(own, "in_place", False)
    if out is None and not in_place:
        raise UsageError("say where the results go: '-o' FOLDER")
    if out is not None and in_place:
        raise UsageError("--in-place puts results where the sources are: leave -o out")
    out = out or Path()
    if not sources and not common.retry_failed:
        raise UsageError(f"nothing to do: name what to {app}, or give --retry-failed")
    make: Callable[..., Any] = plugins.load(f"{APPS}.{app}", "job", "APP")
    for network in rest:
        made = make(sources, out, own, network=network_of(common, network))
        return Run(made, common, network=network, output=str(out), sources=sources, **more)
    made = make(sources, out, own)
    return Run(made, common, output=str(getattr(made, "out", out)), sources=sources, **more)


def _pick(options: dict[str, Any], into: Any) -> Any:
    """Take from options what a dataclass has fields for, and return it."""
    taken: dict[str, Any] = {}
    for field in fields(into):
        if field.name in options:
            value = options.pop(field.name)
            taken[field.name] = _several(value) if _repeats(field.type) else _path(value, field.type)
    return build(into, taken)


def _repeats(hint: Any) -> bool:
    return str(hint).startswith("tuple[")


def _several(value: Any) -> Any:
    """Return what an option that may be repeated takes: one text stands for itself."""
    if isinstance(value, str | Path):
        return (str(value),)
    return tuple(str(v) if isinstance(v, Path) else v for v in value) if isinstance(value, list | tuple) else value


def _path(value: Any, hint: Any) -> Any:
    """Return a Path for a text where the option takes one."""
    return Path(value) if isinstance(value, str) and str(hint).startswith("Path") else value


download = Command("download")
resize = Command("resize")
scrape = Command("scrape")
