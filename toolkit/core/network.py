"""How a run goes about the network, as its jobs see it: patience, where requests may lead, and who we say we are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from toolkit.core.credentials import Credentials
from toolkit.core.http import Request


@dataclass(frozen=True, slots=True)
class Network:
    """What every request of a run keeps to; picklable.

    timeout, connect_timeout: seconds without a byte. low_speed: bytes a second below which a body is given up after
    low_speed_time seconds; 0 for never. private: what to do about addresses that are not public: "guard" refuses a
    redirect from a public address to one, "block" refuses them always, "allow" never does. credentials: what the user
    gave for logging in.
    """

    timeout: float = 30.0
    connect_timeout: float = 10.0
    low_speed: int = 0
    low_speed_time: float = 30.0
    private: Literal["guard", "block", "allow"] = "guard"
    credentials: Credentials | None = None

    def request(self, url: str, headers: tuple[tuple[str, str], ...] = ()) -> Request:
        """Return the first request for a URL that is fit for the wire."""
        return Request(
            url,
            headers=headers,
            connect_timeout=self.connect_timeout,
            read_timeout=self.timeout,
            low_speed=self.low_speed,
            low_speed_time=self.low_speed_time,
            addresses="public" if self.private == "block" else "any",
        )
