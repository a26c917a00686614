"""Lambda's event source mapping of an SQS queue on a simulated clock: so many invocations at a time."""

from collections.abc import Callable, Sequence

from tests.clocks import NOW
from tests.simulation.containers import Container
from tests.simulation.deployment import Deployment
from tests.simulation.queue_orders import Message
from tests.simulation.queues import Queue
from webhooks.domain.lane import Lane

MAX_CONCURRENCY = {"events": 10, "deliveries": 50, "slow": 50, "recovery": 5}  # invocations: the defaults
# Lambda begins with 5 invocations at a time for a mapping and adds 300 a minute while messages wait.
FIRST_CONCURRENCY, ADDED_CONCURRENCY, ADDED_EVERY_SECONDS = 5, 5, 1
INIT_SECONDS = 0.4  # of a new container


class EventSourceMapping:
    """Runs a function on the batches of a queue; at first a few invocations at a time, then more.

    `limit`: MaximumConcurrency. `scaled`: Lambda has added all of it already, and containers are there.
    """

    def __init__(
        self,
        deployment: Deployment,
        queue: Queue,
        *,
        lane: Lane,
        make: Callable[[Deployment], Container],
        limit: int,
        scaled: bool = False,
    ) -> None:
        self._deployment = deployment
        self._clock = deployment.clock
        self._queue = queue
        self._lane = lane
        self._make = make
        self._limit = limit
        self._concurrency = limit if scaled else FIRST_CONCURRENCY
        self.running = 0
        self._added_at = NOW
        self._idle: list[Container] = [make(deployment) for _ in range(limit)] if scaled else []

    def poll(self) -> None:
        """Start as many invocations as there are batches and room for."""
        while self.running < self._concurrency and (batch := self._queue.receive()):
            self._start(batch)
        limit, now = self._limit, self._clock.now
        is_due = now >= self._added_at + ADDED_EVERY_SECONDS
        if self._queue.visible and self._concurrency < limit and is_due:
            self._concurrency = min(limit, self._concurrency + ADDED_CONCURRENCY)
            self._added_at = now
            self._clock.at(now + ADDED_EVERY_SECONDS, self.poll)
            self.poll()

    def _start(self, batch: Sequence[Message]) -> None:
        self.running += 1
        self._clock.start(lambda: self._invoke(batch))

    def _invoke(self, batch: Sequence[Message]) -> None:
        if self._idle:
            container = self._idle.pop()
        else:
            self._clock.sleep(INIT_SECONDS)
            container = self._make(self._deployment)
        failed = container.handle(batch, self._lane)
        self._deployment.catch_up()
        for message in batch:
            if message.id not in failed:
                self._queue.delete(message)
        self._idle.append(container)
        self.running -= 1
        self.poll()
