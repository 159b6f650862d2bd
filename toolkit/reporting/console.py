"""The reporter for a terminal: a live line or two, five times a second at most, and the ending."""

from __future__ import annotations

from collections import deque

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from toolkit.core.task import Failure
from toolkit.reporting import Event, RunFinished, RunStarted, TaskSettled, Tick
from toolkit.reporting.ending import SORTS, ending
from toolkit.reporting.words import duration, running, shown, size

REFRESHES = 5
"""A second."""
WINDOW = 50
"""Ticks over which the speed is taken: ten seconds."""


class ConsoleReporter:
    """Draws with rich. The failures seen last stay visible under the line of figures."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._started: RunStarted | None = None
        self._ticks: deque[Tick] = deque(maxlen=WINDOW)
        self._failures: deque[str] = deque(maxlen=3)

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if isinstance(event, RunStarted):
            self._started = event
            # Standard output is not ours: rows on their way into a file must not end up in the live view.
            self._live = Live(
                console=self._console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
            )
            self._live.start()
        elif isinstance(event, TaskSettled):
            self._note(event)
        elif isinstance(event, Tick) and self._live:
            self._ticks.append(event)
            self._live.update(self.view(event), refresh=True)
        elif isinstance(event, RunFinished):
            self.close()
            self._end(event)

    def close(self) -> None:
        """Give the terminal back."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _note(self, event: TaskSettled) -> None:
        failure = event.outcome
        if isinstance(failure, Failure):
            again = f", again in {event.retry_in:.0f} s" if event.retry_in is not None else ""
            self._failures.append(f"{failure.kind.value}: {shown(failure.message)}{again}: {shown(failure.task.key)}")

    def view(self, tick: Tick) -> Group:
        """Return what is shown while the run goes on."""
        started = self._started
        assert started is not None  # noqa: S101 - RunStarted came first
        table = Table.grid(padding=(0, 2))
        cells = [Text(f"{started.app} · {started.how}", style="bold")]
        if tick.total:
            cells.append(Text(f"{tick.ended / tick.total:>4.0%}", style="cyan"))
        cells.append(Text(f"{tick.succeeded:,} {SORTS.get(started.app, ('', 'done'))[1]}", style="green"))
        cells += [Text(f"{tick.skipped:,} skipped", style="dim")] if tick.skipped else []
        cells += [Text(f"{tick.failed:,} failed", style="red")] if tick.failed else []
        cells.append(Text(running(tick)))
        cells += [Text(f"{tick.retried:,} retries", style="yellow")] if tick.retried else []
        rate, volume = self._speed()
        cells.append(Text(f"{rate:,.1f}/s"))
        cells += [Text(f"{size(tick.received)} at {size(volume)}/s", style="cyan")] if tick.received else []
        cells.append(Text(duration(tick.seconds), style="dim"))
        if tick.total and rate:
            cells.append(Text(f"{duration((tick.total - tick.ended) / rate)} to go", style="dim"))
        if tick.stopping:
            cells.append(
                Text(f"{tick.stopping}: letting what runs end (Ctrl-C again gives it up)", style="bold yellow")
            )
        table.add_row(*cells)
        rows: list[Table | ProgressBar | Text] = [table]
        if tick.total:
            rows.append(ProgressBar(total=tick.total, completed=tick.ended))
        rows += [Text(text, style="dim red", overflow="ellipsis", no_wrap=True) for text in self._failures]
        return Group(*rows)

    def _speed(self) -> tuple[float, float]:
        first, last = self._ticks[0], self._ticks[-1]
        seconds = last.seconds - first.seconds
        if seconds <= 0:
            return 0.0, 0.0
        done = last.ended - last.skipped - first.ended + first.skipped
        return done / seconds, (last.received - first.received) / seconds

    def _end(self, event: RunFinished) -> None:
        style = {0: "green", 1: "yellow"}.get(event.summary.exit_code, "red")
        for number, text in enumerate(ending(event.summary)):
            self._console.print(Text(text, style=style if number == 0 else ""), soft_wrap=True)
