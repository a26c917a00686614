"""Fan-out and dispatcher over the state of a World and queues in memory."""

import math
from collections.abc import Callable
from typing import Any

from tests.factories import World
from webhooks.adapters.memory.batch_reader import MemoryBatchReader
from webhooks.adapters.memory.delivery_log import MemoryDeliveryLog
from webhooks.adapters.memory.keys import MemoryMaster
from webhooks.adapters.memory.queues import MemoryDeadEvents, MemoryDeliveryQueue, MemoryEventsQueue
from webhooks.ports import Clock, HttpClient, Tokens, Workers
from webhooks.services.attempt import Attempts
from webhooks.services.callback import CallbackSigner
from webhooks.services.delivery import Dispatch
from webhooks.services.fanout import Fanout
from webhooks.services.pace import PaceKeeper
from webhooks.services.settlement import Settlement

# Takes a port's name and the port, and returns what is used in its place.
type Wrap = Callable[[str, Any], Any]


def as_it_is(_name: str, port: Any) -> Any:
    return port


def make_fanout(
    world: World, queue: MemoryDeliveryQueue, dead_events: MemoryDeadEvents, *, wrap: Wrap = as_it_is
) -> Fanout:
    return Fanout(
        index=wrap("index", world.subscriptions),
        lane=wrap("lane", queue),
        events=MemoryEventsQueue(),
        dead_events=wrap("dead_events", dead_events),
        time_left=lambda: math.inf,
    )


def make_dispatch(
    world: World,
    queue: MemoryDeliveryQueue,
    log: MemoryDeliveryLog,
    *,
    http: HttpClient,
    tokens: Tokens,
    workers: Workers,
    clock: Clock,
    monotonic: Clock,
    fast_seconds: float = 1.0,
    slow_from: float = 1.0,
    wrap: Wrap = as_it_is,
) -> Dispatch:
    """Return a dispatcher whose random numbers are 0. `slow_from`: seconds from which an attempt is slow."""
    wrapped_queue = wrap("queue", queue)
    return Dispatch(
        reader=wrap("reader", MemoryBatchReader(world.subscriptions, log)),
        queue=wrapped_queue,
        attempts=Attempts(
            tokens=wrap("tokens", tokens),
            credentials=wrap("credentials", world.credentials),
            signer=CallbackSigner(
                service=wrap("service", world.keys),
                content=wrap("content", world.content_keys),
                master=wrap("master", MemoryMaster(b"m" * 64)),
            ),
            monotonic=monotonic,
            default_ttl=5,
        ),
        settlement=Settlement(
            queue=wrapped_queue,
            log=wrap("log", log),
            subscriptions=wrap("subscriptions", world.subscriptions),
            clock=clock,
            time_left=lambda: math.inf,
        ),
        pace=PaceKeeper(wrap("pace", world.subscriptions), clock=clock, limit=slow_from),
        workers=workers,
        http=http,
        clock=clock,
        chance=lambda: 0.0,
        delays=(30, 300),
        fast_seconds=fast_seconds,
        time_left=lambda: math.inf,
        settling_seconds=0,
    )
