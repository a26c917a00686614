"""The deployed service in virtual time: its queues, and Lambda that runs the real fan-out and dispatch.

The template's defaults hold: batches of 10, how many at once, the delays before a retry. Calls of AWS and a
container's start take their time, and a tenant's endpoint 200 ms, or all of its ttl where it, its token
endpoint or its host's lookup never answers.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from random import Random
from typing import Any, cast

from benchmarks.queues import Message, Queue
from benchmarks.virtual_time import VirtualTime
from tests.fakes.credentials import FakeCredentials
from tests.fakes.endpoint import at_once
from tests.fakes.queues import FakeDeliveryQueue, FakeEventsDlq, FakeEventsQueue
from tests.fakes.subscriptions import FakeSubscriptions
from tests.simulation.containers import Container, DispatcherContainer, FanoutContainer
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
NOW = 1_790_000_000.0  # epoch seconds
BATCH = 10  # messages
AT_ONCE = {"events": 10, "deliveries": 50, "slow": 50}  # invocations: MaximumConcurrency
# Lambda begins with 5 at once for a mapping and adds 300 a minute while messages wait.
AT_ONCE_FIRST, AT_ONCE_MORE = 5, 5
INIT_SECONDS = 0.4  # of a new container
ANSWER_SECONDS = 0.2  # of an endpoint that answers
TOKEN_PATH = "/token"  # noqa: S105 - a path
# Seconds of a call of AWS, by the port. What is not here is cached, or is no call.
CALLS = {
    "index.versions": 0.005,
    "index.listeners": 0.005,
    "lane.send": 0.010,
    "batch.read": 0.006,
    "queue.send_slow": 0.010,
    "queue.send_to_dlq": 0.010,
    "log.record": 0.008,
    "pace.mark": 0.006,
}


class Design(StrEnum):
    """What there is against endpoints that never answer."""

    LANES = "two lanes of fair queues"
    FAIR = "one fair queue"
    PLAIN = "one queue"


class Mute(StrEnum):
    """What never answers."""

    ENDPOINT = "endpoints"
    TOKEN = "token endpoints"  # noqa: S105 - what never answers
    LOOKUP = "lookups"


class BlindLog:
    """An attempt log that keeps nothing: nothing comes twice here."""

    def record(self, _entries: Sequence[LogEntry]) -> Sequence[LogEntry]:
        """Write nothing."""
        return ()

    def entries(self) -> Sequence[LogEntry]:
        """Return nothing."""
        return ()


@dataclass(eq=False)
class Endpoints:
    """Everybody's endpoints. `dead`: URLs of which what is `mute` never answers; `came`: when each event's
    callback did.
    """

    deployment: "Deployment"
    mute: Mute
    dead: set[str] = field(default_factory=set)
    came: dict[str, float] = field(default_factory=dict)

    def exchange(self, request: HttpRequest, *, seconds: float) -> HttpOutcome:
        """Take a request; the time it takes is the deployment's to spend."""
        at = self.deployment.clock()
        if request.url in self.dead:
            is_lookup = self.mute is Mute.LOOKUP
            return self.silence(NoResponseReason.DNS if is_lookup else NoResponseReason.DEADLINE, seconds)
        self.came.setdefault(json.loads(request.body)["id"], at)
        self.deployment.spent += ANSWER_SECONDS
        return HttpResponse(200, None, "", round(ANSWER_SECONDS * 1000), "192.0.2.1")

    def token(
        self, client: ClientCredentials, *, seconds: float, rejected: str | None = None
    ) -> Conversation[str | NoResponse]:
        """Give out a token; the token endpoint's URL is the endpoint's own with a path more."""
        del rejected
        if client.token_url.removesuffix(TOKEN_PATH) in self.dead:
            return at_once(self.silence(NoResponseReason.OAUTH, seconds))
        return at_once("token")

    def silence(self, reason: NoResponseReason, seconds: float) -> NoResponse:
        """Spend all of the time."""
        self.deployment.spent += seconds
        return NoResponse(reason, "the time was up", round(seconds * 1000), None)


