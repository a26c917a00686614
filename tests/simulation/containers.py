"""Containers: each has a function's objects of its own, with their caches, over the stores that all share."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from signing import Curve
from tests.fakes.credentials import FakeCredentials
from tests.fakes.fanout_reader import FakeFanoutReader
from tests.fakes.keys import FakeKeyStore
from tests.fakes.queues import FakeEventPublisher, FakeRecoveryQueue
from tests.fakes.subscriptions import FakeSubscriptions
from tests.functions import make_dispatcher
from tests.simulation.concurrency import SimulatedBackground, SimulatedHttpClient, SimulatedWorkers
from tests.simulation.deployment import Deployment
from tests.simulation.ports import port_of
from tests.simulation.queue_orders import Message
from webhooks.domain.keyring import service_keys, signing_keys
from webhooks.domain.lane import Lane
from webhooks.services.dispatch.stages import DeliveryMessage
from webhooks.services.fanout.pipeline import Fanout
from webhooks.services.fanout.stages import EventMessage

FANOUT_TIMEOUT = 30  # seconds
SETTLING_SECONDS = 7


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
            seen=port_of(deployment, "seen", deployment.seen),
            reader=port_of(deployment, "fanout_reader", FakeFanoutReader(deployment.index, deployment.seen)),
            lane=port_of(deployment, "lane", deployment.lanes),
            events=port_of(deployment, "events_queue", deployment.events_queue),
            events_dlq=port_of(deployment, "events_dlq", deployment.events_dlq),
            rng=deployment.random.random,
            clock=deployment.clock,
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


@dataclass(frozen=True)
class _Stores:
    """The stores and queues of a deployment that its dispatchers share."""

    subscriptions: FakeSubscriptions
    credentials: FakeCredentials
    keys: FakeKeyStore
    signing_keys: FakeKeyStore
    recovery: FakeRecoveryQueue
    publisher: FakeEventPublisher


class DispatcherContainer:
    """functions/dispatcher."""

    def __init__(self, deployment: Deployment) -> None:
        service, signing = _keys()
        workers = SimulatedWorkers(deployment.clock, random=deployment.random, count=deployment.workers)
        stores = _Stores(
            deployment.subscriptions,
            deployment.credentials,
            service,
            signing,
            deployment.recovery_queue,
            deployment.publisher,
        )
        self._dispatcher = make_dispatcher(
            stores,
            deployment.lanes,
            deployment.log,
            http=SimulatedHttpClient(
                port_of(deployment, "endpoint", deployment.endpoints),
                clock=deployment.clock,
                connections=workers,
            ),
            tokens=deployment.tokens,
            workers=workers,
            clock=deployment.clock,
            monotonic=deployment.clock,
            recovers=deployment.recovers,
            background=SimulatedBackground(deployment),
            limiter=deployment.limiter,
            rng=deployment.random.random,
            time_left=deployment.time_left,
            settling_seconds=SETTLING_SECONDS,
            cache_seconds=deployment.cache_seconds,
            wrap=lambda name, port: port if name == "signer" else port_of(deployment, name, port),
        )

    def handle(self, messages: Sequence[Message], lane: Lane) -> set[str]:
        return self._dispatcher.dispatch(
            [DeliveryMessage(each.id, each.text, each.receives, each.id) for each in messages], lane
        )


@cache
def _keys() -> tuple[FakeKeyStore, FakeKeyStore]:
    return (
        FakeKeyStore(service_keys({"seed": "s" * 64}, Curve.SECP256K1)),
        FakeKeyStore(signing_keys({"seed": "c" * 64})),
    )
