"""What to do about failures, by their kind, where the message alone may not tell."""

from __future__ import annotations

from toolkit.core.errors import FailureKind

_ADVICE: dict[FailureKind, str] = {
    FailureKind.INPUT: "Correct the line, file or option that is named, and run the same command again.",
    FailureKind.DNS: "Check the host's name and this machine's network, then retry.",
    FailureKind.CONNECT: "The host may be down, or may refuse so many connections: retry later, or with --per-host 1.",
    FailureKind.LIMIT: "This machine ran out of something: retry with fewer --workers.",
    FailureKind.TLS: "Check the address and this machine's clock; do not trust the host before you know why.",
    FailureKind.TIMEOUT: "The host was silent for too long: retry later.",
    FailureKind.PROTOCOL: "The host's reply made no sense: open the address in a browser to see what it sends.",
    FailureKind.HTTP: "Open the address in a browser: it may have moved, be gone, or ask for a login.",
    FailureKind.THROTTLED: "The host asks for fewer requests: retry later, or slow down with --rate or --per-host.",
    FailureKind.REDIRECT: "Open the address in a browser, and use the one where it ends.",
    FailureKind.BLOCKED: "A safety rule refused it; the message says which.",
    FailureKind.TRUNCATED: "Not all of it came: retry.",
    FailureKind.CODING: "The host sends broken data: retry, and tell its owner if that changes nothing.",
    FailureKind.TOO_LARGE: "Raise the limit that the message names, if you trust what it is.",
    FailureKind.CONTENT_TYPE: "Something else came than was expected, often a page that asks for a login.",
    FailureKind.CHECKSUM: "The file changed, or the list is old: get a new list, or do not use the file.",
    FailureKind.NAME: "Choose another output folder or name, or close the program that has the file open.",
    FailureKind.DISK: "Make room on the disk, then run the same command again.",
    FailureKind.IMAGE: "Look at the file in a viewer: it is damaged, or no picture. Get it again from where it came.",
    FailureKind.UNSUPPORTED: "Convert it to a common format first.",
    FailureKind.ENCODE: "Choose another output format, or a smaller size.",
    FailureKind.ROW: "Look at the page: the site may have changed. --bad-rows keep takes such rows all the same.",
    FailureKind.PARSE: "Look at the page's source: it may be no HTML, or be made by scripts.",
    FailureKind.OVERDUE: "Raise --timeout, or --max-time where it was given, if the task may take that long.",
    FailureKind.WORKER_DIED: "It took its process down: the file may be hostile, or need more memory than there is.",
    FailureKind.UNPICKLABLE: "Run it under --model threads.",
    FailureKind.HOST_DOWN: "Retry when the host is up again.",
    FailureKind.BUG: "This is a fault of toolkit: please report it, with what --debug shows.",
}

ADVICE: dict[str, str] = {kind.value: advice for kind, advice in _ADVICE.items()}
