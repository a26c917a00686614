"""Fan-out upon fakes, with an index whose listeners a test names."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.fanout_reader import FakeFanoutReader
from tests.fakes.faults import Fault, no_fault
from tests.fakes.plain_index import PlainIndex
from tests.fakes.queues import FakeDeliveryQueue, FakeEventsDlq, FakeEventsQueue
from tests.fakes.seen_events import FakeSeenEvents
from webhooks.domain.delivery_message import decode_pack
from webhooks.domain.errors import CorruptError
from webhooks.domain.event_array import ArrayPart
from webhooks.domain.event_slice import EventSlice, Span, is_slice, parse_slice
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Criteria, IndexEntry
from webhooks.ports import ListenerPage, SubscriptionIndex, Versions
from webhooks.services.fanout.counts import FanoutCounts
from webhooks.services.fanout.pipeline import Fanout
from webhooks.services.fanout.stages import EventMessage

SCOPE = Scope("acme", "main")


def text(
    name: str = "order.paid",
    *,
    number: int = 1,
    tenant: str = "acme",
    community: str = "main",
    data: Any = None,
) -> str:
    content = {"eventName": name, "eventId": f"e{number}", "tenantId": tenant, "communityId": community}
    return json.dumps(
        content | {"occurredAt": 1_790_000_000, "data": {"n": number} if data is None else data}
    )


def message(message_id: str, body: str, *, receives: int = 1) -> EventMessage:
    return EventMessage(message_id, body, 0, receives, receipt=f"receipt {message_id}")


@dataclass
class Index(PlainIndex):
    """Listeners by event name. `asked`: reads; `faults`: raised for a name; `queries`: by sequence number."""

    counts: dict[str, int]
    asked: list[tuple[str, Span, int]] = field(default_factory=list)
    faults: dict[str, Exception] = field(default_factory=dict)
    corrupt: set[str] = field(default_factory=set)
    queries: dict[int, tuple[dict[str, Any], ...]] = field(default_factory=dict)
    before_versions: Callable[[Sequence[Scope]], None] = lambda _scopes: None
    size: int = 1
    version: int = 1
    epoch: int | None = None

    def versions(self, scopes: Sequence[Scope]) -> Versions:
        self.before_versions(scopes)
        return Versions(dict.fromkeys(scopes, self.version), self.epoch)

    def listeners(self, _scope: Scope, event_name: str, *, span: Span, limit: int) -> ListenerPage:
        self.asked.append((event_name, span, limit))
        if event_name in self.faults:
            raise self.faults[event_name]
        last = self.counts.get(event_name, 0) if span.last is None else span.last
        sequences = range(max(1, span.first), last + 1)
        entries: list[IndexEntry | CorruptError] = [
            IndexEntry(f"{1:08x}{each:08x}{0:08x}", Criteria.ANY, self.queries.get(each, ()), each)
            for each in sequences[:limit]
        ]
        if event_name in self.corrupt:
            entries[0] = CorruptError("an entry cannot be read")
        following = sequences[limit] if len(sequences) > limit else None
        return ListenerPage(entries, following, self.size)

    def last_sequence(self, _scope: Scope, event_name: str) -> int:
        return self.counts[event_name]


class Functions:
    """Fan-out upon fakes. `seconds` of the invocation are left; `per_send` of them are a call to the lane.

    `index`: in place of one with so many listeners of each name.
    """

    def __init__(
        self,
        counts: dict[str, int],
        *,
        seconds: float = math.inf,
        per_send: float = 0,
        rng: Callable[[], float] = lambda: 0.0,
        fault: Fault = no_fault,
        seen: FakeSeenEvents | None = None,
        index: SubscriptionIndex | None = None,
        **limits: int,
    ) -> None:
        self.index, self.lane = Index(counts), FakeDeliveryQueue(fault=fault)
        self.events, self.dead = FakeEventsQueue(fault=fault), FakeEventsDlq(fault=fault)
        self.seconds, self.per_send, self.now = seconds, per_send, 0.0
        self.steps: list[str] = []
        self.counts: list[FanoutCounts] = []
        self.seen = seen or FakeSeenEvents(fault=fault)
        self.fanout = Fanout(
            index=index or self.index,
            seen=self.seen,
            reader=FakeFanoutReader(index or self.index, self.seen),
            lane=self,
            events=self,
            events_dlq=self.dead,
            rng=rng,
            clock=lambda: self.now,
            time_left=lambda: self.seconds,
            report=self.counts.append,
            **limits,
        )

    def send(self, things: Sequence[Any]) -> Any:
        if things and isinstance(things[0], EventSlice):
            self.steps.append(f"continue {things[0].event.id}")
            return self.events.send(things)
        if things and isinstance(things[0], ArrayPart):
            self.steps.append(f"continue from {things[0].first}")
            return self.events.send(things)
        self.seconds -= self.per_send
        events = {delivery.event_id for pack in things for delivery in pack.deliveries}
        self.steps.append(f"send {','.join(sorted(events))}")
        return self.lane.send(things)

    def delete(self, receipts: Sequence[str]) -> None:
        self.steps.append(f"delete {','.join(sorted(receipts))}")
        self.events.delete(receipts)

    @property
    def delivered(self) -> list[tuple[str, str]]:
        packs = [decode_pack(sent.text) for sent in self.lane.fast.messages()]
        return sorted((each.event_id, pack.webhook_id) for pack in packs for each in pack.deliveries)

    @property
    def spans(self) -> list[Span]:
        texts = [sent.text for sent in self.events.queue.messages()]
        return [parse_slice(text).span for text in texts if is_slice(text)]

    @property
    def reasons(self) -> list[str | None]:
        return [sent.reason for sent in self.dead.dead.messages()]

    @property
    def dead_letters(self) -> list[tuple[str, str | None]]:
        return [(sent.text, sent.reason) for sent in self.dead.dead.messages()]

    def fan_out_all(self, sent: EventMessage) -> int:
        """Fan a message out, and what continues it, each in an invocation of its own; returns how many."""
        waiting, invocations, seconds = [sent], 0, self.seconds
        while waiting:
            self.seconds = seconds
            assert self.fanout.fan_out([waiting.pop(0)]) == set()
            invocations += 1
            parts = self.events.queue.take_all()
            waiting += [message(f"{invocations}.{at}", part.text) for at, part in enumerate(parts)]
        return invocations
