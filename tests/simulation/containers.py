"""Containers: each has the functions' objects of its own, with their caches, over stores that all share."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, cast

from signing import Curve
from tests.fakes.background import AtOnce
from tests.fakes.batch_reader import FakeBatchReader
from tests.fakes.keys import FakeKeyStore, FakeMaster
from tests.simulation.ports import Http, Port, Workers
from tests.simulation.queues import Message
from webhooks.domain.keyring import content_keys, service_keys
from webhooks.domain.lane import Lane
from webhooks.services.dispatch.attempt import Attempts
from webhooks.services.dispatch.callback_request import CallbackSigner
from webhooks.services.dispatch.loading import Loader
from webhooks.services.dispatch.pipeline import Dispatcher
from webhooks.services.dispatch.settlement import Settlement
from webhooks.services.dispatch.slow_endpoints import SlowEndpoints
from webhooks.services.dispatch.stages import DeliveryMessage
from webhooks.services.fanout.pipeline import Fanout
from webhooks.services.fanout.stages import EventMessage

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation

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

    def __init__(self, simulation: "Simulation") -> None:
        self._simulation = simulation
        self._began = simulation.clock()
        self._fanout = Fanout(
            index=_port(simulation, "index", simulation.subscriptions),
            lane=_port(simulation, "lane", simulation.lanes),
            events=_port(simulation, "slices", simulation.slices),
            events_dlq=_port(simulation, "events", simulation.events_dlq),
            rng=simulation.random.random,
            time_left=lambda: TIMEOUT - (simulation.clock() - self._began),
            slice_size=simulation.slice_size,
        )

    def handle(self, messages: Sequence[Message], _lane: Lane) -> set[str]:
        self._began = self._simulation.clock()
        return self._fanout.fan_out(
            [
                EventMessage(each.id, each.text, round(each.sent_at * 1000), each.receives, receipt=each.id)
                for each in messages
            ]
        )


class DispatcherContainer:
    """functions/dispatcher."""

    def __init__(self, simulation: "Simulation") -> None:
        service, content, master = _keys()
        queue = _port(simulation, "queue", simulation.lanes)
        settlement = Settlement(
            queue=queue,
            log=_port(simulation, "log", simulation.log),
            subscriptions=_port(simulation, "subscriptions", simulation.subscriptions),
            clock=simulation.clock,
            time_left=simulation.time_left,
        )
        signer = CallbackSigner(
            service=_port(simulation, "service", service),
            content=_port(simulation, "content", content),
            master=_port(simulation, "master", master),
        )
        self._dispatch = Dispatcher(
            loader=Loader(
                signer=signer,
                reader=_port(simulation, "batch", FakeBatchReader(simulation.subscriptions, simulation.log)),
                credentials=_port(simulation, "credentials", simulation.credentials),
                workers=cast("Any", Workers(simulation, simulation.workers)),
            ),
            signer=signer,
            attempts=Attempts(
                tokens=_port(simulation, "tokens", simulation.tokens),
                monotonic=simulation.clock,
                default_ttl=5,
            ),
            http=Http(simulation, _port(simulation, "endpoint", simulation.endpoints), simulation.workers),
            queue=queue,
            settlement=settlement,
            background=AtOnce(),
            slow_endpoints=SlowEndpoints(
                _port(simulation, "pace", simulation.subscriptions),
                clock=simulation.clock,
                limit=FAST_SECONDS,
            ),
            clock=simulation.clock,
            rng=simulation.random.random,
            delays=DELAYS,
            fast_seconds=FAST_SECONDS,
            time_left=simulation.time_left,
            settling_seconds=SETTLING_SECONDS,
        )

    def handle(self, messages: Sequence[Message], lane: Lane) -> set[str]:
        return self._dispatch.dispatch(
            [DeliveryMessage(each.id, each.text, each.receives, each.id) for each in messages], lane
        )


def _port(simulation: "Simulation", name: str, real: object) -> Any:
    return Port(simulation, name, real)


@cache
def _keys() -> tuple[FakeKeyStore, FakeKeyStore, FakeMaster]:
    return (
        FakeKeyStore(service_keys({"seed": "s" * 64}, Curve.SECP256K1)),
        FakeKeyStore(content_keys({"seed": "c" * 64})),
        FakeMaster(b"m" * 64),
    )
