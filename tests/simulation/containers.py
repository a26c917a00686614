"""Containers: each has a function's objects of its own, with their caches, over the stores that all share."""

from collections.abc import Sequence
from functools import cache
from typing import Protocol

from signing import Curve
from tests.fakes.batch_reader import FakeBatchReader
from tests.fakes.keys import FakeKeyStore, FakeMaster
from tests.simulation.concurrency import SimulatedBackground, SimulatedHttpClient, SimulatedWorkers
from tests.simulation.deployment import Deployment
from tests.simulation.ports import port_of
from tests.simulation.queue_orders import Message
from webhooks.domain.health_rules import HealthRules
from webhooks.domain.keyring import service_keys, signing_keys
from webhooks.domain.lane import Lane
from webhooks.services.dispatch.attempt import Attempts
from webhooks.services.dispatch.callback_request import CallbackSigner
from webhooks.services.dispatch.decision import DecisionRules
from webhooks.services.dispatch.gone_endpoints import GoneEndpoints
from webhooks.services.dispatch.health_keeper import HealthKeeper
from webhooks.services.dispatch.loading import Loader
from webhooks.services.dispatch.pipeline import Dispatcher
from webhooks.services.dispatch.rate_limits import RateLimits
from webhooks.services.dispatch.settlement import Settlement
from webhooks.services.dispatch.stages import DeliveryMessage
from webhooks.services.fanout.pipeline import Fanout
from webhooks.services.fanout.stages import EventMessage

FAST_SECONDS = 1
FANOUT_TIMEOUT = 30  # seconds
DELAYS = (30, 300)
SETTLING_SECONDS = 7
HEALTH_RULES = HealthRules(breaker_failures=10, breaker_seconds=60, probe_seconds=30)


class Container(Protocol):
    """A warm function."""

    def handle(self, messages: Sequence[Message], lane: Lane) -> set[str]:
        """Handle a batch of a lane; returns the ids of the messages that must come again."""


class FanoutContainer:
    """functions/fanout."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._began = deployment.clock()
        self._fanout = Fanout(
            index=port_of(deployment, "index", deployment.index),
            lane=port_of(deployment, "lane", deployment.lanes),
            events=port_of(deployment, "events_queue", deployment.events_queue),
            events_dlq=port_of(deployment, "events_dlq", deployment.events_dlq),
            rng=deployment.random.random,
            time_left=lambda: FANOUT_TIMEOUT - (deployment.clock() - self._began),
            slice_size=deployment.slice_size,
        )

    def handle(self, messages: Sequence[Message], _lane: Lane) -> set[str]:
        self._began = self._deployment.clock()
        return self._fanout.fan_out(
            [
                EventMessage(each.id, each.text, round(each.sent_at * 1000), each.receives, receipt=each.id)
                for each in messages
            ]
        )


class DispatcherContainer:
    """functions/dispatcher."""

    def __init__(self, deployment: Deployment) -> None:
        service, signing, master = _keys()
        queue = port_of(deployment, "queue", deployment.lanes)
        workers = SimulatedWorkers(deployment.clock, random=deployment.random, count=deployment.workers)
        settlement = Settlement(
            queue=queue, log=port_of(deployment, "log", deployment.log), clock=deployment.clock
        )
        subscriptions = port_of(deployment, "subscriptions", deployment.subscriptions)
        recovery = port_of(deployment, "recovery_queue", deployment.recovery_queue)
        publisher = port_of(deployment, "publisher", deployment.publisher)
        signer = CallbackSigner(
            service=port_of(deployment, "service", service),
            signing=port_of(deployment, "signing", signing),
            master=port_of(deployment, "master", master),
        )
        self._dispatcher = Dispatcher(
            loader=Loader(
                signer=signer,
                reader=port_of(
                    deployment, "batch", FakeBatchReader(deployment.subscriptions, deployment.log)
                ),
                credentials=port_of(deployment, "credentials", deployment.credentials),
                workers=workers,
            ),
            signer=signer,
            attempts=Attempts(
                tokens=port_of(deployment, "tokens", deployment.tokens),
                monotonic=deployment.clock,
                default_ttl=5,
            ),
            http=SimulatedHttpClient(
                port_of(deployment, "endpoint", deployment.endpoints),
                clock=deployment.clock,
                connections=workers,
            ),
            queue=queue,
            rate_limits=RateLimits(
                port_of(deployment, "limiter", deployment.limiter), clock=deployment.clock, workers=workers
            ),
            settlement=settlement,
            background=SimulatedBackground(deployment),
            health=HealthKeeper(
                port_of(deployment, "health", deployment.subscriptions),
                subscriptions,
                recovery=recovery,
                publisher=publisher,
                clock=deployment.clock,
                rules=HEALTH_RULES,
                slow_from=FAST_SECONDS,
            ),
            gone=GoneEndpoints(
                subscriptions,
                recovery=recovery,
                publisher=publisher,
                clock=deployment.clock,
                time_left=deployment.time_left,
            ),
            monotonic=deployment.clock,
            clock=deployment.clock,
            rng=deployment.random.random,
            rules=DecisionRules(delays=DELAYS, recovers=deployment.recovers),
            fast_seconds=FAST_SECONDS,
            time_left=deployment.time_left,
            settling_seconds=SETTLING_SECONDS,
        )

    def handle(self, messages: Sequence[Message], lane: Lane) -> set[str]:
        return self._dispatcher.dispatch(
            [DeliveryMessage(each.id, each.text, each.receives, each.id) for each in messages], lane
        )


@cache
def _keys() -> tuple[FakeKeyStore, FakeKeyStore, FakeMaster]:
    return (
        FakeKeyStore(service_keys({"seed": "s" * 64}, Curve.SECP256K1)),
        FakeKeyStore(signing_keys({"seed": "c" * 64})),
        FakeMaster(b"m" * 64),
    )
