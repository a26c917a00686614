"""Disables webhooks whose endpoints did not respond for days; ends backlogs of disabled and deleted ones."""

import logging
from dataclasses import replace

from webhooks.domain.delivery_log import LogEntry, Outcome
from webhooks.domain.errors import UnavailableError
from webhooks.domain.health import Health, State
from webhooks.domain.replay import WebhookCheck
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook
from webhooks.domain.webhook_event import webhook_event
from webhooks.ports import (
    Clock,
    DeliveryLog,
    DeliveryLogReader,
    EventPublisher,
    HealthStore,
    RecoveryQueue,
    Subscriptions,
)
from webhooks.services.recovery.stops import has_failed_in_a_row

DAY_MS = 86_400_000
END_PAGE = 100  # deliveries that become dead by one task
END_SECONDS = 60  # until a disabled webhook's backlog ends: a batch that saw it enabled has ended by then
DISABLED = "the webhook is disabled"
DELETED = "the webhook was deleted"

logger = logging.getLogger(__name__)


class Disabling:
    """Disables webhooks, and makes their held and recoverable deliveries dead."""

    def __init__(
        self,
        *,
        subscriptions: Subscriptions,
        health: HealthStore,
        reader: DeliveryLogReader,
        log: DeliveryLog,
        queue: RecoveryQueue,
        publisher: EventPublisher,
        clock: Clock,
    ) -> None:
        self._subscriptions = subscriptions
        self._health = health
        self._reader = reader
        self._log = log
        self._queue = queue
        self._publisher = publisher
        self._clock = clock

    def disable(self, webhook: Webhook, *, days: int) -> None:
        """Disable a webhook that had no success for days. Raises StaleError, UnavailableError."""
        since, now = down_since(webhook.health), self._now()
        reason = f"no success for {days} {'day' if days == 1 else 'days'}"
        after = replace(
            webhook,
            definition=replace(webhook.definition, disabled=True),
            disabled_reason=reason,
            revision=webhook.revision + 1,
            health=webhook.health.changed(now, State.DISABLED, reason),  # a success meanwhile stops the write
        )
        # First the write: a task that is sent for a write that fails would come beside its own repeat.
        self._subscriptions.change(webhook, after, record=None)
        self._queue.send(WebhookCheck(webhook.scope, webhook.id), delay=END_SECONDS)
        logger.warning("webhook.disabled", extra={"webhook_id": webhook.id, "reason": reason})
        try:
            text = webhook_event(after, State.DISABLED, at=now, since=since, reason=reason)
            self._publisher.publish(webhook.scope, text)
        except UnavailableError as error:
            logger.warning("webhook.event_not_sent", extra={"webhook_id": webhook.id, "reason": str(error)})

    def end_backlog(self, webhook: Webhook) -> None:
        """Make a page of a disabled webhook's backlog dead, and ask for the next one.

        The first task only marks the end as begun: its own id is the webhook's `recovery` then. Raises
        StaleError, UnavailableError.
        """
        health, now = webhook.health, self._now()
        if not health.backlog_since:
            self._forget(webhook, now)
            return
        if health.recovery != webhook.id:
            self._health.save(webhook, replace(health, recovery=webhook.id, recovery_at=now))
            self._queue.send(WebhookCheck(webhook.scope, webhook.id), delay=END_SECONDS)
            return
        if now - (health.recovery_at or 0) < END_SECONDS * 1000:
            return  # the task that the mark sent comes later
        if not self._end_page(webhook.scope, webhook.id, webhook.disabled_reason or DISABLED):
            self._forget(webhook, now)

    def end_deleted(self, task: WebhookCheck) -> None:
        """Make a page of a deleted webhook's backlog dead, and ask for the next one."""
        self._end_page(task.scope, task.webhook_id, DELETED)

    def _end_page(self, scope: Scope, webhook_id: str, reason: str) -> bool:
        """Make a page dead; tell whether others may follow, which are asked for."""
        now = self._now()
        page = self._reader.backlog(webhook_id, after=None, size=END_PAGE)
        dead = [_dead(entry, reason, now) for entry in page.entries if entry.scope == scope]
        if dead and self._log.record(dead):
            raise UnavailableError("dynamodb: the delivery log did not take an entry")
        is_behind = page.last is not None and not page.entries  # the index still has what was ended before
        if not dead and not is_behind:
            return False
        self._queue.send(WebhookCheck(scope, webhook_id), delay=1)
        logger.info("webhook.backlog_ended", extra={"webhook_id": webhook_id, "deliveries": len(dead)})
        return True

    def _forget(self, webhook: Webhook, now: int) -> None:
        """Clear the state of an endpoint that gets nothing any more; its changes of state stay."""
        health = webhook.health
        calm = replace(
            health,
            failing_since=None,
            held_since=None,
            backlog_since=None,
            failures=0,
            failures_since=None,
            probe_at=None,
            probe_delay=None,
            recovery=None,
            recovery_at=None,
        )
        if not health.changes or health.changes[-1].state is not State.DISABLED:
            calm = calm.changed(now, State.DISABLED, webhook.disabled_reason or DISABLED)
        if calm != health:
            self._health.save(webhook, calm)

    def _now(self) -> int:
        return round(self._clock() * 1000)


def is_hopeless(webhook: Webhook, *, has_backlog: bool, now: int, days: int) -> bool:
    """Tell whether a webhook is to be disabled: for days no attempt succeeded, and there were some.

    One that had no traffic since a single delivery failed is not: nothing is known of its endpoint.
    """
    since = down_since(webhook.health)
    if since is None or now - since < days * DAY_MS:
        return False
    return has_backlog or webhook.health.failures > webhook.definition.retry_count + 1


def down_since(health: Health) -> int | None:
    """Return since when an endpoint does not respond, in epoch ms; None where it does.

    One that failed again in its recovery has no mark, but its failures in a row began at a time. Without it
    probes, which count as no failures, would go on for ever.
    """
    marks = [each for each in (health.failing_since, health.held_since) if each is not None]
    if not marks and has_failed_in_a_row(health):
        return health.failures_since
    return min(marks, default=None)


def _dead(entry: LogEntry, reason: str, now: int) -> LogEntry:
    return replace(entry, outcome=Outcome.DEAD, is_recoverable=False, reason=reason, settled_at=now)
