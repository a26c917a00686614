"""Rules of the delivery log: keys, payloads, and the details of attempts."""

from dataclasses import replace

import pytest

from tests.contract.logged import FAILED, REFUSED, WEBHOOK, entry
from webhooks.domain.delivery import without_details
from webhooks.domain.delivery_log import (
    KEPT,
    Logged,
    LogKey,
    Outcome,
    PayloadStep,
    log_key_of,
    payload_step,
    with_details,
)
from webhooks.domain.http import PhaseTimes

HASH = "0123456789abcdef" * 2
TIMED = replace(FAILED, times=PhaseTimes(1, 2, 3, 4, 5), location="https://a.example/")


def test_an_id_alone_is_a_key() -> None:
    delivery_id = f"{WEBHOOK}-01a0c4506c01-{HASH}"
    assert log_key_of(delivery_id) == LogKey(WEBHOOK, 0x01A0C4506C01, delivery_id)


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{WEBHOOK}-{HASH}",
        f"{WEBHOOK}-01a0c4506c01-{HASH}\n",
        f"{WEBHOOK}-01A0C4506C01-{HASH}",
        f"{WEBHOOK}-01a0c4506c0\u0661-{HASH}",
        f" {WEBHOOK}-01a0c4506c01-{HASH}",
    ],
)
def test_another_text_is_no_key(text: str) -> None:
    assert log_key_of(text) is None


UNDELIVERED = {
    (Outcome.DELIVERED, False): PayloadStep.NONE,
    (Outcome.DELIVERED, True): PayloadStep.DELETE,
    (Outcome.RETRYING, False): PayloadStep.NONE,
    (Outcome.RETRYING, True): PayloadStep.LEAVE,
    (Outcome.DEAD, False): PayloadStep.WRITE,
    (Outcome.DEAD, True): PayloadStep.WRITE,
    (Outcome.HELD, False): PayloadStep.WRITE,
    (Outcome.HELD, True): PayloadStep.WRITE,
    (Outcome.SKIPPED, False): PayloadStep.NONE,
    (Outcome.SKIPPED, True): PayloadStep.LEAVE,
}
ALL = {
    (outcome, has_payload): PayloadStep.LEAVE if has_payload and outcome not in KEPT else PayloadStep.WRITE
    for outcome, has_payload in UNDELIVERED
}


@pytest.mark.parametrize(
    ("kept", "steps"), [(KEPT, UNDELIVERED), (tuple(Outcome), ALL)], ids=["undelivered", "all"]
)
def test_a_payload_is_kept_as_the_settings_say(
    kept: tuple[Outcome, ...], steps: dict[tuple[Outcome, bool], PayloadStep]
) -> None:
    for (outcome, has_payload), step in steps.items():
        assert payload_step(entry(1, outcome, has_payload=has_payload), kept) is step, (outcome, has_payload)


def test_a_line_that_was_read_writes_no_payload() -> None:
    for outcome in set(Outcome) - {Outcome.DELIVERED}:
        for kept in (KEPT, tuple(Outcome)):
            assert payload_step(entry(1, outcome, body="", has_payload=True), kept) is PayloadStep.LEAVE
            assert payload_step(entry(1, outcome, body=""), kept) is PayloadStep.NONE


def test_attempts_get_their_details_back_from_the_log() -> None:
    delivery = entry(1, attempts=(without_details(TIMED), without_details(REFUSED))).delivery
    now = replace(FAILED, at=FAILED.at + 60_000)
    known = Logged(Outcome.RETRYING, (TIMED, REFUSED), 2)
    assert with_details(delivery.tried(now), known).attempts == (TIMED, REFUSED, now)
    assert with_details(delivery, None) == delivery
    assert with_details(delivery, Logged(Outcome.HELD, ())) == delivery


def test_an_attempt_that_the_log_has_otherwise_stays_as_it_is() -> None:
    delivery = entry(1, attempts=(without_details(FAILED),)).delivery
    other = replace(TIMED, latency_ms=TIMED.latency_ms + 1)
    assert with_details(delivery, Logged(Outcome.RETRYING, (other,), 1)) == delivery
