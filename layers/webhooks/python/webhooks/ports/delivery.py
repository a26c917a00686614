"""Queues of events and deliveries, the delivery log, and the read of a batch of deliveries."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Protocol

from webhooks.domain.log_looks import NOWHERE
from webhooks.domain.values import value_type

if TYPE_CHECKING:  # a function loads the values of its own use cases alone
    from webhooks.domain.delivery import Pack
    from webhooks.domain.delivery_log import LogCount, LogEntry, Logged, LogKey, LogPage, LogQuery
    from webhooks.domain.errors import CorruptError
    from webhooks.domain.event_array import ArrayPart
    from webhooks.domain.event_slice import EventSlice
    from webhooks.domain.lane import Lane
    from webhooks.domain.replay import PagePlan, RecoveryTask, Replay
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

    def send(self, parts: Sequence[EventSlice | ArrayPart]) -> bool:
        """Send slices of wide events, or the rest of an array; tells whether the queue took them all."""

    def delete(self, receipts: Sequence[str]) -> None:
        """Delete received messages before their batch ends; one that cannot be deleted comes again."""


class SeenEvents(Protocol):
    """Sets of events' hashes, by the names of their windows."""

    def read(self, windows: Sequence[str], *, consistently: bool) -> Mapping[str, Collection[bytes]]:
        """Return the hashes of those windows that exist; they may be a little old, unless `consistently`."""

    def add(self, window: str, hashes: Sequence[bytes], *, below: int) -> Collection[bytes]:
        """Add hashes to a window that has fewer than `below`; return those that it had before.

        Where these are `below` or more, nothing was added.
        """


class EventsDlq(Protocol):
    """The events queue's dead-letter queue."""

    def send_to_dlq(self, text: str, reason: str) -> None:
        """Send an event to it as it came."""

    def send_all_to_dlq(self, events: Sequence[tuple[str, str]]) -> bool:
        """Send events as they came, each with the reason; tells whether the queue took them all."""


@value_type(frozen=True, slots=True)
class BatchContext:
    """A batch's webhooks, those unreadable as their error, and the state of its deliveries in the log.

    `newer`: deliveries whose state has a form of a later release. `unread`: those whose state is not known.
    `looked_to`: those that a part of the log does not have, each with the place as far as which it was read.
    """

    webhooks: Mapping[tuple[Scope, str], Webhook | CorruptError]
    logged: Mapping[LogKey, Logged]
    newer: frozenset[LogKey] = frozenset()
    unread: frozenset[LogKey] = frozenset()
    looked_to: Mapping[LogKey, str] = field(default_factory=dict)


class BatchReader(Protocol):
    """Reads webhooks and log together."""

    def read(
        self, webhooks: Sequence[tuple[Scope, str]], log: Sequence[LogKey], *, consistent: bool = True
    ) -> BatchContext:
        """Return those of both that exist, in one call for up to 100 items; not what shared items have.

        Webhooks are read consistently, and the log where `consistent` says so.
        """

    def look(
        self, log: Sequence[LogKey], *, after: Mapping[LogKey, str] = NOWHERE, units: int
    ) -> BatchContext:
        """Return those of a webhook's deliveries that are in shared items, read consistently.

        It reads `units` of the log at most, and always a part that it has not read before: behind the places
        `after` of a look before. `newer`: those that may be in an item of a later release.
        """


class DeliveryLog(Protocol):
    """The delivery log: items of single deliveries and of several plain ones; payloads of dead and held ones.

    Settings decide whether it keeps those of all deliveries.
    """

    def record(self, entries: Sequence[LogEntry]) -> Sequence[LogEntry]:
        """Write the entries, each over its delivery's earlier one; returns those not written.

        A payload is written before its entry, and deleted after an entry that needs it no longer.
        """


class DeliveryLogReader(Protocol):
    """Reads the delivery log. A page costs what it shows, however many deliveries there are."""

    def find(self, keys: Sequence[LogKey]) -> Mapping[LogKey, LogEntry]:
        """Return those that exist, read consistently."""

    def newest(
        self, query: LogQuery, *, after: LogKey | None, size: int, reach: int | None = None
    ) -> LogPage:
        """Return a page, the newest delivery first. `reach`: of the page before, where it is known."""

    def oldest(self, query: LogQuery, *, after: LogKey | None, size: int) -> LogPage:
        """Return a page, the oldest delivery first."""

    def backlog(self, webhook_id: str, *, after: LogKey | None, size: int) -> LogPage:
        """Return a page of a webhook's held and recoverable deliveries, the oldest first."""

    def count(self, query: LogQuery, *, at_most: int) -> LogCount:
        """Count deliveries, and stop after `at_most` of them."""

    def payloads(self, keys: Sequence[LogKey]) -> Mapping[LogKey, str]:
        """Return the callback bodies that are kept."""


class Replays(Protocol):
    """Replays and recoveries with their progress."""

    def add(self, replay: Replay, *, key: str | None = None, limit: int | None = None) -> Replay:
        """Store a new replay and return it, or return the one that is stored under the key already.

        `key`: of the request that made it. `limit`: replays that a community may have running; recoveries
        do not count. Raises TooManyReplaysError.
        """

    def find(self, scope: Scope, key: str) -> Replay | None:
        """Return the replay that is stored under a request's key."""

    def get(self, scope: Scope, replay_id: str) -> Replay | None:
        """Return a replay as it is now."""

    def running(self, scope: Scope) -> Sequence[Replay]:
        """Return a community's running replays; frees the places of those that are gone or ended."""

    def newest(self, scope: Scope, *, after: str | None, size: int) -> Sequence[Replay]:
        """Return replays of a community, the newest first; `after`: the last id of the page before."""

    def claim(self, replay: Replay, plan: PagePlan, *, holder: str, until: int, now: int) -> None:
        """Let a message alone (`holder`: its id) work on the replay's present page, until a time in epoch ms.

        Stores the page's plan with it. Raises StaleError while another message does, or where the replay is
        at another page or in another state.
        """

    def change(self, before: Replay, after: Replay) -> None:
        """Write a replay's progress. Raises StaleError if `before` is not at the stored page and state.

        A page that is moved past has no plan and no claim any more; `holder` stays as it is stored.
        """


class SlowLane(Protocol):
    """The slow lane, as recoveries and replays fill it."""

    def send_slow(self, packs: Sequence[tuple[Pack, int]]) -> Sequence[Pack]:
        """Send each pack, to be received after its seconds; returns those not taken."""


class RecoveryQueue(Protocol):
    """The queue of pages and probes."""

    def send(self, task: RecoveryTask, *, delay: int) -> None:
        """Send a task, to be received after `delay` seconds, at most 900. Raises UnavailableError."""


class RecoveryDlq(Protocol):
    """The recovery queue's dead-letter queue."""

    def send_to_dlq(self, text: str, reason: str) -> None:
        """Send a message to it as it came."""


class RateLimiter(Protocol):
    """Slots of limited senders by name, shared by all functions; `now` in epoch ms, `rate` per second."""

    def reserve(self, name: str, count: int, *, rate: float, now: int) -> int:
        """Reserve `count` slots at `rate` per second; return the time of the first, epoch ms."""

    def take(self, name: str, *, rate: float, now: int, count: int = 1, burst: int = 1) -> bool:
        """Take `count` slots if a bucket of `burst` has them now; tell whether. A refusal reserves nothing.

        Raises UnavailableError.
        """


class EventPublisher(Protocol):
    """The events queue, as those use it who publish."""

    def publish(self, scope: Scope, text: str) -> None:
        """Send an event, as the text of a message. Raises UnavailableError."""
