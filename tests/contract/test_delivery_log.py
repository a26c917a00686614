"""The contract of DeliveryLog."""

from dataclasses import replace
from typing import Any

import pytest

from tests.contract.backends import Backend
from tests.contract.opened_log import OpenedLog, open_log
from webhooks.domain.delivery import Attempt, Delivery, delivery_id
from webhooks.domain.delivery_log import LogEntry, Logged, LogKey, Outcome, log_key
from webhooks.domain.scope import Scope

WEBHOOK = "0123456789abcdef01234567"
FAILED = Attempt(at=1_790_000_000_000, latency_ms=5, status=500, address="192.0.2.1", excerpt="oh no")
REFUSED = Attempt(at=1_790_000_030_000, latency_ms=0, reason="dns")


@pytest.fixture
def log(backend: Backend) -> OpenedLog:
    return open_log(backend)


def entry(number: int, outcome: Outcome = Outcome.DELIVERED, **changes: Any) -> LogEntry:
    event_id = f"event {number}"
    delivery = Delivery("", event_id, "order.paid", 1_790_000_000_000 + number, "{}")
    delivery = replace(delivery, **changes)
    delivery = replace(delivery, id=delivery_id(delivery.event_id, WEBHOOK, log_time=delivery.log_time))
    return LogEntry(
        log_key(WEBHOOK, delivery),
        delivery,
        Scope("acme", "north"),
        outcome,
        1_790_000_000_500,
        reason="a reason",
    )


def test_a_recorded_entry_is_found(log: OpenedLog) -> None:
    one = entry(1, Outcome.RETRYING, attempts=(FAILED, REFUSED))
    assert list(log.record([one, entry(2)])) == []
    absent = entry(3).key
    assert log.find([one.key, absent, entry(2).key]) == {
        one.key: Logged(Outcome.RETRYING, (FAILED, REFUSED), tries=2),
        entry(2).key: Logged(Outcome.DELIVERED, ()),
    }


def test_attempts_that_are_no_longer_kept_are_counted(log: OpenedLog) -> None:
    log.record([entry(1, Outcome.RETRYING, attempts=(FAILED, REFUSED), earlier=40)])
    assert log.find([entry(1).key]) == {entry(1).key: Logged(Outcome.RETRYING, (FAILED, REFUSED), tries=42)}


def test_a_later_entry_replaces_the_earlier_one(log: OpenedLog) -> None:
    log.record([entry(1, Outcome.RETRYING)])
    log.record([entry(1, Outcome.RETRYING), entry(1, Outcome.DEAD)])
    assert log.find([entry(1).key]) == {entry(1).key: Logged(Outcome.DEAD, ())}


def test_many_entries_are_recorded_at_once(log: OpenedLog) -> None:
    entries = [entry(number) for number in range(130)]
    assert list(log.record(entries)) == []
    assert set(log.find([each.key for each in entries])) == {each.key for each in entries}


def test_an_empty_call_does_nothing(log: OpenedLog) -> None:
    assert list(log.record([])) == []
    assert log.find([]) == {}


@pytest.mark.parametrize("event_id", ["\ud800", "ä" * 256, "\x00", '"'])
def test_every_event_id_can_be_recorded(log: OpenedLog, event_id: str) -> None:
    odd = entry(1, event_id=event_id)
    assert list(log.record([odd])) == []
    assert set(log.find([odd.key])) == {odd.key}


@pytest.mark.parametrize("log_time", [-62_135_596_800_000, -1, 0, 253_402_300_799_000])
def test_every_time_can_be_recorded(log: OpenedLog, log_time: int) -> None:
    odd = entry(1, log_time=log_time)
    log.record([odd])
    absent = LogKey(WEBHOOK, odd.key.log_time, delivery_id("absent", WEBHOOK, log_time=log_time))
    assert set(log.find([odd.key, absent])) == {odd.key}
