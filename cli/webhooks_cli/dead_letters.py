"""Dead letters: read from their messages, chosen by a filter, made ready to go back."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

REASON = "reason"  # the attribute that dead-lettering adds
SLICES = ("slice 1 ", "slice 2 ")  # a slice of a wide event begins so; no event does
MOVED = "moved by the queue: received too often"
TEXT_MAX = 256  # characters of a reason


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message of a dead-letter queue; `sent_at` in epoch seconds, `receipt` of its latest receive.

    `head` describes it: a pack's or a slice's first line, an event, or the first event of an array; empty
    where it is none of these.
    """

    id: str
    receipt: str
    body: str = field(repr=False)
    attributes: Mapping[str, Any] = field(repr=False)
    sent_at: float
    receives: int
    head: Mapping[str, Any] = field(default_factory=dict, repr=False)
    group: str | None = None
    is_moved: bool = False  # by its queue, which adds no reason

    @property
    def reason(self) -> str:
        """Return why it was dead-lettered."""
        said = self.attributes.get(REASON, {}).get("StringValue", "")
        return said or (MOVED if self.is_moved else "unknown")

    @property
    def webhook_id(self) -> str:
        return _text(self.head.get("webhookId"))

    @property
    def event_name(self) -> str:
        """Return the name of its event, of the first of its deliveries."""
        head = self.head
        deliveries = head.get("deliveries")
        if isinstance(deliveries, list) and deliveries and isinstance(deliveries[0], dict):
            return _text(deliveries[0].get("eventName"))
        return _text(head.get("eventName") or head.get("event_name") or head.get("detail-type"))

    @property
    def delivery_ids(self) -> list[str]:
        """Return the ids of a pack's deliveries; `webhooks deliveries show` takes them."""
        deliveries = self.head.get("deliveries")
        each = deliveries if isinstance(deliveries, list) else []
        return [_text(one.get("id")) for one in each if isinstance(one, dict)]

    def document(self, now: float) -> dict[str, Any]:
        """Return it as JSON, without its body."""
        return {
            "messageId": self.id,
            "ageSeconds": max(0, int(now - self.sent_at)),
            "reason": self.reason,
            "webhookId": self.webhook_id or None,
            "eventName": self.event_name or None,
            "deliveryIds": self.delivery_ids,
            "bytes": len(self.body.encode()),
            "receives": self.receives,
        }


def from_message(message: Mapping[str, Any]) -> DeadLetter:
    """Read a message as SQS returns it."""
    system = message.get("Attributes", {})
    return DeadLetter(
        id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        attributes=message.get("MessageAttributes", {}),
        sent_at=int(system.get("SentTimestamp", "0")) / 1000,
        receives=int(system.get("ApproximateReceiveCount", "0")),
        head=_head(message["Body"]),
        group=system.get("MessageGroupId"),
        is_moved="DeadLetterQueueSourceArn" in system,
    )


def _head(body: str) -> Mapping[str, Any]:
    text = next((body.removeprefix(each) for each in SLICES if body.startswith(each)), body)
    for candidate in (text.partition("\n")[0], text):
        try:
            head = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(head, list) and head:
            head = head[0]
        if isinstance(head, dict):
            return head
    return {}


@dataclass(frozen=True, slots=True)
class Chosen:
    """A filter: of a webhook, with a text in the reason, sent within a time (epoch seconds)."""

    webhook_id: str | None = None
    reason: str | None = None
    since: float | None = None
    until: float | None = None

    def takes(self, letter: DeadLetter) -> bool:
        return (
            (self.webhook_id is None or letter.webhook_id == self.webhook_id)
            and (self.reason is None or self.reason.lower() in letter.reason.lower())
            and (self.since is None or letter.sent_at >= self.since)
            and (self.until is None or letter.sent_at <= self.until)
        )


Entry = dict[str, Any]


def delivery_entry(letter: DeadLetter) -> Entry | str:
    """Return a pack as it goes back to the slow lane, or why it cannot: only packs have a place there."""
    head = letter.head
    tenant, community = head.get("tenantId"), head.get("communityId")
    if not letter.webhook_id or not head.get("deliveries") or not tenant or not community:
        return "not a pack of deliveries"
    return _entry(letter, _fairness_group(str(tenant), str(community)))


def event_entry(letter: DeadLetter) -> Entry | str:
    """Return an event, or a slice of one, as it goes back to the events queue; its group as it came."""
    head = letter.head
    if not head:
        return "not an event"
    detail = head.get("detail")
    fields = detail if isinstance(detail, dict) and "detail-type" in head else head
    tenant = fields.get("tenantId") or fields.get("tenant_id")
    community = fields.get("communityId") or fields.get("community_id")
    if letter.group:
        return _entry(letter, letter.group)
    if isinstance(tenant, str) and isinstance(community, str):
        return _entry(letter, _fairness_group(tenant, community))
    return _entry(letter, None)


def _entry(letter: DeadLetter, group: str | None) -> Entry:
    entry: Entry = {
        "MessageBody": letter.body,
        "MessageAttributes": {
            name: {
                part: value
                for part, value in each.items()
                if part in ("DataType", "StringValue", "BinaryValue")
            }
            for name, each in letter.attributes.items()
            if name != REASON
        },
    }
    if group:
        entry["MessageGroupId"] = group
    return entry


def entry_size(entry: Entry) -> int:
    """Return a message's bytes as SQS counts them: its body, and each attribute's name, type and value."""
    attributes = sum(
        len(name.encode())
        + len(each["DataType"].encode())
        + len(each.get("BinaryValue") or str(each.get("StringValue", "")).encode())
        for name, each in entry["MessageAttributes"].items()
    )
    return len(entry["MessageBody"].encode()) + attributes


def _fairness_group(tenant_id: str, community_id: str) -> str:
    """Return the service's group for a community (`webhooks.domain.scope`)."""
    return sha256(f"{tenant_id}\n{community_id}".encode()).hexdigest()[:32]


def _text(value: object) -> str:
    text = value if isinstance(value, str) else ""
    return re.sub(r"[^ -~\u00a0-\uffff]", "?", text)[:TEXT_MAX]


Placing = Callable[[DeadLetter], "Entry | str"]
