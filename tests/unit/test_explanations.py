"""Explanations agree with fan-out, over the same webhooks and events, and a page of them is bounded work."""

import json
import math
from collections.abc import Sequence
from random import Random
from typing import Any

from tests.clocks import Clock
from tests.factories import SCOPE
from tests.fakes.delivery_log import FakeDeliveryLog
from tests.fakes.fanout_reader import FakeFanoutReader
from tests.fakes.queues import FakeDeliveryQueue, FakeEventsDlq, FakeEventsQueue
from tests.fakes.seen_events import FakeSeenEvents
from tests.fakes.subscriptions import FakeSubscriptions
from tests.random_bytes import DistinctBytes
from tests.unit.domain.test_explanation import NAMES, inside, value
from webhooks.domain.delivery import delivery_id
from webhooks.domain.delivery_message import decode_pack
from webhooks.domain.event import Event, parse_event
from webhooks.domain.matching import MAX_VISITS
from webhooks.domain.webhook import Criteria, Definition, Endpoint, Webhook
from webhooks.ports import IdempotencyRecord
from webhooks.services.explanation import (
    Explained,
    Explanations,
    Place,
    Question,
    Result,
)
from webhooks.services.fanout.pipeline import Fanout
from webhooks.services.fanout.stages import EventMessage
from webhooks.services.fanout.together import SMALL_VISITS

EVENT_NAMES = ("a", "b", "c")


class Community:
    """Webhooks in memory, with fan-out and explanations over them."""

    def __init__(self, **limits: int) -> None:
        clock = Clock()
        self.subscriptions = FakeSubscriptions(clock=clock, random_bytes=DistinctBytes())
        self.lane, self.dead = FakeDeliveryQueue(), FakeEventsDlq()
        self.events = FakeEventsQueue()
        self.visits = limits.get("visits", MAX_VISITS)
        seen = FakeSeenEvents()
        self.fanout = Fanout(
            index=self.subscriptions,
            seen=seen,
            reader=FakeFanoutReader(self.subscriptions, seen),
            lane=self.lane,
            events=self.events,
            events_dlq=self.dead,
            rng=lambda: 0.0,
            clock=clock,
            time_left=lambda: math.inf,
            small_visits=min(SMALL_VISITS, self.visits),
            visits=self.visits,
        )
        self.explanations = Explanations(
            index=self.subscriptions,
            subscriptions=self.subscriptions,
            health=self.subscriptions,
            log=FakeDeliveryLog(),
            **limits,
        )

    def register(self, query: Sequence[dict[str, Any]], **changes: Any) -> Webhook:
        definition = Definition(
            **{
                "event_names": ("a",),
                "name": "n",
                "endpoint": Endpoint(url="https://hooks.example.com"),
                "success_codes": (200,),
                "created_by": "tests",
                "query": tuple(query),
                **changes,
            }
        )
        webhook_id = self.subscriptions.next_id(SCOPE, now=1)
        webhook = Webhook(id=webhook_id, scope=SCOPE, definition=definition, created_at=1)
        self.subscriptions.add(webhook, IdempotencyRecord(webhook_id, "", 2**40))
        return webhook

    def explain(self, event: Event) -> list[Explained]:
        question = Question(SCOPE, event.name, event.id, event.log_time, event)
        found: list[Explained] = []
        place: Place | None = Place()
        while place is not None:
            page = self.explanations.page(question, place)
            found += page.webhooks
            place = page.following and Place.read(str(page.following))
        return found

    def fan_out(self, text: str) -> list[str]:
        """Fan an event out; returns the ids of its deliveries, sorted."""
        assert self.fanout.fan_out([EventMessage("m", text, 0)]) == set()
        assert self.events.queue.take_all() == []
        packs = [decode_pack(sent.text) for sent in self.lane.fast.take_all()]
        return sorted(delivery.id for pack in packs for delivery in pack.deliveries)


def event_text(data: Any, *, name: str = "a", number: int = 1) -> str:
    content = {"eventName": name, "eventId": f"e{number}", "occurredAt": 1_768_469_400 + number}
    return json.dumps(
        content | {"tenantId": SCOPE.tenant_id, "communityId": SCOPE.community_id, "data": data},
        default=float,
    )


def parsed(text: str) -> Event:
    return parse_event(text, message_id="m", sent_at=0)


def test_an_explanation_agrees_with_what_fan_out_does() -> None:
    random, counts = Random(4), dict.fromkeys(Result, 0)
    for number in range(150):
        community = Community(page_size=random.choice([1, 7, 25]))
        data = {name: value(random, 3) for name in NAMES}
        sample = json.loads(json.dumps(data, default=float))
        for _ in range(random.randint(0, 60)):
            query = [
                {
                    ".".join(random.choices(NAMES, k=random.randint(1, 2))): inside(random, sample)
                    for _ in range(random.randint(1, 2))
                }
                for _ in range(random.randint(0, 2))
            ]
            community.register(
                query,
                event_names=tuple(random.sample(EVENT_NAMES, 2)),
                criteria=random.choice(list(Criteria)),
                disabled=random.random() < 0.2,
                paused=random.random() < 0.1,
            )
        text = event_text(data, name=random.choice(EVENT_NAMES), number=number)
        explained = community.explain(parsed(text))

        sent = community.fan_out(text)

        assert sorted(each.delivery_id or "" for each in explained if each.result is Result.MATCHED) == sent
        ids = [each.webhook_id for each in explained]
        assert len(ids) == len(set(ids))
        for each in explained:
            counts[each.result] += 1
            assert bool(each.conditions) is (each.result is Result.FILTERED)
    assert min(counts[each] for each in (Result.MATCHED, Result.FILTERED, Result.DISABLED)) > 200, counts


def test_a_costly_query_is_unknown_as_fan_out_dead_letters_it() -> None:
    community = Community(visits=100)
    costly, other = community.register([{"items.n": -1}]), community.register([])
    text = event_text({"items": [{"n": n} for n in range(1000)]})
    explained = community.explain(parsed(text))
    assert [(each.webhook_id, each.result) for each in explained] == [
        (costly.id, Result.UNKNOWN),
        (other.id, Result.MATCHED),
    ]
    assert str(explained[0].reason).startswith("its query looks at over 100 values")
    log_time = parsed(text).log_time
    assert community.fan_out(text) == [delivery_id("e1", other.id, log_time=log_time)]
    [dead] = community.dead.dead.messages()
    assert dead.reason == f"webhook {costly.id}: its query looks at over 100 values"


def test_a_page_ends_where_its_queries_looked_at_enough() -> None:
    community = Community(page_visits=500)
    made = [community.register([{f"items.{n}.n": -1}, {f"items.n{n}": -1}]).id for n in range(20)]
    data = {"items": [{f"n{n}": n for n in range(40)} for _ in range(30)]}
    event = parsed(event_text(data))
    page = community.explanations.page(Question(SCOPE, "a", "e1", 0, event), Place())
    assert 0 < len(page.webhooks) < len(made)
    assert [each.webhook_id for each in community.explain(event)] == made


def test_a_place_is_read_as_it_was_written_and_no_other_text_is_one() -> None:
    for place in (Place(), Place(7), Place(2**32 - 1), Place(None), Place(None, "a" * 24)):
        assert Place.read(str(place)) == place
    for text in ("", "l", "l-1", "l٣", "l99999999999", f"l{2**32}", "dx", "d" + "a" * 25, "l1\n", "x7"):
        assert Place.read(text) is None
