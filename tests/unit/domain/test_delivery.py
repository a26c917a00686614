"""Deliveries' ids, and packs that carry each delivery exactly once within the limits."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.domain.delivery import (
    KEPT_ATTEMPTS,
    MAX_PACK_BYTES,
    MAX_PACK_DELIVERIES,
    Attempt,
    Delivery,
    Pack,
    delivery_id,
    pack_deliveries,
)
from webhooks.domain.delivery_log import LogKey, log_key, log_key_of
from webhooks.domain.delivery_message import decode_pack, encode_pack
from webhooks.domain.errors import MalformedPackError
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import EVENT_NAME

SCOPE = Scope("t1", "c1")
WEBHOOK_ID = "0" * 24
ONE = delivery_id("e", WEBHOOK_ID, log_time=1)
NO_LINE_BREAKS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"))


def make_delivery(**fields: Any) -> Delivery:
    one = delivery_id(fields["event_id"], WEBHOOK_ID, log_time=fields["log_time"])
    return Delivery(id=one, **fields)


ATTEMPTS = st.builds(
    Attempt,
    at=st.integers(0, 2**41),
    latency_ms=st.integers(0, 5000),
    status=st.none() | st.integers(100, 599),
    reason=st.none() | st.text(),
    address=st.none() | st.just("192.0.2.1"),
)
DELIVERIES = st.builds(
    make_delivery,
    event_id=st.text(min_size=1, max_size=256),
    event_name=st.from_regex(EVENT_NAME, fullmatch=True),
    log_time=st.integers(-(2**41), 2**41),
    body=NO_LINE_BREAKS,
    attempts=st.lists(ATTEMPTS, max_size=3).map(tuple),
    earlier=st.integers(0, 1000),
)


def test_an_id_follows_from_event_and_webhook_and_has_no_dot() -> None:
    one = delivery_id("e.1", WEBHOOK_ID, log_time=1)
    assert one == delivery_id("e.1", WEBHOOK_ID, log_time=1)
    assert one != delivery_id("e.2", WEBHOOK_ID, log_time=1)
    assert one != delivery_id("e.1", "1" * 24, log_time=1)
    assert "." not in one


@pytest.mark.parametrize(("log_time", "at"), [(1_790_000_000_000, 1_790_000_000_000), (0, 0), (-1, 0)])
def test_an_id_alone_finds_its_delivery_in_the_log(log_time: int, at: int) -> None:
    one = make_delivery(event_id="e", event_name="E", log_time=log_time, body="{}")
    assert log_key_of(one.id) == log_key(WEBHOOK_ID, one) == LogKey(WEBHOOK_ID, at, one.id)


@pytest.mark.parametrize("text", ["", ONE[1:], f"{ONE}0", ONE.replace("-", "_"), ONE[:-1] + "G", f"{ONE}\n"])
def test_another_text_is_no_delivery_of_the_log(text: str) -> None:
    assert log_key_of(text) is None


def test_ids_of_a_webhook_are_in_the_order_of_their_events() -> None:
    times = [0, 1, 999, 1_790_000_000_000, 253_402_300_799_000]
    ids = [delivery_id(f"e{time}", WEBHOOK_ID, log_time=time) for time in times]
    assert sorted(ids) == ids


def test_a_delivery_keeps_its_last_attempts_and_counts_all() -> None:
    one = make_delivery(event_id="e", event_name="E", log_time=1, body="{}")
    attempts = [Attempt(at=number, latency_ms=1) for number in range(KEPT_ATTEMPTS + 3)]

    for tries, attempt in enumerate(attempts, 1):
        one = one.tried(attempt)
        assert one.tries == tries

    assert (one.attempts, one.earlier) == (tuple(attempts[3:]), 3)


@given(st.lists(DELIVERIES, min_size=1, max_size=10))
def test_a_pack_reads_back_as_it_was_written(deliveries: list[Delivery]) -> None:
    pack = Pack(WEBHOOK_ID, SCOPE, tuple(deliveries))

    assert decode_pack(encode_pack(pack)) == pack


def test_a_response_excerpt_does_not_travel() -> None:
    attempt = Attempt(at=1, latency_ms=2, status=500, excerpt="long")
    pack = Pack(WEBHOOK_ID, SCOPE, (Delivery(ONE, "e", "E", 1, "{}", (attempt,)),))

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
    "changes",
    [
        {"id": "d"},
        {"id": ONE[:-1]},
        {"id": ONE.upper().replace("E", "F")},
        {"id": delivery_id("e", "1" * 24, log_time=1)},
        {"log_time": 2},
        {"earlier": -1},
    ],
)
def test_a_delivery_whose_id_is_not_its_own_is_refused(changes: dict[str, Any]) -> None:
    one = replace(make_delivery(event_id="e", event_name="E", log_time=1, body="{}"), **changes)
    with pytest.raises(MalformedPackError, match="no delivery has"):
        decode_pack(encode_pack(Pack(WEBHOOK_ID, SCOPE, (one,))))


@pytest.mark.parametrize("webhook_id", ["w", "0" * 23, "g" * 24])
def test_a_pack_of_no_webhook_is_refused(webhook_id: str) -> None:
    one = Delivery(f"{webhook_id}-{ONE.partition('-')[2]}", "e", "E", 1, "{}")
    with pytest.raises(MalformedPackError, match="no delivery has"):
        decode_pack(encode_pack(Pack(webhook_id, SCOPE, (one,))))


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
