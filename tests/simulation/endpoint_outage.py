"""An endpoint that is down for hours while events flow, on the simulated clock of benchmarks/timed_deployment.py.

Its tenant has a second webhook, whose endpoint responds, and a third that listens to webhook.failing and
webhook.recovered.
"""

import json
from collections import defaultdict
from dataclasses import dataclass
from random import Random

from benchmarks.timed_deployment import EVENT, TimedDeployment
from benchmarks.timed_endpoints import TimedEndpoints, Unresponsive
from tests.clocks import NOW
from tests.simulation.backlog_log import BacklogLog
from tests.simulation.clock import SimulatedClock
from tests.simulation.recovery_containers import CHECKS_SECONDS, MaintenanceContainer, RecoveryContainer
from webhooks.domain.http import HttpOutcome, HttpRequest, HttpResponse
from webhooks.domain.lane import Lane
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Definition, Endpoint, Webhook
from webhooks.domain.webhook_event import FAILING, RECOVERED
from webhooks.ports import IdempotencyRecord

SCOPE = Scope("acme", "main")
DOWN, WELL, LISTENER = (f"https://{name}.example.com/hook" for name in ("down", "well", "listener"))
DOWN_SECONDS = 0.05  # until an endpoint that is down says 503


@dataclass(frozen=True, slots=True)
class Request:
    """A callback as an endpoint got it, `at` in epoch seconds."""

    at: float
    event_id: str
    attempt: int
    is_success: bool


class OutageEndpoints(TimedEndpoints):
    """Endpoints of which some say 503 for a while. `refused`: events that get 500 at DOWN.

    `requests`: by URL, in the order in which they came.
    """

    def __init__(self, clock: SimulatedClock) -> None:
        super().__init__(clock, Unresponsive.ENDPOINT)
        self.down_until: dict[str, float] = {}
        self.refused: set[str] = set()
        self.requests: dict[str, list[Request]] = defaultdict(list)
        self.names: list[str] = []

    def send(self, request: HttpRequest, *, seconds: float) -> HttpOutcome:
        """Respond to a callback, or say that the endpoint is down."""
        at, body = self._clock(), json.loads(request.body)
        is_down = at < self.down_until.get(request.url, 0)
        outcome = super().send(request, seconds=seconds)
        if is_down or (request.url == DOWN and body["id"] in self.refused):
            outcome = HttpResponse(503 if is_down else 500, None, "", round(DOWN_SECONDS * 1000), "192.0.2.1")
        is_success = isinstance(outcome, HttpResponse) and outcome.status == 200
        attempt = int(request.headers["webhook-attempt"])
        self.requests[request.url].append(Request(at, body["id"], attempt, is_success))
        self.names += [body["type"]] if request.url == LISTENER else []
        return outcome


class OutageDeployment(TimedDeployment):
    """The deployment with its recovery function. `retry_count`: of the webhook whose endpoint is down."""

    endpoints: OutageEndpoints

    def __init__(self, random: Random, *, retry_count: int = 2, rate_limit: int | None = None) -> None:
        super().__init__(random)
        self.log = BacklogLog()
        self.tokens = self.endpoints = OutageEndpoints(self.clock)
        self._map(self.recovery, lane=Lane.SLOW, make=RecoveryContainer)
        self._maintenance = MaintenanceContainer(self)
        self.down = self._add(DOWN, (EVENT,), retry_count=retry_count, rate_limit=rate_limit)
        self._add(WELL, (EVENT,))
        self._add(LISTENER, (FAILING, RECOVERED))
        self.published: dict[str, float] = {}
        self._check()

    def webhook(self) -> Webhook:
        """Return the webhook whose endpoint is down, as it is now."""
        found = self.subscriptions.get(SCOPE, self.down)
        assert found is not None
        return found

    def publish_every(self, seconds: float, *, begin: float, end: float, prefix: str = "e") -> None:
        """Publish events from one time to another; `begin`, `end`: seconds from now."""
        start, count = self.clock.now + begin, round((end - begin) / seconds)

        def publish(number: int) -> None:
            event_id, at = f"{prefix}{number}", self.clock.now
            self.published[event_id] = at
            event = {"eventId": event_id, "eventName": EVENT, "occurredAt": round(at * 1000), "data": {}}
            event |= {"tenantId": SCOPE.tenant_id, "communityId": SCOPE.community_id}
            self.events.put(json.dumps(event), group=SCOPE.fairness_group)
            if number + 1 < count:
                self.clock.at(start + (number + 1) * seconds, lambda: publish(number + 1))

        self.clock.at(start, lambda: publish(0))

    def arrivals(self, url: str) -> dict[str, list[Request]]:
        """Return the requests that an endpoint got, by event."""
        found: dict[str, list[Request]] = defaultdict(list)
        for request in self.endpoints.requests[url]:
            found[request.event_id].append(request)
        return found

    def _add(
        self, url: str, names: tuple[str, ...], *, retry_count: int = 2, rate_limit: int | None = None
    ) -> str:
        webhook_id = self.subscriptions.next_id(SCOPE, now=NOW)
        definition = Definition(
            event_names=names,
            name="w",
            endpoint=Endpoint(url),
            success_codes=(200,),
            created_by="b",
            retry_count=retry_count,
            rate_limit=rate_limit,
        )
        webhook = Webhook(webhook_id, SCOPE, definition, created_at=int(NOW))
        self.subscriptions.add(webhook, IdempotencyRecord(webhook_id, "", int(NOW)))
        return webhook_id

    def _check(self) -> None:
        """Run the schedule of functions/maintenance again and again."""
        self.clock.at(self.clock.now + CHECKS_SECONDS, self._check)
        self.clock.start(self._maintenance.run)
