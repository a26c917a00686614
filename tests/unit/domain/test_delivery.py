"""Deliveries' ids, and packs that carry each delivery exactly once within the limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.domain.delivery import (
    MAX_PACK_BYTES,
    MAX_PACK_DELIVERIES,
    Attempt,
    Delivery,
    Pack,
    delivery_id,
    pack_deliveries,
)
from webhooks.domain.delivery_message import decode_pack, encode_pack
from webhooks.domain.errors import MalformedPackError
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import EVENT_NAME

SCOPE = Scope("t1", "c1")
WEBHOOK_ID = "0" * 24
NO_LINE_BREAKS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"))
ATTEMPTS = st.builds(
    Attempt,
    at=st.integers(0, 2**41),
    latency_ms=st.integers(0, 5000),
    status=st.none() | st.integers(100, 599),
    reason=st.none() | st.text(),
    address=st.none() | st.just("192.0.2.1"),
)
DELIVERIES = st.builds(
    Delivery,
    id=st.uuids().map(str),
    event_id=st.text(min_size=1, max_size=256),
    event_name=st.from_regex(EVENT_NAME, fullmatch=True),
    log_time=st.integers(0, 2**41),
    body=NO_LINE_BREAKS,
    attempts=st.lists(ATTEMPTS, max_size=3).map(tuple),
)


def test_an_id_follows_from_event_and_webhook_and_has_no_dot() -> None:
    assert delivery_id("e.1", WEBHOOK_ID) == delivery_id("e.1", WEBHOOK_ID)
    assert delivery_id("e.1", WEBHOOK_ID) != delivery_id("e.2", WEBHOOK_ID)
    assert delivery_id("e.1", WEBHOOK_ID) != delivery_id("e.1", "1" * 24)
    assert "." not in delivery_id("e.1", WEBHOOK_ID)


@given(st.lists(DELIVERIES, min_size=1, max_size=10))
def test_a_pack_reads_back_as_it_was_written(deliveries: list[Delivery]) -> None:
    pack = Pack(WEBHOOK_ID, SCOPE, tuple(deliveries))

    assert decode_pack(encode_pack(pack)) == pack


def test_a_response_excerpt_does_not_travel() -> None:
    attempt = Attempt(at=1, latency_ms=2, status=500, excerpt="long")
    pack = Pack(WEBHOOK_ID, SCOPE, (Delivery("d", "e", "E", 1, "{}", (attempt,)),))

    assert decode_pack(encode_pack(pack)).deliveries[0].attempts == (Attempt(at=1, latency_ms=2, status=500),)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 40_000)), max_size=30))
def test_packs_carry_each_delivery_once_in_order_within_the_limits(sizes: list[tuple[int, int]]) -> None:
    deliveries = [Delivery(f"d{number}", "e", "E", 1, "x" * size) for number, size in sizes]

    packs = list(pack_deliveries(WEBHOOK_ID, SCOPE, deliveries=deliveries))

    carried = [delivery.id for pack in packs for delivery in pack.deliveries]
    assert carried == list(dict.fromkeys(delivery.id for delivery in deliveries))
    for pack in packs:
        assert len(pack.deliveries) <= MAX_PACK_DELIVERIES
        assert len(pack.deliveries) == 1 or len(encode_pack(pack).encode()) <= MAX_PACK_BYTES


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "no json",
        '{"webhookId":"w","tenantId":"t","communityId":"c","deliveries":[]}',
        '{"webhookId":"w","tenantId":"t","communityId":"c","deliveries":[{}]}\n{}',
        '{"webhookId":"w","tenantId":"t","communityId":"c","deliveries":[]}\n{}',
        "[" * 100_000,
    ],
)
def test_a_malformed_pack_is_refused(text: str) -> None:
    with pytest.raises(MalformedPackError):
        decode_pack(text)


@given(st.text())
def test_any_text_is_a_pack_or_is_refused(text: str) -> None:
    with pytest.raises(MalformedPackError):
        decode_pack(text)
