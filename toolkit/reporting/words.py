"""Numbers and commands as people read them, shared by the reporters."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence

from toolkit.core.quantities import shown_bytes
from toolkit.reporting import Tick

size = shown_bytes
"""Bytes with a unit, such as "1.2 MB"."""

_SECRET = re.compile(
    r"(?i)([?&;](?:[a-z_-]*(?:token|key|secret|signature|password|passwd|pwd|auth|sig|credential)[a-z_-]*)=)[^&#\s]+"
)
_USERINFO = re.compile(r"(//)[^/?#\s]*@")
_FIELD = re.compile(r"(?i)\b((?:proxy-)?authorization|cookie|[a-z-]*(?:token|api-key|secret|x-auth)[a-z-]*)(\s*:\s*).+")
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def duration(seconds: float) -> str:
    """Return a time such as "0.4 s", "3:20" or "1:02:05"."""
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def redact(text: str) -> str:
    """Return text without passwords in URLs, secret query values and private header fields."""
    return _FIELD.sub(r"\1\2***", _SECRET.sub(r"\1***", _USERINFO.sub(r"\1***@", text)))


def shown(text: str) -> str:
    """Return text from outside fit for a terminal: redacted, control and direction characters made visible."""
    return _UNSEEN.sub(lambda found: f"\\x{ord(found[0]) & 0xFF:02x}" if ord(found[0]) < 256 else "�", redact(text))  # noqa: PLR2004


def command_line(command: Sequence[str]) -> str:
    """Return a command as one would type it, redacted."""
    return shown(shlex.join(redacted(command)))


def redacted(command: Sequence[str]) -> list[str]:
    """Return the words of a command without secrets: those that redact finds, and what flags say that carry some."""
    words: list[str] = []
    for before, word in zip(["", *command], command, strict=False):
        flag, equals, value = word.partition("=")
        if before in _CARRIERS:
            words.append(_CARRIERS[before](word))
        elif equals and flag in _CARRIERS:
            words.append(f"{flag}={_CARRIERS[flag](value)}")
        elif word[:2] == "-H" and len(word) > 2:  # noqa: PLR2004 - the value may follow at once
            words.append("-H" + _without_value(word[2:]))
        else:
            words.append(redact(word))
    return words


def _without_value(field: str) -> str:
    return field.partition(":")[0] + ": ***"


def _without_password(login: str) -> str:
    return login.partition(":")[0] + ":***"


def _without_login(url: str) -> str:
    """Return a proxy's URL without user name and password, whatever signs they have in them."""
    scheme, mark, rest = url.rpartition("://") if "://" in url else ("", "", url)
    name, at, host = rest.rpartition("@")
    return f"{scheme}{mark}***@{host}" if at and name else url


_CARRIERS: dict[str, Callable[[str], str]] = {
    "--header": _without_value,  # nobody can tell which of them are private
    "-H": _without_value,
    "--user": _without_password,
    "--bearer": lambda _: "***",
    "--proxy": _without_login,
}
"""Flags whose values carry secrets, and what is left of those."""


def plural(count: int, one: str, many: str = "") -> str:
    """Return "1 file", "2 files"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def running(tick: Tick) -> str:
    """Return "6 running", or "6 of 8 running, 2 hosts left alone for now" where there is something to say."""
    resting = f", {plural(tick.resting, 'host')} left alone for now" if tick.resting else ""
    return f"{tick.in_flight:,}{'' if tick.limit is None else f' of {tick.limit:,}'} running{resting}"
