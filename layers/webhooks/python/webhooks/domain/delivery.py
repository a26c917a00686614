"""A delivery: one event for one webhook, and the pack of them that travels in one message."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256

from webhooks.domain.event import Event
from webhooks.domain.http import PhaseTimes
from webhooks.domain.scope import Scope

MAX_PACK_DELIVERIES = 10
MAX_PACK_BYTES = 64 * 1024  # SQS bills each 64 KiB as a request
DESCRIPTION_BYTES = 1024  # of the first line for a delivery at most: ids, name, no attempts yet


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event for a webhook; `attempts` are the tries so far, `body` is the callback's.

    `log_time`: when its event happened, in epoch ms, as the delivery log orders it (see Event).
    """

    id: str
    event_id: str
    event_name: str
    log_time: int
    body: str
    attempts: tuple[Attempt, ...] = ()

    def tried(self, attempt: Attempt) -> "Delivery":
        """Return the delivery after one more attempt."""
        return replace(self, attempts=(*self.attempts, attempt))


@dataclass(frozen=True, slots=True)
class Pack:
    """Deliveries of one webhook that travel together."""

    webhook_id: str
    scope: Scope
    deliveries: tuple[Delivery, ...]


def delivery_id(event_id: str, webhook_id: str) -> str:
    """Derive a delivery's id: every repeat of the event has the same one. It has no '.' in it."""
    both = f"{webhook_id}\n{event_id}".encode("utf-8", "surrogatepass")
    return f"{webhook_id}-{sha256(both).hexdigest()[:32]}"


def delivery_of(event: Event, webhook_id: str) -> Delivery:
    """Return the delivery of the event to the webhook, not yet tried."""
    return Delivery(
        id=delivery_id(event.id, webhook_id),
        event_id=event.id,
        event_name=event.name,
        log_time=event.log_time,
        body=event.body,
    )


def pack_deliveries(webhook_id: str, scope: Scope, *, deliveries: Iterable[Delivery]) -> Iterator[Pack]:
    """Put the deliveries of one webhook into as few packs as the limits allow, in their order.

    A delivery larger than a pack's limit travels alone. The same delivery twice, of one time, travels once.
    """
    pack: list[Delivery] = []
    size = 0
    for delivery in {(each.id, each.log_time): each for each in deliveries}.values():
        weight = len(delivery.body.encode()) + DESCRIPTION_BYTES
        if pack and (len(pack) == MAX_PACK_DELIVERIES or size + weight > MAX_PACK_BYTES):
            yield Pack(webhook_id, scope, tuple(pack))
            pack, size = [], 0
        pack.append(delivery)
        size += weight
    if pack:
        yield Pack(webhook_id, scope, tuple(pack))
