"""Restarts probes, recoveries and ends of backlogs whose task was lost: looks at all unhealthy webhooks.

The look counts them by their state too: no other work reads all of them.
"""

import logging
from collections.abc import Sequence
from dataclasses import field
from itertools import batched

from webhooks.domain.errors import CorruptError, UnavailableError
from webhooks.domain.replay import LIVING_MS, WebhookCheck
from webhooks.domain.values import value_type
from webhooks.domain.webhook import Webhook
from webhooks.ports import Clock, HealthStore, RecoveryQueue, Subscriptions, TimeLeft
from webhooks.services.recovery.stops import is_marked, is_troubled
from webhooks.services.unhealthy import Unhealthy

OVERDUE_MS = 120_000  # after a probe's time: its task was lost
PAGE = 100  # webhooks that are read at once
SECONDS = 20  # of the invocation that stay for the last page

logger = logging.getLogger(__name__)


@value_type(frozen=True, slots=True)
class Restarted:
    """The numbers of a run: webhooks looked at, and tasks sent. `is_whole`: all webhooks were looked at."""

    webhooks: int
    sent: int
    is_whole: bool
    unhealthy: Unhealthy = field(default_factory=Unhealthy, compare=False)


class Restarts:
    """Sends a task for each webhook that waits for one."""

    def __init__(
        self,
        *,
        health: HealthStore,
        subscriptions: Subscriptions,
        queue: RecoveryQueue,
        clock: Clock,
        time_left: TimeLeft,
    ) -> None:
        self._health = health
        self._subscriptions = subscriptions
        self._queue = queue
        self._clock = clock
        self._time_left = time_left

    def run(self) -> Restarted:
        """Look at all unhealthy webhooks, as far as the time allows. Raises UnavailableError."""
        looked, sent, unhealthy = 0, 0, Unhealthy()
        for keys in batched(self._health.all_unhealthy(), PAGE, strict=False):
            if self._time_left() < SECONDS:
                logger.error("checks.stopped", extra={"webhooks": looked, "sent": sent})
                return Restarted(looked, sent, is_whole=False, unhealthy=unhealthy)
            found = self._subscriptions.get_many(keys).values()
            readable = [each for each in found if not isinstance(each, CorruptError)]
            looked += len(keys)
            unhealthy.count(readable)
            sent += self._restart(readable)
        logger.info("checks.completed", extra={"webhooks": looked, "sent": sent})
        return Restarted(looked, sent, is_whole=True, unhealthy=unhealthy)

    def _restart(self, webhooks: Sequence[Webhook]) -> int:
        now = round(self._clock() * 1000)
        waiting = [webhook for webhook in webhooks if waits(webhook, now)]
        sent = 0
        for webhook in waiting:
            try:
                self._queue.send(WebhookCheck(webhook.scope, webhook.id), delay=0)
            except UnavailableError as error:  # the next run sends it
                logger.warning("check.not_sent", extra={"webhook_id": webhook.id, "reason": str(error)})
            else:
                sent += 1
        return sent


def waits(webhook: Webhook, now: int) -> bool:
    """Tell whether a webhook waits for a task that does not come; `now` in epoch ms."""
    health = webhook.health
    if webhook.enabled and webhook.definition.paused:
        return False
    if webhook.enabled and is_marked(webhook):
        return now - (health.probe_at or 0) > OVERDUE_MS
    if health.backlog_since is None:
        return False
    if webhook.enabled and is_troubled(webhook) and health.probe_at is not None:
        return now - health.probe_at > OVERDUE_MS  # its recovery has ended, and probes go on
    return now - (health.recovery_at or 0) > LIVING_MS
