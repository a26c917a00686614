"""Tenants' endpoints on a simulated clock: they respond at once but for their latency, or never."""

import json
from enum import StrEnum

from tests.fakes.endpoint import at_once
from tests.simulation.clock import SimulatedClock
from webhooks.domain.http import (
    ClientCredentials,
    HttpOutcome,
    HttpRequest,
    HttpResponse,
    NoResponse,
    NoResponseReason,
)
from webhooks.ports import Conversation

RESPONSE_SECONDS = 0.2  # of an endpoint that responds
TOKEN_PATH = "/token"  # noqa: S105 - a path


class Unresponsive(StrEnum):
    """The part of a tenant's system that never responds."""

    ENDPOINT = "endpoints"
    TOKEN = "token endpoints"  # noqa: S105 - a kind
    LOOKUP = "lookups"


class TimedEndpoints:
    """All endpoints. `dead`: URLs whose endpoint, token endpoint or lookup never responds.

    `arrivals`: the time of each event's first callback, by the event's id.
    """

    def __init__(self, clock: SimulatedClock, unresponsive: Unresponsive) -> None:
        self.unresponsive = unresponsive
        self.dead: set[str] = set()
        self.arrivals: dict[str, float] = {}
        self._clock = clock

    def send(self, request: HttpRequest, *, seconds: float) -> HttpOutcome:
        """Respond to a callback."""
        if request.url in self.dead:
            is_lookup = self.unresponsive is Unresponsive.LOOKUP
            return self._none(NoResponseReason.DNS if is_lookup else NoResponseReason.DEADLINE, seconds)
        self.arrivals.setdefault(json.loads(request.body)["id"], self._clock())
        self._clock.spent += RESPONSE_SECONDS
        return HttpResponse(200, None, "", round(RESPONSE_SECONDS * 1000), "192.0.2.1")

    def token(
        self, client: ClientCredentials, *, seconds: float, rejected: str | None = None
    ) -> Conversation[str | NoResponse]:
        """Give out a token; the token endpoint's URL is the endpoint's own with TOKEN_PATH appended."""
        del rejected
        if client.token_url.removesuffix(TOKEN_PATH) in self.dead:
            return at_once(self._none(NoResponseReason.OAUTH, seconds))
        return at_once("token")

    def _none(self, reason: NoResponseReason, seconds: float) -> NoResponse:
        self._clock.spent += seconds
        return NoResponse(reason, "the time was up", round(seconds * 1000), None)
