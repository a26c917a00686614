"""Slow attempts."""

from dataclasses import replace

import pytest

from webhooks.domain.http import HttpOutcome, HttpResponse, NoResponse, NoResponseReason
from webhooks.domain.lane import is_slow

LIMIT = 1.0
QUICK = HttpResponse(200, None, "", latency_ms=999, address="192.0.2.1")
SLOW = replace(QUICK, latency_ms=1000)
UNSENT = ("refused", "dns", "connect", "tls", "oauth")


def no_response(reason: str, latency_ms: int) -> NoResponse:
    return NoResponse(NoResponseReason(reason), "why", latency_ms, None)


@pytest.mark.parametrize("outcome", [SLOW, replace(SLOW, status=500)])
def test_a_response_after_the_limit_is_slow(outcome: HttpOutcome) -> None:
    assert is_slow(outcome, LIMIT) is True


@pytest.mark.parametrize("reason", NoResponseReason)
def test_a_failure_after_the_limit_is_slow(reason: str) -> None:
    assert is_slow(no_response(reason, 1000), LIMIT) is True


@pytest.mark.parametrize("outcome", [QUICK, no_response("reset", 999), no_response("malformed", 0)])
def test_an_attempt_ended_by_the_endpoint_before_the_limit_is_quick(outcome: HttpOutcome) -> None:
    assert is_slow(outcome, LIMIT) is False


@pytest.mark.parametrize("reason", UNSENT)
def test_a_quick_attempt_that_never_reached_the_endpoint_is_ignored(reason: str) -> None:
    assert is_slow(no_response(reason, 999), LIMIT) is None
