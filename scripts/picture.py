"""Make docs/run.svg, the picture of a real run on the sample site: python scripts/picture.py docs/run.svg."""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from urllib.request import urlopen

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rich.console import Console
from rich.text import Text

import toolkit
from samples.serve import SampleServer
from toolkit.reporting import Event, RunFinished, RunStarted, TaskSettled, Tick
from toolkit.reporting.console import ConsoleReporter


class Photographer:
    """A reporter that prints the live view once, in the middle, and the ending."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.shown = False
        self.inner = ConsoleReporter(Console(file=io.StringIO()))

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if isinstance(event, RunFinished):
            self.inner.close()
            self.console.print()
            ConsoleReporter(self.console)(event)
            return
        if isinstance(event, RunStarted | TaskSettled | Tick):
            self.inner(event)
        if isinstance(event, Tick) and not self.shown and event.total and event.ended > event.total * 0.6:
            self.shown = True
            self.console.print(self.inner.view(event))


def main() -> None:
    """Run and save the picture."""
    console = Console(record=True, width=112, force_terminal=True, file=io.StringIO(), highlight=False)
    with SampleServer() as server, tempfile.TemporaryDirectory() as folder:
        lists = [urlopen(f"{server.url}lists/{name}.txt").read().decode().split() for name in ("files", "pictures")]
        urls = [f"{url}?rate=300000&delay=0.{n % 8}" for n, url in enumerate(lists[0] + lists[1])]
        urls += [f"{server.url}files/{n}.bin" for n in ("old-catalogue", "lost")] + [f"{urls[3]}&fail=1"]
        listed = Path(folder, "urls.txt")
        listed.write_text("\n".join(urls))
        console.print(Text("$ toolkit download urls.txt -o files/", style="bold"))
        run = toolkit.download.run(listed, Path(folder, "files"), reporters=[Photographer(console)])
        run.command = ("toolkit", "download", "urls.txt", "-o", "files/")
        run.finish()
        text = console.export_svg(title="toolkit", clear=True)
        Path(sys.argv[1]).write_text(text.replace(server.url, "http://127.0.0.1/"))


if __name__ == "__main__":
    main()
