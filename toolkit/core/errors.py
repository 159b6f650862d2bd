"""Everything that toolkit raises on purpose.

    ToolkitError
    ├── UsageError           the command or call is wrong: exit 2
    │   └── MissingExtra     an optional package is not installed
    ├── RunStopped           nothing more can be done (disk full, input broke off): exit 3
    ├── TaskError            this task failed, and the run goes on
    └── TaskSkipped          this task needs no work, with a reason

Jobs raise the last two; the schedule decides what follows.
"""

from __future__ import annotations

from enum import StrEnum


class FailureKind(StrEnum):
    """Why a task failed: a closed list, stable in stores and reports."""

    INPUT = "input"
    """The line, file or option of this task cannot be used."""
    DNS = "dns"
    """The host name does not resolve."""
    CONNECT = "connect"
    """The connection was refused, reset or lost before a reply."""
    LIMIT = "limit"
    """This machine's own limit: too many open files, no free port, no memory."""
    TLS = "tls"
    """The certificate or handshake was not accepted."""
    TIMEOUT = "timeout"
    """No byte came within the time limit."""
    PROTOCOL = "protocol"
    """The reply is not valid HTTP, or contradicts itself."""
    HTTP = "http"
    """The status code says no."""
    THROTTLED = "throttled"
    """The host asks for fewer requests (429, or 503 with Retry-After)."""
    REDIRECT = "redirect"
    """The redirects loop, are too many, or lead where we do not go."""
    BLOCKED = "blocked"
    """Refused by a safety rule."""
    TRUNCATED = "truncated"
    """Fewer or more bytes came than were announced."""
    CODING = "coding"
    """The content coding (gzip, deflate) is broken or cut short."""
    TOO_LARGE = "too_large"
    """A cap on bytes, pixels or frames was exceeded."""
    CONTENT_TYPE = "content_type"
    """The file is not of the type that was expected."""
    CHECKSUM = "checksum"
    """The bytes are not the expected ones."""
    NAME = "name"
    """The file system refuses this name."""
    DISK = "disk"
    """The file system refuses more bytes."""
    IMAGE = "image"
    """Not a picture, or a damaged one."""
    UNSUPPORTED = "unsupported"
    """Valid, but of a form that is not handled."""
    ENCODE = "encode"
    """The result could not be written in the wanted form."""
    PARSE = "parse"
    """The page could not be read."""
    ROW = "row"
    """What was read is not what the rules say it is."""
    OVERDUE = "overdue"
    """The task took longer than its time limit and was stopped."""
    WORKER_DIED = "worker_died"
    """The process that ran the task was killed or crashed."""
    UNPICKLABLE = "unpicklable"
    """The result or the exception cannot cross a process boundary."""
    HOST_DOWN = "host_down"
    """Not tried: the host failed too many times in a row, or asked to be left alone."""
    BUG = "bug"
    """An exception that no rule expects: please report it."""


class ToolkitError(Exception):
    """The root: whatever is raised on purpose."""


class UsageError(ToolkitError):
    """The command or call cannot be carried out as given; the message says what to change."""


class MissingExtra(UsageError):  # noqa: N818 - named in the design
    """An optional package is needed; the message is the pip command."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} is not installed: pip install 'toolkit[{extra}]'")
        self.what = what
        self.extra = extra

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild from what it was made of, so that it survives a process boundary."""
        return MissingExtra, (self.what, self.extra)


class RunStopped(ToolkitError):  # noqa: N818 - a state, not an error of the program
    """The run cannot go on; what is done stays done and the same command resumes it."""


class TaskError(ToolkitError):
    """One task failed.

    kind: one of the closed list. retryable: whether another attempt may help. retry_after: seconds the host asked us to
    wait, or None. cool_lane: whether the whole lane (host) should slow down, not only this task. fatal: whether the run
    must stop (no space left). lane_delay: seconds between two tasks that the host asks for, if it does; to be set by
    whoever learns it. Picklable.
    """

    def __init__(
        self,
        kind: FailureKind,
        message: str,
        *,
        retryable: bool = False,
        retry_after: float | None = None,
        cool_lane: bool = False,
        fatal: bool = False,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.retryable = retryable
        self.retry_after = retry_after
        self.cool_lane = cool_lane
        self.fatal = fatal
        self.lane_delay: float | None = None

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild by keyword, so that it survives a process boundary."""
        facts = (self.kind, self.message, self.retryable, self.retry_after, self.cool_lane, self.fatal)
        return _rebuild, facts, {"lane_delay": self.lane_delay}


class TaskSkipped(ToolkitError):  # noqa: N818 - a skip is no error
    """One task needs no work; the reason is counted in the report. lane_delay: as in TaskError."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.lane_delay: float | None = None


def _rebuild(*facts: object) -> TaskError:
    kind, message, retryable, retry_after, cool_lane, fatal = facts
    return TaskError(
        FailureKind(str(kind)),
        str(message),
        retryable=bool(retryable),
        retry_after=retry_after if isinstance(retry_after, float | int) else None,
        cool_lane=bool(cool_lane),
        fatal=bool(fatal),
    )
