"""A delivery: one event for one webhook, and the pack of them that travels in one message."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import StrEnum
from hashlib import sha256

from webhooks.domain.event import Event
from webhooks.domain.http import PhaseTimes
from webhooks.domain.scope import Scope
from webhooks.domain.values import value_type

MAX_PACK_DELIVERIES = 10
MAX_PACK_BYTES = 64 * 1024  # SQS bills each 64 KiB as a request
DESCRIPTION_BYTES = 1024  # of the first line for a delivery at most: ids, name, no attempts yet
KEPT_ATTEMPTS = 10  # of a delivery's history: more are counted only, as probes of a dead endpoint make many
DELIVERY_ID = re.compile(r"([0-9a-f]{24})-([0-9a-f]{12})-([0-9a-f]{32})", re.ASCII)


@value_type(frozen=True, slots=True)
class Attempt:
    """One HTTP try, in the past: epoch ms, status or None with the reason why there was no response.

    `times`: of its last call, within `latency_ms`, which is the whole attempt's.
    """

    at: int
    latency_ms: int
    status: int | None = None
    reason: str | None = None
    address: str | None = None
    excerpt: str | None = None
    location: str | None = None
    times: PhaseTimes | None = None


@value_type(frozen=True, slots=True)
class Delivery:
    """An event for a webhook; `attempts` are the tries so far, `body` is the callback's.

    `log_time`: when its event happened, in epoch ms, as the delivery log orders it (see Event).
    `earlier`: how many attempts there were before those in `attempts`. `is_marked`: fan-out recognises
    repeats of its event, so that the log may keep it without a key of its own (see seen_events).
    """

    id: str
    event_id: str
    event_name: str
    log_time: int
    body: str
    attempts: tuple[Attempt, ...] = ()
    earlier: int = 0
    is_marked: bool = False

    @property
    def tries(self) -> int:
        """The number of all attempts so far."""
        return self.earlier + len(self.attempts)

    def marked(self) -> "Delivery":
        """Return the delivery of an event that has a mark."""
        return Delivery(
            self.id,
            self.event_id,
            self.event_name,
            self.log_time,
            self.body,
            self.attempts,
            self.earlier,
            is_marked=True,
        )

    def tried(self, attempt: Attempt) -> "Delivery":
        """Return the delivery after one more attempt, with the last KEPT_ATTEMPTS of them."""
        kept = (*self.attempts, attempt)[-KEPT_ATTEMPTS:]
        return replace(self, attempts=kept, earlier=self.tries + 1 - len(kept))


def without_details(attempt: Attempt) -> Attempt:
    """Return an attempt as messages carry it: without the texts of responses and the times."""
    return replace(attempt, excerpt=None, location=None, times=None)


class ReleaseKind(StrEnum):
    """Why deliveries that were not delivered are sent again."""

    REPLAY = "replay"  # their tenant asked for it
    RECOVERY = "recovery"  # their endpoint responds again
    PROBE = "probe"  # one delivery, to find out whether its endpoint responds again


@value_type(frozen=True, slots=True)
class Release:
    """The replay (or recovery, or probe) that sent a pack; `id` is the replay's."""

    kind: ReleaseKind
    id: str


@value_type(frozen=True, slots=True)
class Pack:
    """Deliveries of one webhook that travel together.

    `release`: why they are sent again, None for new ones and their retries. `due`: epoch ms before which they
    may not be sent, where a rate limit reserved a slot for them. `sent_at`: when the queue took the first
    of their events, in epoch ms; None in packs of a release. `again`: its deliveries may have been sent
    before, in packs that the log keeps together. `version`: its community's, as fan-out read it; None in
    packs of a release. `looked_to`: the place in the log as far as which its deliveries were looked for, and
    not found.
    """

    webhook_id: str
    scope: Scope
    deliveries: tuple[Delivery, ...]
    release: Release | None = None
    due: int | None = None
    sent_at: int | None = None
    again: bool = False
    version: int | None = None
    looked_to: str | None = None

    @property
    def is_probe(self) -> bool:
        """Tell whether it is sent to find out whether its endpoint responds again."""
        return self.release is not None and self.release.kind is ReleaseKind.PROBE


def delivery_id(event_id: str, webhook_id: str, *, log_time: int) -> str:
    """Derive a delivery's id, the same for every repeat of the event: webhook, time of the event, hash.

    The id alone finds the delivery in the log. It has no '.' in it. `log_time` in epoch ms; before 1970 is 0.
    """
    both = f"{webhook_id}\n{event_id}".encode("utf-8", "surrogatepass")
    return f"{webhook_id}-{max(0, log_time):012x}-{sha256(both).hexdigest()[:32]}"


def delivery_of(event: Event, webhook_id: str) -> Delivery:
    """Return the delivery of the event to the webhook, not yet tried."""
    return Delivery(
        id=delivery_id(event.id, webhook_id, log_time=event.log_time),
        event_id=event.id,
        event_name=event.name,
        log_time=event.log_time,
        body=event.body,
    )


def pack_deliveries(
    webhook_id: str,
    scope: Scope,
    *,
    deliveries: Iterable[Delivery],
    release: Release | None = None,
    sent_at: int | None = None,
) -> Iterator[Pack]:
    """Put the deliveries of one webhook into as few packs as the limits allow, in their order.

    A delivery larger than a pack's limit travels alone. The same delivery twice travels once.
    """
    pack: list[Delivery] = []
    size = 0
    for delivery in {each.id: each for each in deliveries}.values():
        weight = len(delivery.body.encode()) + DESCRIPTION_BYTES
        if pack and (len(pack) == MAX_PACK_DELIVERIES or size + weight > MAX_PACK_BYTES):
            yield Pack(webhook_id, scope, tuple(pack), release, sent_at=sent_at)
            pack, size = [], 0
        pack.append(delivery)
        size += weight
    if pack:
        yield Pack(webhook_id, scope, tuple(pack), release, sent_at=sent_at)
