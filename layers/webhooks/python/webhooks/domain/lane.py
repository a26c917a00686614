"""The two lanes of deliveries: whoever is slow shares no batch with whoever is quick. Pure."""

from collections.abc import Iterable
from enum import StrEnum

from webhooks.domain.exchange import Answer, Exchange, NoAnswerReason

# Nothing was waited for: it says nothing of the endpoint's pace.
NOT_SENT = frozenset({NoAnswerReason.REFUSED, NoAnswerReason.OAUTH})


class Lane(StrEnum):
    """Where a message was received."""

    FAST = "fast"
    SLOW = "slow"


def is_slow(exchanges: Iterable[Exchange], limit: float) -> bool | None:
    """Tell whether the endpoint took over `limit` seconds or did not answer; None where nothing says."""
    paces = [
        not isinstance(exchange, Answer) or exchange.latency_ms > limit * 1000
        for exchange in exchanges
        if isinstance(exchange, Answer) or exchange.reason not in NOT_SENT
    ]
    return any(paces) if paces else None
