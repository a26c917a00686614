"""One event that very many webhooks want: each of them gets it once, whatever is killed on the way.

The real fan-out, upon an index of so many listeners and a queue that gives out again what was not acknowledged.
"""

import json
import math
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

import pytest

from webhooks.domain.delivery import Pack
from webhooks.domain.event_slice import EventSlice, Span, encode_slice
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Criteria, IndexEntry
from webhooks.ports import ListenerPage
from webhooks.services.fanout.pipeline import SLICE, Fanout
from webhooks.services.fanout.stages import EventMessage

SCOPE = Scope("acme", "main")
EVENT = json.dumps(
    {
        "eventName": "order.paid",
        "eventId": "e1",
        "tenantId": SCOPE.tenant_id,
        "communityId": SCOPE.community_id,
        "occurredAt": 1_790_000_000,
        "data": {"amount": 1},
    }
)
BATCH = 10


class KilledError(BaseException):
    """The process is gone."""


@dataclass
class Deployment:
    """An index, both queues, and functions that `meet` may kill at any call."""

    listeners: list[IndexEntry]
    meet: Callable[[str], None] = lambda _: None
    sent: Counter[str] = field(default_factory=Counter)
    waiting: deque[tuple[str, str, int]] = field(default_factory=deque)  # id, text, receives
    deleted: set[str] = field(default_factory=set)
    messages: int = 0
    largest_invocation: int = 0

    def __post_init__(self) -> None:
        self.sequences = [entry.sequence for entry in self.listeners]

    # ---- what fan-out sees

    def versions(self, scopes: Sequence[Scope]) -> dict[Scope, int]:
        self.meet("versions")
        return dict.fromkeys(scopes, 1)

    def listeners_of(self, span: Span, limit: int) -> ListenerPage:
        self.meet("listeners")
        first = bisect_left(self.sequences, span.first)
        end = len(self.sequences) if span.last is None else bisect_left(self.sequences, span.last + 1)
        following = self.sequences[first + limit] if end > first + limit else None
        return ListenerPage(self.listeners[first : min(end, first + limit)], following, bytes=1)

    def last_sequence(self) -> int:
        self.meet("last_sequence")
        return self.sequences[-1]

    def send(self, packs: Sequence[Pack]) -> Sequence[Pack]:
        self.meet("send")
        for pack in packs:
            self.sent[pack.webhook_id] += 1
        self.meet("send, done")
        return ()

    def send_slices(self, slices: Sequence[EventSlice]) -> bool:
        self.meet("send_slices")
        for each in slices:
            self.publish(encode_slice(each))
        self.meet("send_slices, done")
        return True

    def delete(self, receipts: Sequence[str]) -> None:
        self.meet("delete")
        self.deleted.update(receipts)

    # ---- what makes it run

    def publish(self, text: str) -> None:
        self.messages += 1
        self.waiting.append((str(self.messages), text, 0))

    def run(self) -> "Deployment":
        """Invoke functions, each a new container, until the queue is empty."""
        while self.waiting:
            batch = [self.waiting.popleft() for _ in range(min(BATCH, len(self.waiting)))]
            failed, before = {message_id for message_id, _, _ in batch}, self.sent.total()
            with suppress(KilledError):
                failed = self._function().fan_out(
                    [
                        EventMessage(message_id, text, 0, receives + 1, receipt=message_id)
                        for message_id, text, receives in batch
                    ]
                )
            self.largest_invocation = max(self.largest_invocation, self.sent.total() - before)
            self.waiting += [
                (message_id, text, receives + 1)
                for message_id, text, receives in batch
                if message_id in failed - self.deleted
            ]
        return self

    def _function(self) -> Fanout:
        return Fanout(
            index=_Index(self),
            lane=self,
            events=_Events(self),
            events_dlq=_NoneDead(),
            rng=lambda: 0.0,
            time_left=lambda: math.inf,
        )


@dataclass
class _Index:
    of: Deployment

    def versions(self, scopes: list[Scope]) -> dict[Scope, int]:
        return self.of.versions(scopes)

    def listeners(self, scope: Scope, event_name: str, *, span: Span, limit: int) -> ListenerPage:
        assert (scope, event_name) == (SCOPE, "order.paid")
        return self.of.listeners_of(span, limit)

    def last_sequence(self, *_: object) -> int:
        return self.of.last_sequence()


@dataclass
class _Events:
    of: Deployment

    def send(self, slices: list[EventSlice]) -> bool:
        return self.of.send_slices(slices)

    def delete(self, receipts: list[str]) -> None:
        self.of.delete(receipts)


class _NoneDead:
    def send_to_dlq(self, text: str, reason: str) -> None:
        raise AssertionError(reason, text)


def listeners(count: int, *, apart: Callable[[int], int] = lambda _: 1) -> list[IndexEntry]:
    found, sequence = [], 0
    for number in range(count):
        sequence += apart(number)
        found.append(IndexEntry(f"{number:08x}{sequence:08x}{0:08x}", Criteria.ANY, (), sequence))
    return found


def fanned_out(found: list[IndexEntry], meet: Callable[[str], None] = lambda _: None) -> Deployment:
    deployment = Deployment(found, meet)
    deployment.publish(EVENT)
    return deployment.run()


@pytest.mark.parametrize("count", [1, 499, 500, 501, 1_000, 10_000, 100_000])
def test_each_listener_of_an_event_gets_it_exactly_once(count: int) -> None:
    deployment = fanned_out(listeners(count))
    assert deployment.sent == Counter({entry.webhook_id: 1 for entry in deployment.listeners})
    # Slices are filled: not many more messages than there must be, and none of more work than a slice.
    assert deployment.messages <= 1 + count / SLICE * 1.5 + 10
    assert deployment.largest_invocation <= BATCH * SLICE


@pytest.mark.parametrize("seed", range(20))
def test_listeners_at_any_position_among_the_webhooks_get_the_event(seed: int) -> None:
    random = Random(seed)
    share = random.choice((1, 50, 3_000))
    found = listeners(random.randint(400, 6_000), apart=lambda _: random.randint(1, share))
    assert fanned_out(found).sent == Counter({entry.webhook_id: 1 for entry in found})


def test_a_kill_at_any_call_loses_no_event_and_repeats_it_at_most_once() -> None:
    found = listeners(2_300)
    calls: list[str] = []
    fanned_out(found, calls.append)
    assert {"versions", "listeners", "send", "send_slices", "last_sequence"} <= set(calls)
    for killed in range(len(calls)):
        seen = 0

        def meet(_: str, killed: int = killed) -> None:
            nonlocal seen
            seen += 1
            if seen == killed + 1:
                raise KilledError

        sent = fanned_out(found, meet).sent
        assert set(sent) == {entry.webhook_id for entry in found}
        assert max(sent.values()) <= 2


@pytest.mark.parametrize("seed", range(10))
def test_many_kills_repeat_it_at_most_once_each(seed: int) -> None:
    random, kills = Random(seed), 0

    def meet(_: str) -> None:
        nonlocal kills
        if random.random() < 0.01:
            kills += 1
            raise KilledError

    found = listeners(5_000)
    sent = fanned_out(found, meet).sent
    assert set(sent) == {entry.webhook_id for entry in found}
    assert kills > 0
    assert max(sent.values()) <= 1 + kills
