"""The deployed service on a simulated clock, in which calls take their time and Lambda scales.

The template's defaults hold: batches of 10, the invocations at a time, the delays before a retry. Calls of
AWS and a container's start take their time, and a tenant's endpoint 200 ms, or all of its ttl if it, its
token endpoint or its host's lookup is unresponsive.
"""

import json
import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from enum import StrEnum
from random import Random
from typing import Any

from tests.fakes.delivery_log import FakeDeliveryLog
from tests.fakes.endpoint import at_once
from tests.simulation.clock import SimulatedClock
from tests.simulation.containers import Container, DispatcherContainer, FanoutContainer
from tests.simulation.deployment import NOW, Deployment
from tests.simulation.queues import MAX_BATCH, Message, OldestFirst, Queue
from webhooks.domain.delivery import MAX_PACK_DELIVERIES
from webhooks.domain.delivery_log import LogEntry
from webhooks.domain.http import (
    ClientCredentials,
    HttpOutcome,
    HttpRequest,
    HttpResponse,
    NoResponse,
    NoResponseReason,
)
from webhooks.domain.lane import Lane
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import AuthType, Credential, Definition, Endpoint, Webhook
from webhooks.ports import Conversation, IdempotencyRecord
from webhooks.services.fanout.pipeline import SLICE

EVENT = "order.paid"
MAX_CONCURRENCY = {"events": 10, "deliveries": 50, "slow": 50}  # invocations
# Lambda begins with 5 invocations at a time for a mapping and adds 300 a minute while messages wait.
FIRST_CONCURRENCY, ADDED_CONCURRENCY, ADDED_EVERY_SECONDS = 5, 5, 1
INIT_SECONDS = 0.4  # of a new container
RESPONSE_SECONDS = 0.2  # of an endpoint that responds
# From a message's arrival until Lambda can have it: a logarithmic normal with p50 16 ms and p99 105 ms.
HOP_MEDIAN, HOP_SIGMA = 0.016, 0.81
TOKEN_PATH = "/token"  # noqa: S105 - a path
# Seconds of a call of AWS, by the port. Other ports are cached, or make no call.
CALLS = {
    "index.versions": 0.005,
    "index.listeners": 0.005,
    "lane.send": 0.010,
    "batch.read": 0.006,
    "queue.send_slow": 0.010,
    "queue.send_to_dlq": 0.010,
    "log.record": 0.008,
    "slow_marks.mark": 0.006,
}


class Design(StrEnum):
    """The means against unresponsive endpoints."""

    LANES = "two lanes of fair queues"
    FAIR = "one fair queue"
    PLAIN = "one queue"


class Unresponsive(StrEnum):
    """The part of a tenant's system that never responds."""

    ENDPOINT = "endpoints"
    TOKEN = "token endpoints"  # noqa: S105 - a kind
    LOOKUP = "lookups"


class EmptyLog(FakeDeliveryLog):
    """A delivery log that keeps nothing: no message comes twice here."""

    def record(self, entries: Sequence[LogEntry]) -> Sequence[LogEntry]:
        """Write nothing."""
        del entries
        return ()


class TimedEndpoints:
    """All endpoints. `dead`: URLs whose endpoint, token endpoint or lookup never responds.

    `arrivals`: the time of each event's first callback, by the event's id.
    """

    def __init__(self, clock: SimulatedClock, unresponsive: Unresponsive) -> None:
        self.unresponsive = unresponsive
        self.dead: set[str] = set()
        self.arrivals: dict[str, float] = {}
        self._clock = clock

    def exchange(self, request: HttpRequest, *, seconds: float) -> HttpOutcome:
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


class EventSourceMapping:
    """Runs a function on the batches of a queue; at first a few invocations at a time, then more."""

    def __init__(
        self, deployment: "TimedDeployment", queue: Queue, *, lane: Lane, make: Callable[[Any], Container]
    ) -> None:
        self._deployment = deployment
        self._clock = deployment.clock
        self._queue = queue
        self._lane = lane
        self._make = make
        self._concurrency = FIRST_CONCURRENCY
        self._running = 0
        self._added_at = NOW
        self._idle: list[Container] = []

    def poll(self) -> None:
        """Start as many invocations as there are batches and room for."""
        while self._running < self._concurrency and (batch := self._queue.receive(MAX_BATCH)):
            self._start(batch)
        limit, now = MAX_CONCURRENCY[self._queue.name], self._clock.now
        is_due = now >= self._added_at + ADDED_EVERY_SECONDS
        if self._queue.visible and self._concurrency < limit and is_due:
            self._concurrency = min(limit, self._concurrency + ADDED_CONCURRENCY)
            self._added_at = now
            self._clock.at(now + ADDED_EVERY_SECONDS, self.poll)
            self.poll()

    def _start(self, batch: Sequence[Message]) -> None:
        self._running += 1
        self._clock.start(lambda: self._invoke(batch))

    def _invoke(self, batch: Sequence[Message]) -> None:
        if self._idle:
            container = self._idle.pop()
        else:
            self._clock.sleep(INIT_SECONDS)
            container = self._make(self._deployment)
        failed = container.handle(batch, self._lane)
        self._deployment.catch_up()
        for message in batch:
            if message.id not in failed:
                self._queue.delete(message)
        self._idle.append(container)
        self._running -= 1
        self.poll()


