"""Containers: each has the functions' objects of its own, with their caches, over stores that all share."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, cast

from signing import Curve
from tests.fakes.batch_reader import FakeBatchReader
from tests.fakes.keys import FakeKeyStore, FakeMaster
from tests.simulation.ports import Http, Port, Workers
from tests.simulation.queues import Message
from webhooks.domain.keyring import content_keys, service_keys
from webhooks.domain.lane import Lane
from webhooks.services.dispatch.attempt import Attempts
from webhooks.services.dispatch.callback_request import CallbackSigner
from webhooks.services.dispatch.pipeline import Dispatcher
from webhooks.services.dispatch.settlement import Settlement
from webhooks.services.dispatch.slow_endpoints import SlowEndpoints
from webhooks.services.dispatch.stages import DeliveryMessage
from webhooks.services.fanout.pipeline import EventMessage, Fanout

if TYPE_CHECKING:
    from tests.simulation.world import World

FAST_SECONDS = 1
TIMEOUT = 30  # of fan-out, in seconds
DELAYS = (30, 300)
SETTLING_SECONDS = 7


class Container(Protocol):
    """A warm function."""

    def handle(self, messages: Sequence[Message], lane: Lane) -> set[str]:
        """Work on a batch that came by a lane; returns what must come again."""


class FanoutContainer:
    """functions/fanout."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._began = world.clock()
        self._fanout = Fanout(
            index=_port(world, "index", world.subscriptions),
            lane=_port(world, "lane", world.lanes),
            events=_port(world, "slices", world.slices),
            events_dlq=_port(world, "events", world.events_dlq),
            time_left=lambda: TIMEOUT - (world.clock() - self._began),
            slice_size=world.slice_size,
        )

    def handle(self, messages: Sequence[Message], _lane: Lane) -> set[str]:
        self._began = self._world.clock()
        return self._fanout.fan_out(
            [
                EventMessage(each.id, each.text, round(each.sent_at * 1000), each.receives, receipt=each.id)
                for each in messages
            ]
        )


class DispatcherContainer:
    """functions/dispatcher."""

    def __init__(self, world: "World") -> None:
        service, content, master = _keys()
        queue = _port(world, "queue", world.lanes)
        settlement = Settlement(
            queue=queue,
            log=_port(world, "log", world.log),
            subscriptions=_port(world, "subscriptions", world.subscriptions),
            clock=world.clock,
            time_left=world.time_left,
        )
        self._dispatch = Dispatcher(
            reader=_port(world, "batch", FakeBatchReader(world.subscriptions, world.log)),
            queue=queue,
            attempts=Attempts(
                tokens=_port(world, "tokens", world.tokens),
                credentials=_port(world, "credentials", world.credentials),
                signer=CallbackSigner(
                    service=_port(world, "service", service),
                    content=_port(world, "content", content),
                    master=_port(world, "master", master),
                ),
                monotonic=world.clock,
                default_ttl=5,
            ),
            settlement=settlement,
            slow_endpoints=SlowEndpoints(
                _port(world, "pace", world.subscriptions), clock=world.clock, limit=FAST_SECONDS
            ),
            workers=cast("Any", Workers(world, world.workers)),
            http=Http(world, _port(world, "endpoint", world.endpoints), world.workers),
            clock=world.clock,
            rng=world.random.random,
            delays=DELAYS,
            fast_seconds=FAST_SECONDS,
            time_left=world.time_left,
            settling_seconds=SETTLING_SECONDS,
        )

    def handle(self, messages: Sequence[Message], lane: Lane) -> set[str]:
        return self._dispatch.dispatch(
            [DeliveryMessage(each.id, each.text, each.receives, each.id) for each in messages], lane
        )


def _port(world: "World", name: str, real: object) -> Any:
    return Port(world, name, real)


@cache
def _keys() -> tuple[FakeKeyStore, FakeKeyStore, FakeMaster]:
    return (
        FakeKeyStore(service_keys({"seed": "s" * 64}, Curve.SECP256K1)),
        FakeKeyStore(content_keys({"seed": "c" * 64})),
        FakeMaster(b"m" * 64),
    )
