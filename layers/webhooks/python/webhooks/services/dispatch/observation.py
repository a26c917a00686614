"""Sums up what a batch tells of one webhook's endpoint. Reads and sends nothing."""

from collections.abc import Iterable, Sequence

from webhooks.domain.delivery import ReleaseKind
from webhooks.domain.health_rules import Observed
from webhooks.domain.lane import is_slow
from webhooks.domain.retry import DeadLettered, Delivered, PutBack, RetryAfter, what_came
from webhooks.domain.webhook_event import DISABLED, FAILING, RECOVERED
from webhooks.services.dispatch.stages import Decided, Held, Kept

ABOUT_WEBHOOKS = frozenset({FAILING, RECOVERED, DISABLED})  # deliveries of these cause none of them

type Concerned = Decided | Held | Kept


def observation(group: Sequence[Concerned], *, slow_from: float, was_slow: bool) -> Observed:
    """Return what a batch tells of a webhook; `slow_from`: seconds from which an attempt is slow.

    `is_slow` is False where the webhook was slow, one attempt was quick and none slow.
    """
    decided = [each for each in group if isinstance(each, Decided)]
    succeeded = [each for each in decided if isinstance(each.verdict, Delivered)]
    # Nearly always all succeed: nothing else is asked of them then.
    failed = [each for each in decided if _has_failed(each)] if len(succeeded) < len(decided) else []
    slow = [found for each in decided if (found := is_slow(each.outcome, slow_from)) is not None]
    return Observed(
        succeeded_at=max(map(_ended_at, succeeded), default=None),
        failures=len(failed),
        reason=what_came(failed[-1].outcome) if failed else "",
        is_exhausted=any(map(_begins_failure, failed)),
        has_backlog=len(succeeded) < len(group) and any(map(joins_backlog, group)),
        is_slow=any(slow) if slow and (was_slow or any(slow)) else None,
        successes_tell=tells(succeeded),
        failures_tell=tells(failed),
    )


def joins_backlog(stage: Concerned) -> bool:
    """Tell whether a delivery waits for its webhook to take deliveries again."""
    match stage:
        case Held() | Kept() | Decided(verdict=PutBack() | DeadLettered(is_recoverable=True)):
            return True
    return False


def quick_attempts(group: Iterable[Concerned], *, slow_from: float) -> int:
    """Return how many attempts were quick."""
    return sum(isinstance(each, Decided) and is_slow(each.outcome, slow_from) is False for each in group)


def _has_failed(decided: Decided) -> bool:
    """Tell whether an attempt got no response, or a retry code.

    A probe does not count: one payload that is always refused would open the breaker for all others.
    """
    match decided.verdict:
        case RetryAfter() | DeadLettered(is_exhausted=True):
            return True
    return False


def _begins_failure(decided: Decided) -> bool:
    """Tell whether a delivery has no attempt left; one of a replay or recovery says nothing new."""
    release = decided.decoded.pack.release
    is_released = release is not None and release.kind is not ReleaseKind.PROBE
    return not is_released and not isinstance(decided.verdict, RetryAfter)


def _ended_at(decided: Decided) -> int:
    attempt = decided.decoded.delivery.attempts[-1]
    return attempt.at + attempt.latency_ms


def tells(attempts: Iterable[Decided]) -> bool:
    """Tell whether any of the attempts was for an event that is not about webhooks themselves."""
    return any(each.decoded.delivery.event_name not in ABOUT_WEBHOOKS for each in attempts)
