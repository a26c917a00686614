"""The two lanes of deliveries: slow endpoints share no batch with quick ones. Pure."""

from enum import StrEnum

from webhooks.domain.http import HttpOutcome, HttpResponse, NoResponseReason

# Nothing reached the endpoint: where that was quick, it does not tell how fast the endpoint is.
NOT_SENT = frozenset(
    {
        NoResponseReason.REFUSED,
        NoResponseReason.DNS,
        NoResponseReason.CONNECT,
        NoResponseReason.TLS,
        NoResponseReason.OAUTH,
    }
)


class Lane(StrEnum):
    """Where a message was received."""

    FAST = "fast"
    SLOW = "slow"


def is_slow(outcome: HttpOutcome, limit: float) -> bool | None:
    """Tell whether an attempt took `limit` seconds or more; None where it does not tell.

    Its latency is the whole attempt's: lookup, token and callback. So long it held its batch.
    """
    if outcome.latency_ms >= limit * 1000:
        return True
    return False if isinstance(outcome, HttpResponse) or outcome.reason not in NOT_SENT else None
