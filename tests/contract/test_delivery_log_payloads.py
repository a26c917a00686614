"""The contract of the payloads in the delivery log: kept before their entries, removed after them."""

import random
from base64 import b64encode
from dataclasses import replace

import pytest

from tests.contract.backends import Backend
from tests.contract.logged import OTHER, entry
from tests.contract.opened_log import OpenedLog, open_log
from webhooks.domain.delivery_log import LogEntry, Mark, Outcome


@pytest.fixture
def log(backend: Backend) -> OpenedLog:
    return open_log(backend)


def kept(log: OpenedLog, *entries: LogEntry) -> list[str]:
    """Return the payloads, and assert that each entry tells whether its own is there."""
    keys = [each.key for each in entries]
    bodies, found = log.reads.payloads(keys), log.reads.find(keys)
    assert {each: found[each].has_payload for each in keys} == {each: each in bodies for each in keys}
    assert {each: log.logged(keys)[each].has_payload for each in keys} == {
        each: each in bodies for each in keys
    }
    return [bodies[each] for each in keys if each in bodies]


def with_payload(made: LogEntry, outcome: Outcome) -> LogEntry:
    """Return the next entry of a delivery whose payload is kept."""
    return replace(made, outcome=outcome, has_payload=True)


def test_payloads_of_dead_and_held_deliveries_are_kept(log: OpenedLog) -> None:
    entries = [entry(number, outcome) for number, outcome in enumerate(Outcome)]
    log.record(entries)
    assert kept(log, *entries) == [
        each.delivery.body for each in entries if each.outcome in (Outcome.DEAD, Outcome.HELD)
    ]


def test_payloads_of_all_deliveries_are_kept_where_settings_say_so(backend: Backend) -> None:
    log = open_log(backend, keep_all_payloads=True)
    entries = [entry(number, outcome) for number, outcome in enumerate(Outcome)]
    log.record(entries)
    assert kept(log, *entries) == [each.delivery.body for each in entries]
    log.record([with_payload(each, Outcome.DELIVERED) for each in entries])
    assert kept(log, *entries) == [each.delivery.body for each in entries]


def test_a_payload_stays_until_its_delivery_is_delivered(log: OpenedLog) -> None:
    one = entry(1, Outcome.HELD)
    log.record([one])
    for outcome in (Outcome.RETRYING, Outcome.SKIPPED, Outcome.DEAD, Outcome.RETRYING):
        log.record([with_payload(one, outcome)])
        assert kept(log, one) == [one.delivery.body]
    log.record([with_payload(one, Outcome.DELIVERED)])
    assert kept(log, one) == []


def test_a_line_that_was_read_is_written_again_with_its_payload(log: OpenedLog) -> None:
    one = entry(1, Outcome.HELD)
    log.record([one])
    read = log.reads.find([one.key])[one.key]
    log.record([replace(read, outcome=Outcome.DEAD, reason="disabled")])
    assert kept(log, one) == [one.delivery.body]
    assert log.reads.find([one.key])[one.key].outcome is Outcome.DEAD


def test_a_line_that_was_read_without_a_payload_gets_none(log: OpenedLog) -> None:
    one = entry(1, Outcome.RETRYING)
    log.record([one])
    log.record([replace(log.reads.find([one.key])[one.key], outcome=Outcome.DEAD)])
    assert kept(log, one) == []


def test_the_payload_of_a_failed_test_is_kept(log: OpenedLog) -> None:
    one = entry(1, Outcome.DEAD, mark=Mark.TEST)
    log.record([one])
    assert kept(log, one) == [one.delivery.body]


def test_the_same_event_has_a_payload_for_each_webhook(log: OpenedLog) -> None:
    one, other = entry(1, Outcome.DEAD, body="[1]"), entry(1, Outcome.DEAD, webhook_id=OTHER, body="[2]")
    log.record([one, other])
    assert kept(log, one, other) == ["[1]", "[2]"]


@pytest.mark.parametrize("size", [1, 1000, 358_000, 720_000, 1_040_384])
def test_a_payload_of_any_size_returns_as_it_was(log: OpenedLog, size: int) -> None:
    body = b64encode(random.Random(size).randbytes(size)).decode()[:size]  # zlib makes it a quarter shorter
    one = entry(1, Outcome.DEAD, body=body)
    assert list(log.record([one])) == []
    assert kept(log, one) == [one.delivery.body]
    log.record([with_payload(one, Outcome.DELIVERED)])
    assert kept(log, one) == []


def test_payloads_of_many_deliveries_are_read_at_once(log: OpenedLog) -> None:
    entries = [entry(number, Outcome.DEAD) for number in range(130)]
    log.record(entries)
    assert kept(log, *entries) == [each.delivery.body for each in entries]
    assert log.reads.payloads([]) == {}
