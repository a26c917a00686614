"""The contract of DeliveryLog."""

from dataclasses import replace
from typing import Any

import pytest

from tests.contract.backends import Backend
from tests.contract.logged import FAILED, REFUSED, WEBHOOK, entry
from tests.contract.opened_log import OpenedLog, open_log
from webhooks.domain.delivery_log import Logged, Outcome


@pytest.fixture
def log(backend: Backend) -> OpenedLog:
    return open_log(backend)


def test_a_recorded_entry_is_found(log: OpenedLog) -> None:
    one = entry(1, Outcome.RETRYING, attempts=(FAILED, REFUSED), earlier=3)
    assert list(log.record([one, entry(2)])) == []
    absent = entry(3).key
    assert log.logged([one.key, absent, entry(2).key]) == {
        one.key: Logged(Outcome.RETRYING, (FAILED, REFUSED), tries=5),
        entry(2).key: Logged(Outcome.DELIVERED, ()),
    }


def test_a_later_entry_replaces_the_earlier_one(log: OpenedLog) -> None:
    log.record([entry(1, Outcome.RETRYING)])
    log.record([entry(1, Outcome.RETRYING), replace(entry(1, Outcome.DEAD), is_recoverable=True)])
    assert log.logged([entry(1).key]) == {
        entry(1).key: Logged(Outcome.DEAD, (), is_recoverable=True, has_payload=True)
    }


def test_many_entries_are_recorded_at_once(log: OpenedLog) -> None:
    entries = [entry(number) for number in range(130)]
    assert list(log.record(entries)) == []
    assert set(log.logged([each.key for each in entries])) == {each.key for each in entries}


def test_an_empty_call_does_nothing(log: OpenedLog) -> None:
    assert list(log.record([])) == []
    assert log.logged([]) == {}


@pytest.mark.parametrize("event_id", ["\ud800", "ä" * 256, "\x00", '"'])
def test_every_event_id_can_be_recorded(log: OpenedLog, event_id: str) -> None:
    odd = entry(1, event_id=event_id)
    assert list(log.record([odd])) == []
    assert set(log.logged([odd.key])) == {odd.key}


@pytest.mark.parametrize("log_time", [-62_135_596_800_000, -1, 0, 253_402_300_799_000])
def test_every_time_can_be_recorded(log: OpenedLog, log_time: int) -> None:
    odd: Any = entry(1, log_time=log_time)
    log.record([odd])
    assert odd.key.delivery_id.startswith(f"{WEBHOOK}-{max(0, log_time):012x}-")
    assert set(log.logged([odd.key])) == set(log.reads.find([odd.key])) == {odd.key}
