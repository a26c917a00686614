"""Queues of events and deliveries, the delivery log, and the read of a batch of deliveries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from webhooks.domain.delivery import Pack
from webhooks.domain.delivery_log import LogEntry, Logged, LogKey
from webhooks.domain.errors import CorruptError
from webhooks.domain.event_slice import EventSlice
from webhooks.domain.lane import Lane
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook


class FastLane(Protocol):
    """The deliveries queue, as fan-out fills it."""

    def send(self, packs: Sequence[Pack]) -> Sequence[Pack]:
        """Send packs; returns those that the queue did not take."""


class DeliveryQueue(Protocol):
    """The slow lane and the dead-letter queue, as the dispatcher uses them."""

    def send_slow(self, packs: Sequence[tuple[Pack, int]]) -> Sequence[Pack]:
        """Send each pack into the slow lane, to be received after its seconds; returns those not taken."""

    def send_to_dlq(self, packs: Sequence[tuple[Pack, str]]) -> Sequence[Pack]:
        """Send packs to the dead-letter queue, each with the reason; returns those that it did not take."""

    def send_text_to_dlq(self, text: str, reason: str) -> None:
        """Send a message that is no pack to the dead-letter queue."""

    def delete(self, receipts: Sequence[str], lane: Lane) -> None:
        """Delete received messages before their batch ends; a message that cannot be deleted comes again."""


class EventsQueue(Protocol):
    """The events queue, as fan-out uses it."""

    def send(self, slices: Sequence[EventSlice]) -> bool:
        """Send slices of wide events; tells whether the queue took them all."""

    def delete(self, receipts: Sequence[str]) -> None:
        """Delete received messages before their batch ends; one that cannot be deleted comes again."""


class EventsDlq(Protocol):
    """The events queue's dead-letter queue."""

    def send_to_dlq(self, text: str, reason: str) -> None:
        """Send an event to it as it came."""


@dataclass(frozen=True, slots=True)
class BatchContext:
    """A batch's webhooks, those unreadable as their error, and the state of its deliveries in the log."""

    webhooks: Mapping[tuple[Scope, str], Webhook | CorruptError]
    logged: Mapping[LogKey, Logged]


class BatchReader(Protocol):
    """Reads webhooks and log together."""

    def read(self, webhooks: Sequence[tuple[Scope, str]], log: Sequence[LogKey]) -> BatchContext:
        """Return those of both that exist, read consistently, in one call for up to 100 items."""


class DeliveryLog(Protocol):
    """The delivery log: one item per delivery."""

    def record(self, entries: Sequence[LogEntry]) -> Sequence[LogEntry]:
        """Write the entries, each over its delivery's earlier one; returns those not written."""
