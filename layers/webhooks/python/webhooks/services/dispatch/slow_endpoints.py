"""Keeps each webhook's mark of being slow true, with a write only where it changes."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from webhooks.domain.errors import StaleError, UnavailableError
from webhooks.domain.http import HttpOutcome
from webhooks.domain.lane import is_slow
from webhooks.domain.webhook import Webhook
from webhooks.ports import Clock, HealthStore
from webhooks.services.dispatch.stages import Decided

logger = logging.getLogger(__name__)

QUICK_AGAIN = 3  # quick attempts in a row that make a slow endpoint quick
REMEMBERED = 4096  # webhooks whose quick attempts are counted


class SlowEndpoints:
    """Watches attempts. `limit`: seconds from which one is slow."""

    def __init__(self, health: HealthStore, *, clock: Clock, limit: float) -> None:
        self._health = health
        self._clock = clock
        self._limit = limit
        self._quick: dict[str, int] = defaultdict(int)

    def observe(self, decided: Iterable[Decided]) -> None:
        """Take a batch's attempts into account."""
        outcomes: dict[str, list[HttpOutcome]] = defaultdict(list)
        webhooks: dict[str, Webhook] = {}
        for each in decided:
            webhooks[each.webhook.id] = each.webhook
            outcomes[each.webhook.id].append(each.outcome)
        for webhook_id, webhook in webhooks.items():
            self._observe(webhook, outcomes[webhook_id])

    def _observe(self, webhook: Webhook, outcomes: Iterable[HttpOutcome]) -> None:
        slow = [found for each in outcomes if (found := is_slow(each, self._limit)) is not None]
        if not slow:
            return
        if any(slow):
            self._quick.pop(webhook.id, None)
            if webhook.health.slow_since is None:
                self._mark(webhook, round(self._clock() * 1000))
        elif webhook.health.slow_since is not None:
            self._quick[webhook.id] += len(slow)
            if self._quick[webhook.id] >= QUICK_AGAIN:
                del self._quick[webhook.id]
                self._mark(webhook, None)
        if len(self._quick) > REMEMBERED:
            self._quick.clear()

    def _mark(self, webhook: Webhook, slow_since: int | None) -> None:
        try:
            self._health.save(webhook, replace(webhook.health, slow_since=slow_since))
        except (StaleError, UnavailableError) as error:  # the next batch will see the same and mark it
            logger.warning(
                "webhook.slow_mark_not_changed", extra={"webhook_id": webhook.id, "reason": str(error)}
            )
        else:
            logger.info(
                "webhook.slow_mark_changed", extra={"webhook_id": webhook.id, "slow": slow_since is not None}
            )
