"""Decides on an attempt: its delivery with the attempt in its history, the verdict, and a line in the log."""

import logging
from dataclasses import replace

from webhooks.domain.delivery import Attempt
from webhooks.domain.http import HttpOutcome, HttpResponse
from webhooks.domain.retry import decide
from webhooks.domain.webhook import Webhook
from webhooks.services.dispatch.stages import Attempted, Decided, Failed, failed

logger = logging.getLogger(__name__)


def decide_on(
    attempted: Attempted | Failed, *, delays: tuple[int, ...], now: float, jitter: float
) -> Decided | Failed:
    """Decide on an attempt at `now` (epoch s); `delays` and `jitter` as in `retry.decide`."""
    if isinstance(attempted, Failed):
        return attempted
    try:
        return _decided(attempted, delays=delays, now=now, jitter=jitter)
    except Exception as error:  # noqa: BLE001 - the boundary of one delivery: it costs no other's
        return failed(attempted.signed.prepared.decoded, error)


def _decided(attempted: Attempted, *, delays: tuple[int, ...], now: float, jitter: float) -> Decided:
    signed, outcome = attempted.signed, attempted.outcome
    decoded, webhook = signed.prepared.decoded, signed.prepared.webhook
    attempt = attempt_of(outcome, webhook, at=round(signed.at * 1000))
    tried = decoded.delivery.tried(attempt)
    verdict = decide(outcome, webhook.definition, attempt=tried.tries, delays=delays, now=now, jitter=jitter)
    decided = Decided(replace(decoded, delivery=tried), webhook, outcome, verdict)
    _log(decided, attempt)
    return decided


def attempt_of(outcome: HttpOutcome, webhook: Webhook, *, at: int) -> Attempt:
    """Return an attempt for the history; `at` in epoch ms."""
    if isinstance(outcome, HttpResponse):
        failed = outcome.status not in webhook.definition.success_codes
        return Attempt(
            at=at,
            latency_ms=outcome.latency_ms,
            status=outcome.status,
            address=outcome.address,
            excerpt=(outcome.excerpt or None) if failed else None,
            location=outcome.location if failed else None,
            times=outcome.times,
        )
    return Attempt(
        at=at,
        latency_ms=outcome.latency_ms,
        reason=f"{outcome.reason}: {outcome.detail}",
        address=outcome.address,
        times=outcome.times,
    )


def _log(decided: Decided, attempt: Attempt) -> None:
    delivery, pack = decided.decoded.delivery, decided.decoded.pack
    logger.info(
        "delivery.attempted",
        extra={
            "delivery_id": delivery.id,
            "webhook_id": pack.webhook_id,
            "tenant_id": pack.scope.tenant_id,
            "community_id": pack.scope.community_id,
            "event_id": delivery.event_id,
            "event_name": delivery.event_name,
            "attempt": delivery.tries,
            "status": attempt.status,
            "reason": attempt.reason,
            "address": attempt.address,
            "location": attempt.location,
            "latency_ms": attempt.latency_ms,
            "times_ms": attempt.times and attempt.times._asdict(),
            "verdict": type(decided.verdict).__name__.lower(),
        },
    )
