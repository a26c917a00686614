"""The verdict on an attempt: delivered, again later, or the end. Pure."""

from datetime import UTC
from email.utils import parsedate_to_datetime

from webhooks.domain.http import HttpOutcome, HttpResponse
from webhooks.domain.values import value_type
from webhooks.domain.webhook import Definition

NO_RESPONSE = 0
GONE = 410
# All 5xx but Not Implemented and HTTP Version Not Supported: proxies have codes of their own among them.
DEFAULT_RETRY_CODES = frozenset({NO_RESPONSE, 408, 425, 429, *range(500, 600)} - {501, 505})
MAX_DELAY = 900  # SQS can delay a message by 15 minutes at most
JITTER = 0.2  # upward only: no endpoint is called sooner than the delay says


@value_type(frozen=True, slots=True)
class Delivered:
    """The endpoint's status is one of the webhook's success codes."""


@value_type(frozen=True, slots=True)
class RetryAfter:
    """Another attempt follows, after `delay` seconds."""

    delay: int


@value_type(frozen=True, slots=True)
class DeadLettered:
    """No attempt follows; `reason` says why, `gone` that the endpoint asked for no more calls at all.

    `is_exhausted`: no attempt was left after no response or a retry code. `is_recoverable`: the delivery is
    sent once more when its endpoint responds again.
    """

    reason: str
    gone: bool = False
    is_exhausted: bool = False
    is_recoverable: bool = False


@value_type(frozen=True, slots=True)
class PutBack:
    """A probe failed: its delivery is held, or dead and recoverable, as it was before."""

    reason: str


Verdict = Delivered | RetryAfter | DeadLettered | PutBack


def decide(
    outcome: HttpOutcome,
    definition: Definition,
    *,
    attempt: int,
    delays: tuple[int, ...],
    now: float,
    jitter: float,
) -> Verdict:
    """Judge the 1-based `attempt`. `delays` in seconds, one for each retry; `jitter` from 0 up to 1."""
    status = outcome.status if isinstance(outcome, HttpResponse) else NO_RESPONSE
    if status in definition.success_codes:
        return Delivered()
    said = what_came(outcome)
    if status == GONE:
        return DeadLettered(reason="endpoint gone (HTTP 410)", gone=True)
    if status not in (definition.retry_codes or DEFAULT_RETRY_CODES):
        return DeadLettered(reason=f"{said}, not a retry code")
    if attempt > definition.retry_count:
        return DeadLettered(reason=f"{said} at the last of {attempt} attempts", is_exhausted=True)
    asked = retry_after(outcome.retry_after, now) if isinstance(outcome, HttpResponse) else 0
    delay = delays[min(attempt, len(delays)) - 1] * (1 + JITTER * jitter)
    return RetryAfter(delay=min(MAX_DELAY, max(asked, round(delay))))


def what_came(outcome: HttpOutcome) -> str:
    """Say what came of an attempt, e.g. "HTTP 503"."""
    if not isinstance(outcome, HttpResponse):
        return f"no answer: {outcome.reason}"
    return f"HTTP {outcome.status} to {outcome.location}" if outcome.location else f"HTTP {outcome.status}"


def retry_after(value: str | None, now: float) -> int:
    """Read a Retry-After header, seconds or a date, as seconds from now, capped; 0 where it says nothing."""
    if value is None:
        return 0
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(MAX_DELAY, int(text[:6]))
    try:
        when = parsedate_to_datetime(text)
        seconds = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, TypeError, OverflowError, IndexError):
        return 0
    return max(0, min(MAX_DELAY, round(seconds)))
