"""What a 401 means for someone who wants the file: whether a login is missing, wrong, or of another kind."""

from __future__ import annotations

from toolkit.core.digest import challenge_in, schemes_in
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Head

UNAUTHORIZED = 401


def with_advice(failure: TaskError, head: Head, sent: str, *, left: bool = False, digest: bool = False) -> TaskError:
    """Return the failure of a 401 with what to do about it; others as they are.

    sent: the scheme that we logged in by, in lower case, or "". left: whether a login stayed behind at a redirect.
    digest: whether it was to be by digest.
    """
    if failure.kind is not FailureKind.HTTP:
        return failure
    advice = _advice(head, sent, left=left, digest=digest)
    return TaskError(
        failure.kind,
        f"{failure.message}: {advice}",
        retryable=failure.retryable,
        retry_after=failure.retry_after,
        cool_lane=failure.cool_lane,
        fatal=failure.fatal,
    )


def _advice(head: Head, sent: str, *, left: bool, digest: bool) -> str:
    offered = schemes_in(head.headers)
    if left and not sent:
        return "a redirect leads to another host, which is not sent the login"
    if "digest" in offered and challenge_in(head.headers) is None:
        return "its kind of digest is not known"
    if sent == "basic" and "digest" in offered and "basic" not in offered:
        return "it takes a login by digest only (--digest)"
    if digest and not sent and "basic" in offered and "digest" not in offered:
        return "it takes no login by digest (leave out --digest)"
    if sent:
        return {"bearer": "the token is not accepted"}.get(sent, "name or password is not accepted")
    ways = {"basic": "--user or --netrc", "digest": "--user and --digest", "bearer": "--bearer"}
    known = next((ways[scheme] for scheme in ways if scheme in offered), "--user, --netrc or --bearer")
    return f"a login is wanted ({known})"
