"""The browser that runs the scripts of pages: one that is installed already, found by name; how it is started."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from toolkit.core.errors import MissingExtra, UsageError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge", "microsoft-edge")
PLACES = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
"""Where it is on systems that do not have it on the path."""
PROGRAM, SANDBOX = "TOOLKIT_CHROMIUM", "TOOLKIT_CHROMIUM_SANDBOX"
"""Environment variables: the program to use; "off" to do without its sandbox."""
MEGABYTES = 512
"""What the scripts of one page may keep in memory; past it their process is ended by itself."""
BLINK = "primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4,imagesEnabled=false"
"""What Playwright sets, for the last flag of a name counts; and no pictures."""
FLAGS = (
    # Nothing of a page reaches the network but by us: no name resolves, numbers included, and whatever is asked for all
    # the same goes to a proxy that is not there, this machine's own addresses included.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=http://nowhere.invalid:9",
    "--proxy-bypass-list=<-loopback>",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-quic",
    "--dns-prefetch-disable",
    "--no-pings",
    "--disable-remote-fonts",
    f"--blink-settings={BLINK}",
    f"--js-flags=--max-old-space-size={MEGABYTES}",
)
PASSED_ON = frozenset({"PATH", "HOME", "LANG", "TMPDIR", "TEMP", "TMP", "TZ", "LD_LIBRARY_PATH", "SYSTEMROOT"})
"""What the browser sees of our environment: variables may hold passwords."""

LONGEST = 60
"""Bytes of the temporary folder's path with which the path of Chromium's socket there is no longer than may be."""


def check_render() -> None:
    """Raise MissingExtra or UsageError if pages cannot be rendered here; starts nothing."""
    if find_spec("playwright") is None:
        raise MissingExtra("rendering pages needs the package 'playwright', which", "render")
    find_chromium()


def find_chromium(environment: Mapping[str, str] | None = None) -> str:
    """Return the path of an installed Chromium, or of a browser made from it; raises UsageError."""
    variables = os.environ if environment is None else environment
    path = variables.get("PATH")
    if named := variables.get(PROGRAM):
        if found := shutil.which(named, path=path):
            return found
        raise UsageError(f"{PROGRAM}={named}: no such program: give the path of Chromium, or unset it")
    for name in NAMES:
        if found := shutil.which(name, path=path):
            return found
    for place in PLACES:
        if Path(place).is_file():
            return place
    raise UsageError(
        "no Chromium found, which pages with render = true need: install it (apt install chromium, brew install"
        f" chromium, …) or Google Chrome, or set {PROGRAM} to the path of one"
    )


def sandboxed(environment: Mapping[str, str] | None = None) -> bool:
    """Tell whether the browser's own sandbox is to be on: for all but root, for whom Chromium has none."""
    variables = os.environ if environment is None else environment
    if variables.get(SANDBOX, "").lower() in ("off", "0", "no"):
        return False
    return sys.platform == "win32" or os.geteuid() != 0


def its_environment() -> dict[str, str]:
    """Return the variables that the browser is started with."""
    known = os.environ.items()
    kept = {name: value for name, value in known if name.upper() in PASSED_ON or name.startswith(("LC_", "XDG_"))}
    if len(os.fsencode(kept.get("TMPDIR", ""))) > LONGEST:
        del kept["TMPDIR"]
    return kept
