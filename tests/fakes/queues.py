"""The queues that functions write to, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import RLock

from tests.fakes.faults import Fault, effect, no_fault
from webhooks.domain.delivery import Pack
from webhooks.domain.delivery_message import encode_pack
from webhooks.domain.event_array import ArrayPart, encode_part, scope_of
from webhooks.domain.event_slice import EventSlice
from webhooks.domain.lane import Lane
from webhooks.domain.recovery_message import encode_task
from webhooks.domain.replay import RecoveryTask
from webhooks.domain.retry import MAX_DELAY
from webhooks.domain.scope import Scope


@dataclass(frozen=True, slots=True)
class Sent:
    """A message on a queue: its text, the seconds until it can be received, its group, and why it is dead."""

    text: str
    delay: int = 0
    reason: str | None = None
    group: str = ""


class FakeQueue:
    """A list of messages that a test can look at, and take from."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._sent: list[Sent] = []

    def put(self, message: Sent) -> None:
        """Put a message last."""
        with self._lock:
            self._sent.append(message)

    def messages(self) -> list[Sent]:
        """Return the messages on the queue, oldest first."""
        with self._lock:
            return list(self._sent)

    def take(self, count: int) -> list[Sent]:
        """Take the oldest messages off the queue, whatever their delay."""
        with self._lock:
            taken, self._sent = self._sent[:count], self._sent[count:]
            return taken

    def take_all(self) -> list[Sent]:
        """Take all messages off the queue, oldest first."""
        if not self._sent:
            return []
        with self._lock:
            taken, self._sent = self._sent, []
            return taken


class FakeDeliveryQueue:
    """All queues for packs, as text. `refused`: webhooks whose packs it does not take."""

    def __init__(self, *, fault: Fault = no_fault) -> None:
        self.fast = FakeQueue()
        self.slow = FakeQueue()
        self.dead = FakeQueue()
        self.refused: set[str] = set()
        self.deleted: list[str] = []
        self._fault = fault

    def send(self, packs: Sequence[Pack]) -> Sequence[Pack]:
        """Send packs into the fast lane; returns those that the queue did not take."""
        with effect(self._fault, "deliveries.send"):
            return self._put(self.fast, [(pack, 0) for pack in packs])

    def send_slow(self, packs: Sequence[tuple[Pack, int]]) -> Sequence[Pack]:
        """Send each pack into the slow lane, to be received after its seconds; returns those not taken."""
        with effect(self._fault, "deliveries.send_slow"):
            return self._put(self.slow, packs)

    def send_to_dlq(self, packs: Sequence[tuple[Pack, str]]) -> Sequence[Pack]:
        """Send packs to the dead-letter queue; returns those that it did not take."""
        with effect(self._fault, "deliveries.send_to_dlq"):
            for pack, reason in packs:
                if pack.webhook_id not in self.refused:
                    self.dead.put(Sent(encode_pack(pack), reason=reason))
        return [pack for pack, _ in packs if pack.webhook_id in self.refused]

    def send_text_to_dlq(self, text: str, reason: str) -> None:
        """Send a message that is no pack to the dead-letter queue."""
        with effect(self._fault, "deliveries.send_text_to_dlq"):
            self.dead.put(Sent(text, reason=reason))

    def delete(self, receipts: Sequence[str], lane: Lane) -> None:
        """Delete received messages."""
        del lane
        with effect(self._fault, "deliveries.delete"):
            self.deleted += receipts

    def _put(self, queue: FakeQueue, packs: Sequence[tuple[Pack, int]]) -> Sequence[Pack]:
        for pack, seconds in packs:
            if pack.webhook_id not in self.refused:
                delay = max(0, min(seconds, MAX_DELAY))
                queue.put(Sent(encode_pack(pack), delay=delay, group=pack.scope.fairness_group))
        return [pack for pack, _ in packs if pack.webhook_id in self.refused]


class FakeEventsQueue:
    """The events queue: slices that were sent, and the receipts of messages that were deleted."""

    def __init__(self, *, fault: Fault = no_fault) -> None:
        self.queue = FakeQueue()
        self.deleted: list[str] = []
        self._fault = fault

    def send(self, parts: Sequence[EventSlice | ArrayPart]) -> bool:
        """Send slices of wide events, or the rest of an array."""
        with effect(self._fault, "events.send"):
            for each in parts:
                scope = scope_of(each)
                self.queue.put(Sent(encode_part(each), group=scope.fairness_group if scope else ""))
        return True

    def delete(self, receipts: Sequence[str]) -> None:
        """Delete received messages."""
        with effect(self._fault, "events.delete"):
            self.deleted += receipts


class FakeEventPublisher:
    """The events queue of those who publish."""

    def __init__(self, *, fault: Fault = no_fault) -> None:
        self.queue = FakeQueue()
        self.fault = fault

    def publish(self, scope: Scope, text: str) -> None:
        """Send an event, as the text of a message."""
        with effect(self.fault, "publisher.publish"):
            self.queue.put(Sent(text, group=scope.fairness_group))


class FakeEventsDlq:
    """The events' dead-letter queue."""

    def __init__(self, *, fault: Fault = no_fault) -> None:
        self.dead = FakeQueue()
        self._fault = fault

    def send_to_dlq(self, text: str, reason: str) -> None:
        """Send an event to it as it came."""
        with effect(self._fault, "events.send_to_dlq"):
            self.dead.put(Sent(text, reason=reason))

    def send_all_to_dlq(self, events: Sequence[tuple[str, str]]) -> bool:
        """Send events as they came, each with the reason."""
        with effect(self._fault, "events.send_all_to_dlq"):
            for text, reason in events:
                self.dead.put(Sent(text, reason=reason))
        return True


class FakeRecoveryQueue:
    """The recovery queue and its dead-letter queue: tasks as text."""

    def __init__(self, *, fault: Fault = no_fault) -> None:
        self.queue = FakeQueue()
        self.dead = FakeQueue()
        self._fault = fault

    def send(self, task: RecoveryTask, *, delay: int) -> None:
        """Send a task, to be received after `delay` seconds."""
        with effect(self._fault, "recovery.send"):
            seconds = max(0, min(delay, MAX_DELAY))
            self.queue.put(Sent(encode_task(task), delay=seconds, group=task.scope.fairness_group))

    def send_to_dlq(self, text: str, reason: str) -> None:
        """Send a message to the dead-letter queue as it came."""
        with effect(self._fault, "recovery.send_to_dlq"):
            self.dead.put(Sent(text, reason=reason))
