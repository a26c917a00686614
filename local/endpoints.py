"""How the sample receiver responds: the first part of an endpoint's path names it."""

import json
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import Any

# The kinds of the sample webhooks' endpoints; their callbacks are counted and not kept.
KINDS = frozenset({"quick", "slow", "flaky", "strict", "down", "gone"})
FAULTS = {
    "flaky": (HTTPStatus.SERVICE_UNAVAILABLE, "the label printer restarts"),
    "strict": (HTTPStatus.UNPROCESSABLE_ENTITY, "the customer has no email address"),
    "down": (HTTPStatus.SERVICE_UNAVAILABLE, "down for maintenance"),
    "gone": (HTTPStatus.GONE, "this endpoint was removed"),
}
RETRIED_IN = 5  # one in five deliveries needs a second attempt
REFUSED_IN = 9
SLOW_FROM, SLOW_TO = 0.3, 2.4  # seconds; some of it is over FastLaneSeconds
QUICK_TO = 0.06


@dataclass(frozen=True, slots=True)
class Reply:
    """A response to a callback that verifies, after `seconds`."""

    status: HTTPStatus = HTTPStatus.OK
    error: str | None = None
    seconds: float = 0

    @property
    def body(self) -> bytes:
        """Return the response's body."""
        content = {"error": self.error} if self.error else {"received": self.status == HTTPStatus.OK}
        return json.dumps(content).encode()


def reply(path: str, *, event: dict[str, Any], attempt: int, down_since: str) -> Reply:
    """Return the response to an attempt; the same event gets the same one.

    `down_since`: events from this time on fail under /down; under /gone the endpoint is gone from then on.
    """
    kind = kind_of(path)
    if kind not in KINDS:
        return Reply()
    place = int.from_bytes(sha256(str(event.get("id")).encode()).digest()[:4])
    part = (place % 1000) / 1000
    if kind == "slow":
        return Reply(seconds=SLOW_FROM + (SLOW_TO - SLOW_FROM) * part)
    fails = {
        "flaky": place % RETRIED_IN == 0 and attempt == 1,
        "strict": place % REFUSED_IN == 0,
        "down": str(event.get("timestamp", "")) >= down_since,
        "gone": str(event.get("timestamp", "")) >= down_since,
    }
    seconds = QUICK_TO * part
    return Reply(*FAULTS[kind], seconds) if fails.get(kind) else Reply(seconds=seconds)


def kind_of(path: str) -> str:
    """Return the first part of a path."""
    return path.split("/")[1]
