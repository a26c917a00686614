"""The deployed service in memory, on a simulated clock: the stores and queues that all its containers share.

Subclasses run the functions and make the calls of their ports: `Simulation` in random order and with faults, the
benchmarks' deployment with the time that each takes, scaling as Lambda does.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from random import Random
from typing import Any

from tests.clocks import NOW
from tests.fakes.credentials import FakeCredentials
from tests.fakes.delivery_log import FakeDeliveryLog
from tests.fakes.endpoint import RequestSender, ScriptedTokens
from tests.fakes.queues import (
    FakeDeliveryQueue,
    FakeEventPublisher,
    FakeEventsDlq,
    FakeEventsQueue,
    FakeRecoveryQueue,
)
from tests.fakes.rate_limiter import FakeRateLimiter
from tests.fakes.replays import FakeReplays
from tests.fakes.seen_events import FakeSeenEvents
from tests.fakes.subscriptions import FakeSubscriptions
from tests.simulation.clock import SimulatedClock
from tests.simulation.queue_orders import Message
from tests.simulation.queues import Queue
from webhooks.ports import SubscriptionIndex, Tokens


class Deployment(ABC):
    """`workers`: of an invocation; `slice_size`: of a wide event.

    `recovers`, `disable_after_days`: as the template's parameters say.
    """

    endpoints: RequestSender
    cache_seconds: float = 0  # of webhooks, in dispatchers

    def __init__(
        self,
        random: Random,
        *,
        workers: int,
        slice_size: int,
        recovers: bool = True,
        disable_after_days: int = 5,
    ) -> None:
        self.random = random
        self.workers = workers
        self.slice_size = slice_size
        self.recovers = recovers
        self.disable_after_days = disable_after_days
        self.clock = SimulatedClock(NOW)
        self.subscriptions = FakeSubscriptions(
            clock=self.clock, random_bytes=random.randbytes, fault=self.on_store_effect
        )
        self.index: SubscriptionIndex = self.subscriptions
        self.credentials = FakeCredentials(clock=self.clock, random_bytes=random.randbytes)
        self.log = FakeDeliveryLog()
        self.limiter = FakeRateLimiter()
        self.replays = FakeReplays()
        self.seen = FakeSeenEvents()
        self.tokens: Tokens = ScriptedTokens()
        self.lanes, self.events_queue, self.events_dlq = (
            FakeDeliveryQueue(),
            FakeEventsQueue(),
            FakeEventsDlq(),
        )
        self.publisher, self.recovery_queue = FakeEventPublisher(), FakeRecoveryQueue()
        self.events_dead, self.dead = self.make_queue("events-dlq"), self.make_queue("deliveries-dlq")
        self.recovery_dead = self.make_queue("recovery-dlq")
        self.events = self.make_queue("events", dead=self.events_dead)
        self.fast = self.make_queue("deliveries", dead=self.dead)
        self.slow = self.make_queue("slow", dead=self.dead)
        self.recovery = self.make_queue("recovery", dead=self.recovery_dead)

    @property
    def queues(self) -> tuple[Queue, ...]:
        """The queues that functions read."""
        return self.events, self.fast, self.slow, self.recovery

    @abstractmethod
    def make_queue(self, name: str, *, dead: Queue | None = None) -> Queue:
        """Return a queue; `dead`: its dead-letter queue."""

    @abstractmethod
    def call(self, name: str, real: Callable[..., Any], /, *args: Any, **named: Any) -> Any:
        """Make a call of a port."""

    @abstractmethod
    def time_left(self) -> float:
        """Return the seconds that the running invocation has left."""

    @abstractmethod
    def start_beside(self, work: Callable[[], None]) -> None:
        """Start a second thread of the running invocation's process."""

    @abstractmethod
    def wait_for(self, future: Future[Any]) -> None:
        """Let others run until a future is done."""

    @abstractmethod
    def catch_up(self) -> None:
        """Let the time pass that the current task is ahead of the clock, where others see it."""

    def on_store_effect(self, point: str) -> None:  # noqa: B027 - not every subclass steps in there
        """Step in before or after an effect on the store of webhooks."""

    def on_sent(self, queue: Queue, message: Message) -> None:  # noqa: B027 - not every subclass notes it
        """Note a message that a function sent."""

    def on_deleted(self, queue: Queue, message: Message) -> None:  # noqa: B027 - not every subclass notes it
        """Note a message that a function deleted before its batch ended."""

    def move_messages(self) -> None:
        """Move messages from the fakes that functions send to, and delete as functions asked them to."""
        for sent_to, queue in (
            (self.lanes.fast, self.fast),
            (self.lanes.slow, self.slow),
            (self.lanes.dead, self.dead),
            (self.events_queue.queue, self.events),
            (self.publisher.queue, self.events),
            (self.recovery_queue.queue, self.recovery),
            (self.recovery_queue.dead, self.recovery_dead),
            (self.events_dlq.dead, self.events_dead),
        ):
            for sent in sent_to.take_all():
                message = queue.put(sent.text, group=sent.group, delay=sent.delay, reason=sent.reason)
                self.on_sent(queue, message)
        for receipts in (self.events_queue.deleted, self.lanes.deleted):
            while receipts:
                self._delete(receipts.pop())

    def _delete(self, receipt: str) -> None:
        for queue in self.queues:
            message = queue.find(receipt)
            if message is not None and queue.delete(message):
                self.on_deleted(queue, message)
