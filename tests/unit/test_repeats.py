"""A delivery that shares an item of the log is recognised wherever its message may have come before."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import batched

import pytest

from tests.clocks import NOW
from tests.factories import SCOPE, InMemoryApp
from tests.fakes.batch_reader import FakeBatchReader
from tests.fakes.delivery_log import FakeDeliveryLog
from tests.fakes.endpoint import OneByOne, ScriptedEndpoint, ScriptedTokens
from tests.fakes.queues import FakeDeliveryQueue
from tests.functions import make_dispatcher
from webhooks.domain.delivery import Delivery, Pack, delivery_id
from webhooks.domain.delivery_log import LogKey, Outcome
from webhooks.domain.delivery_message import encode_pack
from webhooks.domain.errors import UnavailableError
from webhooks.domain.lane import Lane
from webhooks.domain.log_looks import NOWHERE
from webhooks.domain.scope import Scope
from webhooks.ports import BatchContext
from webhooks.services.dispatch.loading import LOOK_UNITS, LOOK_UNITS_OF_WEBHOOK
from webhooks.services.dispatch.stages import DeliveryMessage

AT = int(NOW) * 1000 + 1


class Reader(FakeBatchReader):
    """Notes the calls, and can fail to look."""

    def __init__(self, app: InMemoryApp, log: FakeDeliveryLog) -> None:
        super().__init__(app.subscriptions, log)
        self.consistent: list[bool] = []
        self.looks: list[int] = []
        self.units: list[int] = []
        self.newer = False
        self.is_away = False
        self.throttled: set[str] = set()  # webhooks

    def read(
        self, webhooks: Sequence[tuple[Scope, str]], log: Sequence[LogKey], *, consistent: bool = True
    ) -> BatchContext:
        self.consistent.append(consistent)
        return super().read(webhooks, log, consistent=consistent)

    def look(
        self, log: Sequence[LogKey], *, after: Mapping[LogKey, str] = NOWHERE, units: int
    ) -> BatchContext:
        self.looks.append(len(log))
        self.units.append(units)
        if self.is_away or not self.throttled.isdisjoint(each.webhook_id for each in log):
            raise UnavailableError("dynamodb Query")
        return (
            BatchContext({}, {}, frozenset(log))
            if self.newer
            else super().look(log, after=after, units=units)
        )


@dataclass
class Bench:
    """A dispatcher, and a webhook whose deliveries succeed."""

    app: InMemoryApp = field(default_factory=InMemoryApp)
    log: FakeDeliveryLog = field(default_factory=FakeDeliveryLog)
    endpoint: ScriptedEndpoint = field(default_factory=ScriptedEndpoint)

    def __post_init__(self) -> None:
        self.webhook_id: str = self.app.create()["_id"]
        self.reader = Reader(self.app, self.log)

    def dispatch(
        self,
        count: int,
        *,
        receives: int = 1,
        lane: Lane = Lane.FAST,
        at: int = AT,
        packs: int = 1,
        others: Sequence[str] = (),
    ) -> tuple[set[str], int]:
        """Dispatch a pack of so many events; return the messages to come again, and the requests made.

        `others`: webhooks that get the same events, each in messages with its id.
        """
        messages = [
            DeliveryMessage(message_id, encode_pack(Pack(webhook_id, SCOPE, some)), receives)
            for message_id, webhook_id in [("m", self.webhook_id), *((each, each) for each in others)]
            for some in batched(
                _deliveries(webhook_id, count * packs, at=at, is_marked=count > 1), count, strict=True
            )
        ]
        before = len(self.endpoint.requests())
        with ThreadPoolExecutor(1) as workers:
            again = make_dispatcher(
                self.app,
                FakeDeliveryQueue(),
                self.log,
                http=OneByOne(self.endpoint),
                tokens=ScriptedTokens(),
                workers=workers,
                clock=self.app.clock,
                monotonic=self.app.clock,
                wrap=lambda name, port: self.reader if name == "batch" else port,
            ).dispatch(messages, lane)
        return again, len(self.endpoint.requests()) - before


def _deliveries(webhook_id: str, count: int, *, at: int, is_marked: bool) -> list[Delivery]:
    return [
        Delivery(
            delivery_id(f"e{each}", webhook_id, log_time=at + each),
            f"e{each}",
            "E_LOGIN",
            at + each,
            "{}",
            is_marked=is_marked,
        )
        for each in range(count)
    ]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_fresh_pack_is_read_once_eventually_consistent(bench: Bench) -> None:
    assert bench.dispatch(10) == (set(), 10)

    assert bench.reader.consistent == [False]
    assert bench.reader.looks == []
    assert {each.outcome for each in bench.log.entries()} == {Outcome.DELIVERED}
    assert bench.log.logged(each.key for each in bench.log.entries()) == {}


@pytest.mark.parametrize(("receives", "lane"), [(2, Lane.FAST), (1, Lane.SLOW), (2, Lane.SLOW)])
def test_a_message_that_came_before_sends_nothing_that_shares_an_item(
    bench: Bench, receives: int, lane: Lane
) -> None:
    bench.dispatch(8)

    assert bench.dispatch(10, receives=receives, lane=lane) == (set(), 2)

    assert bench.reader.consistent == [False, True]
    assert bench.reader.looks == [10]


def test_one_that_is_alone_in_its_pack_has_an_item_of_its_own(bench: Bench) -> None:
    """Fan-out does not remember its event: its key alone tells of a repeat."""
    bench.dispatch(1, packs=3)

    assert len(bench.log.logged(each.key for each in bench.log.entries())) == 3
    assert bench.dispatch(1, packs=4) == (set(), 1)


def test_what_is_known_by_its_own_key_is_not_looked_for(bench: Bench) -> None:
    bench.dispatch(1)

    assert bench.dispatch(3, receives=2) == (set(), 2)

    assert bench.reader.looks == [2]


def test_events_of_whole_minutes_are_not_looked_for(bench: Bench) -> None:
    """They share no item: their own keys tell all."""
    bench.dispatch(4, at=0)

    assert bench.dispatch(6, receives=2, at=0) == (set(), 2)

    assert bench.reader.looks == [5]


def test_a_look_that_fails_brings_the_message_again(bench: Bench) -> None:
    bench.dispatch(8)
    bench.reader.is_away = True

    assert bench.dispatch(8, receives=2) == ({"m"}, 0)


def test_a_webhook_whose_log_is_throttled_delays_no_other(bench: Bench) -> None:
    other: str = bench.app.create()["_id"]
    bench.reader.throttled.add(bench.webhook_id)

    assert bench.dispatch(4, receives=2, others=[other]) == ({"m"}, 4)


def test_webhooks_whose_logs_are_throttled_delay_no_other_however_many(bench: Bench) -> None:
    others: list[str] = [bench.app.create()["_id"] for _ in range(5)]
    bench.reader.throttled.update(others[:4])

    assert bench.dispatch(2, receives=2, others=others) == ({*others[:4]}, 4)


def test_the_looks_of_a_batch_share_its_units_in_equal_parts(bench: Bench) -> None:
    others: list[str] = [bench.app.create()["_id"] for _ in range(9)]

    bench.dispatch(2, receives=2)
    bench.dispatch(2, receives=2, others=others)

    [alone, *together] = bench.reader.units
    assert alone == LOOK_UNITS_OF_WEBHOOK
    assert len(together) == 10
    assert sum(together) <= LOOK_UNITS
    assert min(together) == max(together) >= 25


def test_what_may_be_in_an_item_of_a_later_release_comes_again(bench: Bench) -> None:
    bench.reader.newer = True

    assert bench.dispatch(8, receives=2) == ({"m"}, 0)


def test_what_is_known_when_it_is_sent_again_has_an_item_alone(bench: Bench) -> None:
    """A delivery that is put into a shared item is final: one that was in the log before may change."""
    bench.dispatch(1)
    [known] = bench.log.entries()
    tried = replace(known, outcome=Outcome.RETRYING, delivery=replace(known.delivery, attempts=()))
    bench.log.record([tried])

    bench.dispatch(4)

    assert set(bench.log.logged([known.key])) == {known.key}
