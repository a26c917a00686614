"""A webhook whose filter is changed while fan-out reads its index gets the events of before and after."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.contract.opened_index import OpenedIndex
from tests.contract.webhooks_made import ACME, make_definition
from tests.fanout import Functions, message, text
from webhooks.adapters.dynamodb.items import Item
from webhooks.adapters.dynamodb.subscription_index import DynamoSubscriptionIndex
from webhooks.domain.errors import UnavailableError
from webhooks.domain.event_slice import Span
from webhooks.domain.listener_conditions import Condition, lookups
from webhooks.domain.matching import MAX_VISITS, EventFields
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Definition, IndexEntry, Webhook
from webhooks.ports import ListenerPage
from webhooks.services.fanout.listeners import Listeners

NAME = "order.paid"
DATA = {"a": 1, "b": 1}


class ChangingIndex(DynamoSubscriptionIndex):
    """An index that others change: `before` is called before each lookup of a field."""

    def __init__(self, opened: OpenedIndex, before: Callable[[str], object]) -> None:
        super().__init__(opened.table, clock=opened.clock)
        self._before = before

    def listeners_by(
        self, scope: Scope, event_name: str, condition: Condition, *, span: Span, limit: int
    ) -> ListenerPage:
        self._before(condition.field)
        return super().listeners_by(scope, event_name, condition, span=span, limit=limit)


def wanting(*fields: str) -> Definition:
    return make_definition(event_names=(NAME,), query=tuple({each: 1} for each in fields), tags=())


def opened_with(*fields: str) -> tuple[OpenedIndex, list[Webhook]]:
    """Return an index with a webhook under a condition on each field."""
    opened = OpenedIndex()
    return opened, [opened.add(wanting(each)) for each in fields]


def changing_once(opened: OpenedIndex, webhook: Webhook, after: Definition, *, field: str) -> ChangingIndex:
    """Return an index in which a webhook is changed once, just before a field is looked up."""
    pending = [after]

    def before(looked_up: str) -> None:
        if looked_up == field and pending:
            opened.change(webhook, pending.pop())

    return ChangingIndex(opened, before)


def found(index: ChangingIndex, opened: OpenedIndex) -> list[str]:
    listeners = Listeners(index, limit=500, clock=opened.clock)
    listeners.begin_batch([ACME])
    page = listeners.page(ACME, NAME, Span(), lookups=partial(lookups, EventFields(DATA), visits=MAX_VISITS))
    return [each.webhook_id for each in page.entries if isinstance(each, IndexEntry)]


def test_a_webhook_that_moves_to_a_condition_that_was_read_is_found() -> None:
    opened, (other, moving) = opened_with("b", "a")
    index = changing_once(opened, moving, wanting("b"), field="a")
    assert found(index, opened) == [other.id, moving.id]


def test_a_webhook_that_becomes_a_plain_listener_is_found() -> None:
    opened, (moving, other) = opened_with("a", "b")
    index = changing_once(opened, moving, wanting(), field="a")
    assert found(index, opened) == [moving.id, other.id]


def test_an_event_among_others_reaches_a_webhook_that_moves() -> None:
    opened, (other, moving) = opened_with("b", "a")
    functions = Functions({}, index=changing_once(opened, moving, wanting("b"), field="a"))
    events = [
        message(f"m{number}", text(NAME, number=number, community=ACME.community_id, data=DATA))
        for number in range(3)
    ]
    assert functions.fanout.fan_out(events) == set()
    assert functions.delivered == [(f"e{number}", each.id) for number in range(3) for each in (other, moving)]


def test_an_event_of_a_community_that_changes_at_each_read_comes_again() -> None:
    opened, (moving, _) = opened_with("a", "b")
    now = [moving]

    def before(_field: str) -> None:
        now.append(opened.change(now[-1], wanting("ab"[len(now) % 2])))

    with pytest.raises(UnavailableError):
        found(ChangingIndex(opened, before), opened)


class ChangingPartition(DynamoSubscriptionIndex):
    """An index that others change, once, before the entries of a partition are read."""

    def __init__(self, opened: OpenedIndex, before: Callable[[], object]) -> None:
        super().__init__(opened.table, clock=opened.clock)
        self._pending = [before]

    def _query(self, pk: str, span: Span, limit: int) -> tuple[list[Item], bool]:
        if self._pending:
            self._pending.pop()()
        return super()._query(pk, span, limit)


def test_a_slice_finds_a_webhook_that_becomes_the_first_one_under_a_condition() -> None:
    opened = OpenedIndex()
    moving = opened.add(wanting())
    index = ChangingPartition(opened, lambda: opened.change(moving, wanting("a")))
    listeners = Listeners(index, limit=500, clock=opened.clock)
    listeners.begin_batch([ACME])
    page = listeners.page(
        ACME, NAME, Span(1, 9), lookups=partial(lookups, EventFields(DATA), visits=MAX_VISITS)
    )
    assert [each.webhook_id for each in page.entries if isinstance(each, IndexEntry)] == [moving.id]
