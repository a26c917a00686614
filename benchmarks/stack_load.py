"""One stack at a rate, on a simulated clock: a tenth of the endpoints die, and later the breaker opens.

The simulation is that of the fairness figure (timed_deployment.py): the service's own code, queues with SQS's
rule of fairness, Lambda's mappings with so many invocations at once. Here Lambda has scaled before.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from benchmarks.outage import RETRIES, silent
from benchmarks.timed_deployment import TimedDeployment
from tests.clocks import NOW
from webhooks.domain.scope import Scope

TENANTS, DEAD = 100, 10
ONSET_SECONDS = 10  # as in outage.py
BREAKER_SECONDS = 60  # BreakerSeconds: an endpoint's failures in a row span it at least
QUEUES = {"events": "events", "deliveries": "fast lane", "slow": "slow lane"}
LAST_SECONDS = 5  # without new events, in which the last ones arrive


@dataclass(slots=True)
class Seen:
    """What was seen. Seconds count from the endpoints' death; `latencies`: of healthy tenants, in ms."""

    latencies: list[tuple[float, float]] = field(default_factory=list)
    waiting: dict[str, list[tuple[float, float]]] = field(default_factory=dict)  # by queue
    running: dict[str, list[tuple[float, float]]] = field(default_factory=dict)  # invocations, by queue
    late: int = 0  # events of healthy tenants without a callback at the end

    def between(self, first: float, last: float) -> list[float]:
        """Return the ms of the events that were published in these seconds."""
        return [ms for second, ms in self.latencies if first <= second < last]


@dataclass(frozen=True, slots=True, kw_only=True)
class StackLoad:
    """Events at a rate, at random times and of random tenants. `concurrency`: as the parameters say."""

    rate: float
    concurrency: Mapping[str, int]
    warm_seconds: float
    seconds: float  # after the endpoints died

    def run(self, seed: int = 1) -> Seen:
        """Simulate it."""
        random = Random(-seed)  # noqa: S311 - no secret
        deployment = TimedDeployment(random, concurrency=self.concurrency, scaled=True)
        tenants = [Scope(f"tenant-{number}", "main") for number in range(TENANTS)]
        urls = [deployment.register(scope, retry_count=RETRIES) for scope in tenants]
        clock, died = deployment.clock, NOW + self.warm_seconds
        clock.at(died, lambda: deployment.endpoints.dead.update(urls[TENANTS - DEAD :]))
        schedule, sent = enumerate(self._schedule(seed)), dict[str, float]()

        def publish_next() -> None:
            """Keep one event ahead of the clock alone: a million of them would need gigabytes."""
            if (event := next(schedule, None)) is not None:
                number, (at, tenant) = event
                deployment.publish(tenants[tenant], str(number), at=at)
                clock.at(at, publish_next)
                if tenant < TENANTS - DEAD:
                    sent[str(number)] = at

        seen = Seen()
        publish_next()
        end = died + self.seconds
        for second in range(int(end - NOW)):
            clock.at(NOW + second, lambda: _look(seen, deployment, died))
        with silent():
            clock.advance(end + LAST_SECONDS)
        arrivals = deployment.endpoints.arrivals
        seen.latencies = [
            (at - died, (arrivals[event_id] - at) * 1000)
            for event_id, at in sent.items()
            if event_id in arrivals
        ]
        seen.late = len(sent) - len(seen.latencies)
        return seen

    def _schedule(self, seed: int) -> Iterator[tuple[float, int]]:
        random, at = Random(seed), NOW  # noqa: S311 - no secret
        while (at := at + random.expovariate(self.rate)) < NOW + self.warm_seconds + self.seconds:
            yield at, random.randrange(TENANTS)


def _look(seen: Seen, deployment: TimedDeployment, died: float) -> None:
    second = round(deployment.clock.now - died)
    for queue in (deployment.events, deployment.fast, deployment.slow):
        seen.waiting.setdefault(queue.name, []).append((second, queue.visible))
        running = deployment.mappings[queue.name].running
        seen.running.setdefault(queue.name, []).append((second, running))
