"""How long events take while five of fifty tenants' endpoints, token endpoints or lookups stop responding.

Measured on a simulated clock.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

from benchmarks.timed_deployment import Design, TimedDeployment
from benchmarks.timed_endpoints import Unresponsive
from tests.clocks import NOW
from webhooks.domain.scope import Scope

TENANTS, DEAD = 50, 5
RETRIES = 2
# Lambda has added all the concurrency that it may by then, and keeps the containers that a peak needed for
# minutes: rare peaks have taken place before the death too.
WARM_SECONDS, WARM_EVENTS = 15, 6000  # at least
ONSET_SECONDS = 10  # the deadline of 5 s, and the deliveries that have waited for it
STEADY_SECONDS, STEADY_EVENTS = 25, 3000  # at least


@dataclass(frozen=True, slots=True)
class Outage:
    """Events at a rate, at random times: a seed is a schedule, with or without endpoints that die."""

    rate: float
    seed: int

    @property
    def warm_seconds(self) -> float:
        """Return how long events flow before the endpoints die."""
        return max(WARM_SECONDS, WARM_EVENTS / self.rate)

    @property
    def seconds(self) -> float:
        """Return how long events flow after the endpoints died."""
        return ONSET_SECONDS + max(STEADY_SECONDS, STEADY_EVENTS / self.rate)

    def run(
        self,
        *,
        dead: int = DEAD,
        design: Design = Design.LANES,
        unresponsive: Unresponsive = Unresponsive.ENDPOINT,
    ) -> list[tuple[float, float]]:
        """Return each event of a healthy tenant since the death: its second, and the ms to its callback."""
        random = Random(-self.seed)  # noqa: S311 - no secret
        deployment = TimedDeployment(random, design=design, unresponsive=unresponsive)
        tenants = [Scope(f"tenant-{number}", "main") for number in range(TENANTS)]
        urls = [deployment.register(scope, retry_count=RETRIES) for scope in tenants]
        died = NOW + self.warm_seconds
        deployment.clock.at(died, lambda: deployment.endpoints.dead.update(urls[TENANTS - dead :]))
        sent = {}
        for number, (at, tenant) in enumerate(self._schedule()):
            deployment.publish(tenants[tenant], str(number), at=at)
            if tenant < TENANTS - DEAD and at >= died:
                sent[str(number)] = at
        with silent():
            deployment.clock.run()
        arrivals = deployment.endpoints.arrivals
        return [(at - died, (arrivals[event_id] - at) * 1000) for event_id, at in sent.items()]

    def _schedule(self) -> Iterator[tuple[float, int]]:
        random, at = Random(self.seed), NOW  # noqa: S311 - no secret
        while (at := at + random.expovariate(self.rate)) < NOW + self.warm_seconds + self.seconds:
            yield at, random.randrange(TENANTS)


def steady(seen: Sequence[tuple[float, float]]) -> list[float]:
    """Return the ms of the events after the onset."""
    return [ms for second, ms in seen if second >= ONSET_SECONDS]


def onset(seen: Sequence[tuple[float, float]]) -> list[float]:
    """Return the ms of the events in the first ONSET_SECONDS."""
    return [ms for second, ms in seen if second < ONSET_SECONDS]


@contextmanager
def silent() -> Iterator[None]:
    """Log nothing: the service would write a line for each delivery."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
