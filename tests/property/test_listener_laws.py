"""Law of listeners: those found by conditions are those that a scan of all webhooks finds, whatever changed before."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.opened_index import OpenedIndex
from tests.contract.webhooks_made import ACME, make_definition
from webhooks.domain.event_slice import Span
from webhooks.domain.listener_conditions import MAX_FIELDS, MAX_LOOKUPS, Condition, lookups
from webhooks.domain.matching import MAX_VISITS, EventFields, matches
from webhooks.domain.webhook import Criteria, Definition, IndexEntry, sequence_of
from webhooks.domain.webhook_size import MAX_NAMES_AND_TAGS
from webhooks.services.fanout.listeners import Listeners

NAMES = ("order#paid", "order")
FIELDS = ("a", "b", "a.b", "a.0", "c.a.b", "n")
SCALARS = st.sampled_from(
    [None, True, False, 0, 1, Decimal("1.0"), Decimal("0.5"), "1", "", "true", 2**70, Decimal(2**70), "#"]
)
KEYS = st.sampled_from(["a", "b", "a.b", "0", "c", "n"])
DATA = st.dictionaries(
    KEYS,
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)
QUERIES = st.lists(
    st.dictionaries(st.sampled_from(FIELDS), SCALARS | st.just([1]) | st.just({"b": 1}), max_size=3),
    max_size=3,
).map(tuple)
DEFINITIONS = st.builds(
    lambda names, query, criteria, disabled, tags: make_definition(
        event_names=names, query=query, criteria=criteria, disabled=disabled, tags=tags
    ),
    st.sampled_from([NAMES, NAMES[:1], NAMES[1:]]),
    QUERIES,
    st.sampled_from(list(Criteria)),
    st.sampled_from([False, False, False, True]),
    st.sampled_from([(), ("red",)]),
)
LARGE_DATA = st.just({"a": [{"b": number} for number in range(50)] + [1, True]}) | st.just(
    {"b": list(range(MAX_LOOKUPS + 5)), "n": None}
)


def found_by_fan_out(opened: OpenedIndex, name: str, data: Mapping[str, Any], *, limit: int) -> list[str]:
    listeners = Listeners(opened.index, limit=limit, clock=opened.clock)
    listeners.begin_batch([ACME])
    fields, found, first = EventFields(data), list[str](), 0
    for _ in range(200):
        page = listeners.page(ACME, name, Span(first), lookups=partial(lookups, fields, visits=MAX_VISITS))
        entries = [each for each in page.entries if isinstance(each, IndexEntry)]
        found += [each.webhook_id for each in entries if matches(each, fields)]
        if page.next_sequence is None:
            return found
        first = page.next_sequence
    raise AssertionError("the pages never end")


def found_by_scan(opened: OpenedIndex, name: str, data: Mapping[str, Any]) -> list[str]:
    fields = EventFields(data)
    return [
        webhook.id
        for webhook in sorted(opened.webhooks.values(), key=lambda each: sequence_of(each.id) or 0)
        if webhook.enabled
        and name in webhook.definition.event_names
        and matches(IndexEntry(webhook.id, webhook.definition.criteria, webhook.definition.query), fields)
    ]


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    plain=st.sampled_from([0, 0, 2]),
    definitions=st.lists(DEFINITIONS, min_size=3, max_size=10),
    changes=st.lists(st.tuples(st.integers(0, 9), DEFINITIONS | st.none()), max_size=6),
    events=st.lists(DATA | LARGE_DATA, min_size=1, max_size=6),
    limit=st.sampled_from([1, 2, 500]),
)
def test_fan_out_finds_the_webhooks_that_a_scan_finds(
    plain: int,
    definitions: list[Definition],
    changes: list[tuple[int, Definition | None]],
    events: list[dict[str, Any]],
    limit: int,
) -> None:
    opened = OpenedIndex(plain=plain)
    order = [opened.add(each).id for each in definitions]

    def compare() -> None:
        for name in NAMES:
            for data in events:
                scanned = found_by_scan(opened, name, data)
                assert found_by_fan_out(opened, name, data, limit=limit) == scanned
            listening = [
                each
                for each in opened.webhooks.values()
                if each.enabled and name in each.definition.event_names
            ]
            page = opened.index.all_listeners(ACME, name, span=Span(), limit=500)
            assert sorted(each.id for each in listening) == sorted(
                each.webhook_id for each in page.entries if isinstance(each, IndexEntry)
            )
            last = max((sequence_of(each.id) or 0 for each in listening), default=0)
            assert opened.index.last_sequence(ACME, name) == last

    compare()
    for number, definition in changes:
        webhook = opened.webhooks.get(order[number % len(order)])
        if webhook is not None and definition is None:
            opened.remove(webhook)
        elif webhook is not None and definition is not None:
            opened.change(webhook, definition)
    compare()
    for webhook in list(opened.webhooks.values()):
        opened.remove(webhook)
    assert all("fields" in item for item in opened.entries())


def test_many_queries_of_one_name_cost_an_event_its_own() -> None:
    opened = OpenedIndex(plain=50)
    costs = []
    for size in (50, 300):
        while len(opened.webhooks) < size:
            number = len(opened.webhooks)
            opened.add(make_definition(event_names=NAMES[:1], tags=(), query=({"a": f"v{number}"},)))
        data = {"a": f"v{size - 1}"}
        found: list[str] = []

        def match(data: dict[str, Any] = data, found: list[str] = found) -> int:
            found[:] = found_by_fan_out(opened, NAMES[0], data, limit=500)
            return 1

        costs.append(opened.tables.cost(match).read_units)
        assert found == found_by_scan(opened, NAMES[0], data)
    # The fields, a value without a page, and the epoch and the version once more.
    assert costs[1] <= costs[0] + 4


def test_the_ninth_field_of_a_name_is_found_among_the_plain_ones() -> None:
    opened = OpenedIndex()
    for number in range(MAX_FIELDS + 2):
        opened.add(make_definition(event_names=NAMES[:1], query=({f"f{number}": 1},), tags=()))
    [fields] = [item for item in opened.entries() if "fields" in item]
    assert fields["fields"]["S"].count("f") == MAX_FIELDS
    for number in range(MAX_FIELDS + 2):
        assert len(found_by_fan_out(opened, NAMES[0], {f"f{number}": 1}, limit=500)) == 1


def test_the_condition_with_the_fewest_listeners_is_used() -> None:
    opened = OpenedIndex()
    for number in range(120):
        opened.add(make_definition(event_names=NAMES[:1], query=({"kind": "x", "user": number},), tags=()))
    page = opened.index.listeners_by(ACME, NAMES[0], Condition("kind", "x"), span=Span(), limit=500)
    assert len(page.entries) <= 51


def test_an_older_release_leaves_its_events_to_the_newer_one() -> None:
    """It reads the name's fields as its first entry, of a form that it does not know."""
    opened = OpenedIndex()
    opened.add(make_definition(event_names=NAMES[:1], query=({"a": 1},), tags=()))
    [fields] = [item for item in opened.entries() if "fields" in item]
    assert fields["sk"]["S"] == "0" * 10
    assert int(fields["v"]["N"]) == 2


