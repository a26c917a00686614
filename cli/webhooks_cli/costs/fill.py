"""The filling of batches: Lambda's pollers take what waits, so the rate of events decides it.

A poller takes the messages that arrived while it was away: rate * cycle / pollers, at least one and at most
ten. The cycle is the invocation and the time until the poller asks again. With a batching window the poller
waits from the first message on, and those of the window join: rate * window / pollers.
"""

from collections.abc import Callable
from dataclasses import dataclass

from webhooks_cli.costs.batches import Model
from webhooks_cli.costs.settings import Settings

ROUNDS = 30  # of the search for a batch whose own time fills it


@dataclass(frozen=True, slots=True)
class Fill:
    """The mean filling: events and communities of an invocation of fan-out, messages of the dispatcher."""

    events: float
    communities: float
    messages: float


TRICKLE = Fill(1, 1, 1)
FULL = Fill(10, 10, 10)
PACKED = Fill(10, 1, 10)


def filled(model: Model) -> Fill:
    """Return the filling of a load that comes evenly in its time."""
    load, settings = model.load, model.settings
    events = _settled(
        load.rate, settings, lambda size: model.fanout(size, communities_of(load.tenants, size)).ms
    )
    fanout = model.fanout(events, communities_of(load.tenants, events))
    rate = load.rate * fanout.messages / fanout.events
    messages = _settled(rate, settings, lambda size: model.dispatcher(size, fanout).ms)
    return Fill(fanout.events, fanout.communities, messages)


def communities_of(tenants: int, events: float) -> float:
    """Return how many different tenants a batch has on average, where each event is any tenant's."""
    missed: float = (1 - 1 / tenants) ** events  # the share of tenants that have none of them
    return min(events, tenants * (1 - missed))


def pollers_of(rate: float, cycle: float, settings: Settings) -> float:
    """Return the pollers of a queue: a quiet one has fewer, but not with MaximumConcurrency."""
    if settings.has_maximum_concurrency:
        return settings.pollers
    return min(settings.pollers, max(settings.quiet_pollers, rate * cycle))


def _settled(rate: float, settings: Settings, ms: Callable[[float], float]) -> float:
    size = 1.0
    for _ in range(ROUNDS):
        cycle = (ms(size) + settings.poll_ms) / 1000
        pollers = pollers_of(rate, cycle, settings)
        joined = rate * settings.batching_seconds / pollers
        size = min(settings.batch_messages, max(1.0, rate * cycle / pollers) + joined)
    return size
