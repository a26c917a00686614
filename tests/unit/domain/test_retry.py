"""The decision after an attempt."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.domain.http import HttpResponse, NoResponse, NoResponseReason, shown_location
from webhooks.domain.retry import (
    JITTER,
    MAX_DELAY,
    DeadLettered,
    Delivered,
    RetryAfter,
    Verdict,
    decide,
    retry_after,
)
from webhooks.domain.webhook import Definition, Endpoint

NOW = 1_700_000_000.0
DELAYS = (30, 300)
DEFINITION = Definition(
    event_names=("E",),
    name="n",
    endpoint=Endpoint("https://example.com"),
    success_codes=(200,),
    created_by="me",
    retry_count=2,
)


def response(status: int, *, after: str | None = None) -> HttpResponse:
    return HttpResponse(status=status, retry_after=after, excerpt="", latency_ms=1, address="192.0.2.1")


NO_RESPONSE = NoResponse(reason=NoResponseReason.DNS, detail="no such host", latency_ms=1, address=None)


def verdict(
    outcome: HttpResponse | NoResponse,
    *,
    attempt: int = 1,
    jitter: float = 0.0,
    definition: Definition = DEFINITION,
) -> Verdict:
    return decide(outcome, definition, attempt=attempt, delays=DELAYS, now=NOW, jitter=jitter)


def test_a_success_code_is_delivered_even_if_it_usually_fails() -> None:
    assert verdict(response(200)) == Delivered()
    assert verdict(response(410), definition=replace(DEFINITION, success_codes=(410,))) == Delivered()
    assert verdict(response(500), definition=replace(DEFINITION, success_codes=(500,))) == Delivered()


# The last ones: minio/minio-go#1935, sindresorhus/got#991, descope/python-sdk#1581
@pytest.mark.parametrize(
    "status", [408, 425, 429, 500, 502, 503, 504, 506, 507, 508, 511, 520, 521, 522, 523, 524, 529, 530, 599]
)
def test_the_default_retry_codes_are_retried(status: int) -> None:
    assert verdict(response(status)) == RetryAfter(30)


@pytest.mark.parametrize(
    "status", [201, 301, 302, 307, 308, 400, 401, 404, 409, 421, 499, 501, 505, 600, 999]
)
def test_any_other_response_ends_a_delivery(status: int) -> None:
    assert isinstance(verdict(response(status)), DeadLettered)


# triggerdotdev/trigger.dev#543, polarsource/polar#7760, sourcegraph/sourcegraph-public-snapshot#46346
def test_the_reason_has_the_location_of_a_redirect() -> None:
    redirect = replace(response(308), location="https://www.foo.com/api/trigger")

    assert verdict(redirect) == DeadLettered("HTTP 308 to https://www.foo.com/api/trigger, not a retry code")


@pytest.mark.parametrize(
    ("status", "value", "shown"),
    [
        (308, "https://www.foo.com/api/trigger", "https://www.foo.com/api/trigger"),
        (301, " /hook/ ", "/hook/"),
        (307, "//www.foo.com/", "//www.foo.com/"),
        (302, "https://user:secret@foo.com/a?token=secret#secret", "https://foo.com/a"),
        (302, "https://a@b@foo.com/x@y", "https://foo.com/x@y"),
        (302, "/a#b?c", "/a"),
        (302, "https://foo.com/\x00\n\x7f\x85ü x", "https://foo.com/??????x"),
        (302, "https://foo.com/" + "x" * 300, "https://foo.com/" + "x" * 240),
        (302, "?a=b", None),
        (302, "", None),
        (302, None, None),
        (201, "/created", None),
        (503, "/busy", None),
    ],
)
def test_a_shown_location_has_no_part_that_can_be_secret(
    status: int, value: str | None, shown: str | None
) -> None:
    assert shown_location(status, value) == shown


def test_retry_codes_replace_the_usual_ones() -> None:
    definition = replace(DEFINITION, retry_codes=(404,))

    assert verdict(response(404), definition=definition) == RetryAfter(30)
    assert isinstance(verdict(response(500), definition=definition), DeadLettered)
    assert isinstance(verdict(NO_RESPONSE, definition=definition), DeadLettered)
    assert verdict(NO_RESPONSE, definition=replace(DEFINITION, retry_codes=(0,))) == RetryAfter(30)


def test_attempts_end_with_the_retry_count_and_the_delays_grow() -> None:
    assert verdict(NO_RESPONSE, attempt=1) == RetryAfter(30)
    assert verdict(NO_RESPONSE, attempt=2) == RetryAfter(300)
    exhausted = DeadLettered("no answer: dns at the last of 3 attempts", is_exhausted=True)
    assert verdict(NO_RESPONSE, attempt=3) == exhausted
    assert isinstance(verdict(NO_RESPONSE, definition=replace(DEFINITION, retry_count=0)), DeadLettered)


def test_status_410_ends_all_deliveries_of_the_webhook() -> None:
    assert verdict(response(410)) == DeadLettered("endpoint gone (HTTP 410)", gone=True)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("soon", 0),
        ("-5", 0),
        ("60", 60),
        (" 60 ", 60),
        ("²", 0),
        ("9" * 500, MAX_DELAY),
        (format_datetime(datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=90)), 90),
        (format_datetime(datetime.fromtimestamp(NOW, UTC) - timedelta(seconds=90)), 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_DELAY),
    ],
)
def test_retry_after_is_seconds_or_a_date_up_to_15_minutes(value: str | None, seconds: int) -> None:
    assert retry_after(value, NOW) == seconds


@given(st.text())
def test_any_retry_after_is_within_its_bounds(value: str) -> None:
    assert 0 <= retry_after(value, NOW) <= MAX_DELAY


@given(
    attempt=st.integers(1, 2),
    jitter=st.floats(0, 1, exclude_max=True),
    after=st.none() | st.integers(0, 10_000).map(str),
)
def test_a_retry_is_never_sooner_than_asked_and_never_later_than_sqs_can(
    attempt: int, jitter: float, after: str | None
) -> None:
    again = verdict(response(503, after=after), attempt=attempt, jitter=jitter)

    assert isinstance(again, RetryAfter)
    least = max(DELAYS[attempt - 1], min(int(after or 0), MAX_DELAY))
    assert least <= again.delay <= max(least, DELAYS[attempt - 1] * (1 + JITTER))
