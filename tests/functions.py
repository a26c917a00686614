"""Fan-out and dispatcher over the state of an InMemoryApp and queues in memory."""

import math
from collections.abc import Callable
from typing import Any, Protocol

from tests.factories import InMemoryApp
from tests.fakes.background import AtOnce
from tests.fakes.batch_reader import FakeBatchReader
from tests.fakes.credentials import FakeCredentials
from tests.fakes.delivery_log import FakeDeliveryLog
from tests.fakes.fanout_reader import FakeFanoutReader
from tests.fakes.keys import FakeKeyStore, FakeMaster
from tests.fakes.queues import (
    FakeDeliveryQueue,
    FakeEventPublisher,
    FakeEventsDlq,
    FakeEventsQueue,
    FakeRecoveryQueue,
)
from tests.fakes.rate_limiter import FakeRateLimiter
from tests.fakes.seen_events import FakeSeenEvents
from tests.fakes.subscriptions import FakeSubscriptions
from webhooks.domain.health_rules import HealthRules
from webhooks.ports import (
    Background,
    Clock,
    HttpClient,
    RateLimiter,
    Report,
    Rng,
    TimeLeft,
    Tokens,
    Workers,
    unreported,
)
from webhooks.services.dispatch.attempt import Attempts
from webhooks.services.dispatch.callback_request import CallbackSigner
from webhooks.services.dispatch.counts import DispatchCounts
from webhooks.services.dispatch.decision import DecisionRules
from webhooks.services.dispatch.gone_endpoints import GoneEndpoints
from webhooks.services.dispatch.health_keeper import HealthKeeper
from webhooks.services.dispatch.loading import Loader
from webhooks.services.dispatch.pipeline import Dispatcher
from webhooks.services.dispatch.rate_limits import RateLimits
from webhooks.services.dispatch.settlement import Settlement
from webhooks.services.dispatch.webhook_cache import WebhookCache
from webhooks.services.fanout.pipeline import Fanout

HEALTH_RULES = HealthRules(breaker_failures=10, breaker_seconds=60, probe_seconds=30)

# Takes a port's name and the port, and returns a replacement.
type Wrap = Callable[[str, Any], Any]


def as_it_is(_name: str, port: Any) -> Any:
    return port


def make_fanout(
    app: InMemoryApp, queue: FakeDeliveryQueue, events_dlq: FakeEventsDlq, *, wrap: Wrap = as_it_is
) -> Fanout:
    seen = FakeSeenEvents()
    return Fanout(
        index=wrap("index", app.subscriptions),
        seen=wrap("seen", seen),
        reader=wrap("fanout_reader", FakeFanoutReader(app.subscriptions, seen)),
        lane=wrap("lane", queue),
        events=FakeEventsQueue(),
        events_dlq=wrap("events_dlq", events_dlq),
        rng=lambda: 0.0,
        clock=app.clock,
        time_left=lambda: math.inf,
    )


class DispatcherStores(Protocol):
    """The stores and queues that the dispatcher shares with the other functions."""

    @property
    def subscriptions(self) -> FakeSubscriptions:
        """Webhooks with their health."""

    @property
    def credentials(self) -> FakeCredentials:
        """Their credentials."""

    @property
    def keys(self) -> FakeKeyStore:
        """The service's keys."""

    @property
    def signing_keys(self) -> FakeKeyStore:
        """The keys of callback signatures."""

    @property
    def recovery(self) -> FakeRecoveryQueue:
        """The recovery queue."""

    @property
    def publisher(self) -> FakeEventPublisher:
        """The events queue."""


def make_dispatcher(
    app: DispatcherStores,
    queue: FakeDeliveryQueue,
    log: FakeDeliveryLog,
    *,
    http: HttpClient,
    tokens: Tokens,
    workers: Workers,
    clock: Clock,
    monotonic: Clock,
    fast_seconds: float = 1.0,
    slow_from: float = 1.0,
    recovers: bool = True,
    background: Background | None = None,
    limiter: RateLimiter | None = None,
    rng: Rng = lambda: 0.0,
    time_left: TimeLeft = lambda: math.inf,
    settling_seconds: float = 0,
    wrap: Wrap = as_it_is,
    report: Report[DispatchCounts] = unreported,
    cache_seconds: float = 0,
) -> Dispatcher:
    """Return a dispatcher. `slow_from`: seconds from which an attempt is slow; `cache_seconds`: of webhooks.

    Without a `background`, waves are settled at once.
    """
    wrapped_queue = wrap("queue", queue)
    cache = WebhookCache(seconds=cache_seconds, clock=clock)
    subscriptions = wrap("subscriptions", app.subscriptions)
    recovery = wrap("recovery", app.recovery)
    publisher = wrap("publisher", app.publisher)
    signer = CallbackSigner(
        service=wrap("service", app.keys),
        signing=wrap("signing", app.signing_keys),
        master=wrap("master", FakeMaster(b"m" * 64)),
    )
    return Dispatcher(
        loader=Loader(
            signer=signer,
            reader=wrap("batch", FakeBatchReader(app.subscriptions, log)),
            credentials=wrap("credentials", app.credentials),
            workers=workers,
            cache=cache,
        ),
        signer=wrap("signer", signer),
        attempts=Attempts(tokens=wrap("tokens", tokens), monotonic=monotonic, default_ttl=5),
        http=http,
        queue=wrapped_queue,
        rate_limits=RateLimits(wrap("limiter", limiter or FakeRateLimiter()), clock=clock, workers=workers),
        settlement=Settlement(
            queue=wrapped_queue,
            log=wrap("log", log),
            clock=clock,
        ),
        background=background or AtOnce(),
        health=HealthKeeper(
            wrap("health", app.subscriptions),
            subscriptions,
            recovery=recovery,
            publisher=publisher,
            clock=clock,
            rules=HEALTH_RULES,
            slow_from=slow_from,
            cache=cache,
        ),
        gone=GoneEndpoints(
            subscriptions,
            recovery=recovery,
            publisher=publisher,
            clock=clock,
            time_left=time_left,
            cache=cache,
        ),
        monotonic=monotonic,
        clock=clock,
        rng=rng,
        rules=DecisionRules(delays=(30, 300), recovers=recovers),
        fast_seconds=fast_seconds,
        time_left=time_left,
        settling_seconds=settling_seconds,
        report=report,
    )