@dataclass(eq=False)
class Mapping:
    """A queue's event source mapping: runs a function on its batches, so many at once."""

    deployment: "Deployment"
    queue: Queue
    lane: Lane
    make: Callable[[Any], Container]
    at_once: int = AT_ONCE_FIRST
    running: int = 0
    added_at: float = NOW
    idle: list[Container] = field(default_factory=list)

    def poll(self) -> None:
        """Start what can be started."""
        time = self.deployment.time
        while self.running < self.at_once and (batch := self.queue.receive(BATCH)):
            self.running += 1
            time.start(partial(self._invoke, batch))
        if self.queue.waiting and self.at_once < AT_ONCE[self.queue.name] and time.now >= self.added_at + 1:
            self.at_once = min(AT_ONCE[self.queue.name], self.at_once + AT_ONCE_MORE)
            self.added_at = time.now
            time.at(time.now + 1, self.poll)
            self.poll()

    def _invoke(self, batch: Sequence[Message]) -> None:
        if self.idle:
            container = self.idle.pop()
        else:
            self.deployment.time.sleep(INIT_SECONDS)
            container = self.make(self.deployment)
        failed = container.handle(cast("Any", batch), self.lane)
        self.deployment.catch_up()
        self.queue.settle(batch, failed=failed)
        self.idle.append(container)
        self.running -= 1
        self.poll()


class Deployment:
    """What the containers of tests/simulation call a world."""

    def __init__(self, random: Random, design: Design = Design.LANES, mute: Mute = Mute.ENDPOINT) -> None:
        self.random = random
        self.time = VirtualTime(NOW)
        self.spent = 0.0  # by the program that runs, of its own time to come
        self.workers = BATCH * MAX_PACK_DELIVERIES
        self.subscriptions = FakeSubscriptions(clock=self.clock, random_bytes=random.randbytes)
        self.credentials = FakeCredentials(clock=self.clock, random_bytes=random.randbytes)
        self.log = BlindLog()
        self.tokens = self.endpoints = Endpoints(self, mute)
        self.lanes, self.events_dlq = FakeDeliveryQueue(), FakeEventsDlq()
        self.slices, self.slice_size = FakeEventsQueue(), SLICE  # no event here is wide
        is_fair = design is not Design.PLAIN
        self.events, self.fast, self.slow = (Queue(name, self.time, random, is_fair) for name in AT_ONCE)
        # In one queue nothing is handed over, and retries come back to it: that is a slow lane alone.
        lane = Lane.FAST if design is Design.LANES else Lane.SLOW
        self._again = self.slow if design is Design.LANES else self.fast
        for queue, through, make in (
            (self.events, lane, FanoutContainer),
            (self.fast, lane, DispatcherContainer),
            (self.slow, Lane.SLOW, DispatcherContainer),
        ):
            queue.on_message = Mapping(self, queue, through, make).poll

    def clock(self) -> float:
        """Return the time as the running program sees it, in epoch seconds."""
        return self.time.now + self.spent

    def time_left(self) -> float:
        """Return an invocation's time: nothing here comes near its end."""
        return math.inf

    def catch_up(self, seconds: float = 0) -> None:
        """Let the time pass that the running program has spent, and some more."""
        seconds, self.spent = self.spent + seconds, 0.0
        if seconds:
            self.time.sleep(seconds)

    def meet(self, name: str, real: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """Make a call of a port, which takes its time and then has its effect."""
        if name in CALLS:
            self.catch_up(CALLS[name])
        result = real(*args, **named)
        for source, queue in ((self.lanes.fast, self.fast), (self.lanes.slow, self._again)):
            for sent in source.take(len(source.messages())):
                head = json.loads(sent.text.partition("\n")[0])
                group = Scope(head["tenantId"], head["communityId"]).fairness_group
                queue.put(sent.text, group=group, delay=sent.delay)
        return result

    def register(self, scope: Scope, **changes: Any) -> str:
        """Store a tenant's webhook for EVENT; returns its endpoint's URL."""
        url = f"https://{scope.tenant_id}.example.com/hook"
        endpoint, webhook_id, ref = Endpoint(url), self.subscriptions.next_id(scope, now=NOW), None
        if self.endpoints.mute is Mute.TOKEN:
            endpoint = Endpoint(url, auth_type=AuthType.OAUTH2, oauth_token_url=url + TOKEN_PATH)
            credential = Credential(client_id="id", client_secret="secret")  # noqa: S106 - of nothing
            ref = self.credentials.create(scope, webhook_id, credential=credential)
        definition = Definition(
            event_names=(EVENT,), name="w", endpoint=endpoint, success_codes=(200,), created_by="b", **changes
        )
        webhook = Webhook(webhook_id, scope, definition, created_at=int(NOW), credential=ref)
        self.subscriptions.add(webhook, IdempotencyRecord(webhook_id, "", int(NOW)))
        return url

    def publish(self, scope: Scope, event_id: str, at: float) -> None:
        """Let an event come at a moment."""
        event = {"eventId": event_id, "eventName": EVENT, "data": {}}
        event |= {"tenantId": scope.tenant_id, "communityId": scope.community_id}
        text = json.dumps(event)
        self.time.at(at, lambda: self.events.put(text, group=scope.tenant_id))