class TimedDeployment(Deployment):
    """See the module."""

    endpoints: TimedEndpoints

    def __init__(
        self,
        random: Random,
        *,
        design: Design = Design.LANES,
        unresponsive: Unresponsive = Unresponsive.ENDPOINT,
    ) -> None:
        self._design = design
        super().__init__(random, workers=MAX_BATCH * MAX_PACK_DELIVERIES, slice_size=SLICE)
        self.log = EmptyLog()
        self.tokens = self.endpoints = TimedEndpoints(self.clock, unresponsive)
        # A single queue hands nothing over, and retries come back to it: it is a slow lane alone.
        lane = Lane.FAST
        if design is not Design.LANES:
            lane, self.slow = Lane.SLOW, self.fast
        else:
            self._map(self.slow, lane=Lane.SLOW, make=DispatcherContainer)
        self._map(self.events, lane=lane, make=FanoutContainer)
        self._map(self.fast, lane=lane, make=DispatcherContainer)

    def make_queue(self, name: str, *, dead: Queue | None = None) -> Queue:
        """Return a queue that serves Lambda as SQS does."""
        order = OldestFirst(is_fair=self._design is not Design.PLAIN)
        return Queue(name, clock=self.clock, order=order, dead=dead, hop=self._hop)

    def _hop(self) -> float:
        return HOP_MEDIAN * self.random.lognormvariate(0, HOP_SIGMA)

    def _map(self, queue: Queue, *, lane: Lane, make: Callable[[Any], Container]) -> None:
        queue.on_visible = EventSourceMapping(self, queue, lane=lane, make=make).poll

    def time_left(self) -> float:
        """Return the time of an invocation: none here comes near its end."""
        return math.inf

    def catch_up(self, seconds: float = 0) -> None:
        """Let the time pass that the current task has spent, and some more."""
        seconds, self.clock.spent = self.clock.spent + seconds, 0.0
        if seconds:
            self.clock.sleep(seconds)

    def call(self, name: str, real: Callable[..., Any], /, *args: Any, **named: Any) -> Any:
        """Make a call of a port, which takes its time and then has its effect."""
        if name in CALLS:
            self.catch_up(CALLS[name])
        result = real(*args, **named)
        self.move_messages()
        return result

    def start_beside(self, work: Callable[[], None]) -> None:
        """Start a task at the current one's time."""
        self.catch_up()
        self.clock.start(work)

    def wait_for(self, future: Future[Any]) -> None:
        """Let time pass until a future is done."""
        self.catch_up()
        if not future.done():
            self.clock.wait_for(future)

    def register(self, scope: Scope, **changes: Any) -> str:
        """Store a tenant's webhook for EVENT; returns its endpoint's URL."""
        url = f"https://{scope.tenant_id}.example.com/hook"
        endpoint, webhook_id, ref = Endpoint(url), self.subscriptions.next_id(scope, now=NOW), None
        if self.endpoints.unresponsive is Unresponsive.TOKEN:
            endpoint = Endpoint(url, auth_type=AuthType.OAUTH2, oauth_token_url=url + TOKEN_PATH)
            credential = Credential(client_id="id", client_secret="secret")  # noqa: S106 - of nothing
            ref = self.credentials.create(scope, webhook_id, credential=credential)
        definition = Definition(
            event_names=(EVENT,), name="w", endpoint=endpoint, success_codes=(200,), created_by="b", **changes
        )
        webhook = Webhook(webhook_id, scope, definition, created_at=int(NOW), credential=ref)
        self.subscriptions.add(webhook, IdempotencyRecord(webhook_id, "", int(NOW)))
        return url

    def publish(self, scope: Scope, event_id: str, *, at: float) -> None:
        """Publish an event at a time."""
        event = {"eventId": event_id, "eventName": EVENT, "data": {}}
        event |= {"tenantId": scope.tenant_id, "communityId": scope.community_id}
        text = json.dumps(event)
        self.clock.at(at, lambda: self.events.put(text, group=scope.fairness_group))
