"""Five of fifty tenants' endpoints, or what comes before them, fall silent while events flow: what the others
notice, in virtual time.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

from benchmarks.deployment import NOW, Deployment, Design, Mute
from webhooks.domain.scope import Scope

TENANTS, DEAD = 50, 5
RETRIES = 2
WARM_SECONDS = 15  # Lambda has added all that it may by then
ONSET_SECONDS = 10  # the deadline of 5 s, and what has waited for it
STEADY_SECONDS, STEADY_EVENTS = 25, 3000  # at least


@dataclass(frozen=True, slots=True)
class Outage:
    """Events at a rate, by chance: a seed is a schedule, with or without endpoints that die."""

    rate: float
    seed: int

    @property
    def seconds(self) -> float:
        """Return how long events flow after the endpoints died."""
        return ONSET_SECONDS + max(STEADY_SECONDS, STEADY_EVENTS / self.rate)

    def run(
        self, *, dead: int = DEAD, design: Design = Design.LANES, mute: Mute = Mute.ENDPOINT
    ) -> list[tuple[float, float]]:
        """Return each event of a healthy tenant since the death: its second, and the ms to its callback."""
        deployment = Deployment(Random(-self.seed), design, mute)  # noqa: S311 - chance, no secret
        tenants = [Scope(f"tenant-{number}", "main") for number in range(TENANTS)]
        urls = [deployment.register(scope, retry_count=RETRIES) for scope in tenants]
        died = NOW + WARM_SECONDS
        deployment.time.at(died, lambda: deployment.endpoints.dead.update(urls[TENANTS - dead :]))
        sent = {}
        for number, (at, tenant) in enumerate(self._schedule()):
            deployment.publish(tenants[tenant], str(number), at)
            if tenant < TENANTS - DEAD and at >= died:
                sent[str(number)] = at
        with _silent():
            deployment.time.run()
        came = deployment.endpoints.came
        return [(at - died, (came[event_id] - at) * 1000) for event_id, at in sent.items()]

    def _schedule(self) -> Iterator[tuple[float, int]]:
        random, at = Random(self.seed), NOW  # noqa: S311 - chance, no secret
        while (at := at + random.expovariate(self.rate)) < NOW + WARM_SECONDS + self.seconds:
            yield at, random.randrange(TENANTS)


def steady(seen: Sequence[tuple[float, float]]) -> list[float]:
    """Return the ms once the death is known."""
    return [ms for second, ms in seen if second >= ONSET_SECONDS]


def onset(seen: Sequence[tuple[float, float]]) -> list[float]:
    """Return the ms of the time in which it is not."""
    return [ms for second, ms in seen if second < ONSET_SECONDS]


@contextmanager
def _silent() -> Iterator[None]:
    """Log nothing: the services would write a line for each delivery."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
