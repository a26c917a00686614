"""Decides on an attempt: its delivery with the attempt in its history, the verdict, a line if it failed."""

import logging
from dataclasses import replace
from typing import Any

from webhooks.domain.delivery import Attempt, Release, ReleaseKind
from webhooks.domain.delivery_log import Logged
from webhooks.domain.http import HttpOutcome, HttpResponse
from webhooks.domain.retry import DeadLettered, Delivered, PutBack, RetryAfter, Verdict, decide, what_came
from webhooks.domain.values import value_type
from webhooks.domain.webhook import Webhook
from webhooks.services.dispatch.stages import Attempted, Decided, Decoded, Failed, failed

logger = logging.getLogger(__name__)


@value_type(frozen=True, slots=True)
class DecisionRules:
    """The deployment's: `delays` between attempts, in seconds.

    `recovers`: exhausted deliveries are recoverable where their webhook does not say.
    """

    delays: tuple[int, ...]
    recovers: bool


def decide_on(
    attempted: Attempted | Failed, rules: DecisionRules, *, now: float, jitter: float
) -> Decided | Failed:
    """Decide on an attempt at `now` (epoch s); `jitter` as in `retry.decide`."""
    if isinstance(attempted, Failed):
        return attempted
    try:
        return _decided(attempted, rules, now=now, jitter=jitter)
    except Exception as error:  # noqa: BLE001 - the boundary of one delivery: it costs no other's
        return failed(attempted.signed.prepared.decoded, error)


def _decided(attempted: Attempted, rules: DecisionRules, *, now: float, jitter: float) -> Decided:
    signed, outcome = attempted.signed, attempted.outcome
    decoded, webhook = signed.prepared.decoded, signed.prepared.webhook
    attempt = attempt_of(outcome, webhook, at=int(signed.at * 1000))
    tried = decoded.delivery.tried(attempt)
    verdict = decide(
        outcome, webhook.definition, attempt=tried.tries, delays=rules.delays, now=now, jitter=jitter
    )
    verdict = _in_release(verdict, decoded.pack.release, decoded.known, outcome=outcome)
    if isinstance(verdict, DeadLettered) and verdict.is_exhausted:
        recovers = rules.recovers if webhook.definition.recover is None else webhook.definition.recover
        verdict = replace(verdict, is_recoverable=recovers and not _was_recovered(decoded))
    decided = Decided(replace(decoded, delivery=tried), webhook, outcome, verdict)
    _log(decided, attempt)
    return decided


def _in_release(
    verdict: Verdict, release: Release | None, known: Logged | None, *, outcome: HttpOutcome
) -> Verdict:
    """Return the verdict on an attempt of a release: a probe that fails costs its delivery nothing."""
    is_probe = release is not None and release.kind is ReleaseKind.PROBE
    if not is_probe or known is None or not known.is_backlog:
        return verdict
    match verdict:
        case RetryAfter() | DeadLettered(is_exhausted=True):
            return PutBack(f"{what_came(outcome)} to a probe")
    return verdict


def _was_recovered(decoded: Decoded) -> bool:
    """Tell whether this attempt was the one more that a recoverable delivery has."""
    release, known = decoded.pack.release, decoded.known
    is_recovery = release is not None and release.kind is ReleaseKind.RECOVERY
    return is_recovery and known is not None and known.is_recoverable


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
    """Log a failed attempt; the delivery log has the delivered ones, and their batch's line the number."""
    if not isinstance(decided.verdict, Delivered):
        logger.info("delivery.failed", extra=_fields(decided, attempt))
    elif logger.isEnabledFor(logging.DEBUG):
        logger.debug("delivery.delivered", extra=_fields(decided, attempt))


def _fields(decided: Decided, attempt: Attempt) -> dict[str, Any]:
    delivery, pack = decided.decoded.delivery, decided.decoded.pack
    return {
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
    }
