"""The deployed service on a simulated clock, in which calls take their time and Lambda scales.

The template's defaults hold: batches of 10, the invocations at a time, the delays before a retry. Calls of
AWS and a container's start take their time, and a tenant's endpoint 200 ms, or all of its ttl if it, its
token endpoint or its host's lookup is unresponsive.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from enum import StrEnum
from random import Random
from typing import Any

from benchmarks.event_source_mapping import MAX_CONCURRENCY, EventSourceMapping
from benchmarks.timed_endpoints import TOKEN_PATH, TimedEndpoints, Unresponsive
from tests.clocks import NOW
from tests.fakes.delivery_log import FakeDeliveryLog
from tests.simulation.containers import Container, DispatcherContainer, FanoutContainer
from tests.simulation.deployment import Deployment
from tests.simulation.queue_orders import OldestFirst
from tests.simulation.queues import MAX_BATCH, Queue
from webhooks.domain.delivery import MAX_PACK_DELIVERIES
from webhooks.domain.delivery_log import LogEntry
from webhooks.domain.lane import Lane
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import AuthType, Credential, Definition, Endpoint, Webhook
from webhooks.ports import IdempotencyRecord
from webhooks.services.fanout.pipeline import SLICE

EVENT = "order.paid"
# From a message's arrival until Lambda can have it: a logarithmic normal with p50 16 ms and p99 105 ms.
HOP_MEDIAN, HOP_SIGMA = 0.016, 0.81
# Seconds of a call of AWS, by the port. Other ports are cached, or make no call.
CALLS = {
    "index.versions": 0.005,
    "index.listeners": 0.005,
    "lane.send": 0.010,
    "batch.read": 0.006,
    "queue.send_slow": 0.010,
    "queue.send_to_dlq": 0.010,
    "log.record": 0.008,
    "health.save": 0.006,
}


class Design(StrEnum):
    """The means against unresponsive endpoints."""

    LANES = "two lanes of fair queues"
    FAIR = "one fair queue"
    PLAIN = "one queue"


class EmptyLog(FakeDeliveryLog):
    """A delivery log that keeps nothing: no message comes twice here."""

    def record(self, entries: Sequence[LogEntry]) -> Sequence[LogEntry]:
        """Write nothing."""
        del entries
        return ()


class TimedDeployment(Deployment):
    """See the module.

    `concurrency`: of each queue's mapping. `scaled`: Lambda has added all of it already.
    """

    endpoints: TimedEndpoints

    def __init__(
        self,
        random: Random,
        *,
        design: Design = Design.LANES,
        unresponsive: Unresponsive = Unresponsive.ENDPOINT,
        concurrency: Mapping[str, int] = MAX_CONCURRENCY,
        scaled: bool = False,
    ) -> None:
        self._design, self._concurrency, self._scaled = design, concurrency, scaled
        self.mappings: dict[str, EventSourceMapping] = {}
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

    def _map(self, queue: Queue, *, lane: Lane, make: Callable[[Deployment], Container]) -> None:
        limit = self._concurrency[queue.name]
        mapping = EventSourceMapping(self, queue, lane=lane, make=make, limit=limit, scaled=self._scaled)
        self.mappings[queue.name], queue.on_visible = mapping, mapping.poll

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