def test_a_change_by_an_older_release_counts() -> None:
    opened = OpenedIndex()
    webhook = opened.add(make_definition(event_names=NAMES[:1], query=({"a": 1},), tags=()))
    older = opened.of_release(10**9)
    wanted = replace(webhook.definition, query=({"a": 2},))
    changed = opened.change(webhook, wanted, store=older)
    assert found_by_fan_out(opened, NAMES[0], {"a": 2}, limit=500) == [webhook.id]
    opened.change(changed, replace(wanted, query=({"a": 3},)))
    for value, found in ((1, []), (2, []), (3, [webhook.id])):
        assert found_by_fan_out(opened, NAMES[0], {"a": value}, limit=500) == found


def test_until_the_epoch_is_relied_on_no_condition_is_used() -> None:
    opened = OpenedIndex()
    opened.clock.now -= 1
    opened.add(make_definition(event_names=NAMES[:1], query=({"a": 1},), tags=()))
    assert [item["pk"]["S"] for item in opened.entries()] == [
        f"E#{ACME.tenant_id}#{ACME.community_id}#{NAMES[0]}"
    ]


@pytest.mark.parametrize("names", [1, 20, 90])
def test_a_webhook_of_any_size_can_be_changed_and_deleted(names: int) -> None:
    opened = OpenedIndex()
    few = make_definition(
        event_names=("n0",), query=({"a": 1}, {"b": 2}, {"c": 3}, {"d": 4}), tags=(), criteria=Criteria.ANY
    )
    webhook = opened.add(few)
    for number in range(1, names):
        if number % 7 == 0 or number == names - 1:
            more = replace(webhook.definition, event_names=tuple(f"n{each}" for each in range(number + 1)))
            webhook = opened.change(webhook, more)
    for name in webhook.definition.event_names:
        assert found_by_fan_out(opened, name, {"d": 4}, limit=500) == [webhook.id]
    for count in (min(80, MAX_NAMES_AND_TAGS - names), MAX_NAMES_AND_TAGS - names):
        tags = tuple(f"t{number}" for number in range(count))
        webhook = opened.change(webhook, replace(webhook.definition, tags=tags))
    for name in webhook.definition.event_names:
        assert found_by_fan_out(opened, name, {"d": 4}, limit=500) == [webhook.id]
    opened.remove(webhook)
    assert all("fields" in item for item in opened.entries())


def test_a_small_community_pays_no_read_for_conditions() -> None:
    opened = OpenedIndex(plain=100)
    before = dict(opened.tables.calls)
    webhook = opened.add(make_definition(event_names=NAMES, query=({"a": 1},), tags=()))
    opened.change(webhook, replace(webhook.definition, query=({"a": 2},)))
    calls = {name: count - before.get(name, 0) for name, count in opened.tables.calls.items()}
    assert calls["Query"] == 0 if "Query" in calls else True
    assert calls["BatchGetItem"] == 1  # the bitmaps of the new webhook
