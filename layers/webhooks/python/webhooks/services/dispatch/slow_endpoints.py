"""Keeps each webhook's mark of being slow true, with a write only where it changes."""

import logging
from collections import defaultdict
from collections.abc import Iterable

from webhooks.domain.errors import UnavailableError
from webhooks.domain.http import HttpOutcome
from webhooks.domain.lane import is_slow
from webhooks.domain.webhook import Webhook
from webhooks.ports import Clock, SlowMarks

logger = logging.getLogger(__name__)

QUICK_AGAIN = 3  # quick attempts in a row that make a slow endpoint quick
REMEMBERED = 4096  # webhooks whose quick attempts are counted


class SlowEndpoints:
    """Watches attempts. `limit`: seconds from which one is slow."""

    def __init__(self, marks: SlowMarks, *, clock: Clock, limit: float) -> None:
        self._marks = marks
        self._clock = clock
        self._limit = limit
        self._quick: dict[str, int] = defaultdict(int)

    def observe(self, webhook: Webhook, exchanges: Iterable[HttpOutcome]) -> None:
        """Take a batch's exchanges with one webhook into account."""
        paces = [pace for each in exchanges if (pace := is_slow(each, self._limit)) is not None]
        if not paces:
            return
        if any(paces):
            self._quick.pop(webhook.id, None)
            if webhook.slow_since is None:
                self._mark(webhook, int(self._clock()))
        elif webhook.slow_since is not None:
            self._quick[webhook.id] += len(paces)
            if self._quick[webhook.id] >= QUICK_AGAIN:
                del self._quick[webhook.id]
                self._mark(webhook, None)
        if len(self._quick) > REMEMBERED:
            self._quick.clear()

    def _mark(self, webhook: Webhook, slow_since: int | None) -> None:
        try:
            self._marks.mark(webhook.scope, webhook.id, slow_since=slow_since)
        except UnavailableError as error:  # the next batch will see the same and mark it
            logger.warning("webhook.unmarked", extra={"webhook_id": webhook.id, "reason": str(error)})
        else:
            logger.info(
                "webhook.slow_mark_changed", extra={"webhook_id": webhook.id, "slow": slow_since is not None}
            )
