"""Keeps the health of endpoints true: one write per webhook and batch, and only where it changes something.

What follows from a change is sent after its write. The schedule of functions/maintenance makes up for a check
that is lost, and an event that is lost costs nothing else. A backlog is different: its deliveries' messages
come again until the webhook is marked, since only the mark leads to them.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from webhooks.domain.errors import StaleError, UnavailableError
from webhooks.domain.health_rules import Change, HealthRules, Observed, observe, shown
from webhooks.domain.replay import WebhookCheck
from webhooks.domain.webhook import Webhook
from webhooks.domain.webhook_event import webhook_event
from webhooks.ports import Clock, EventPublisher, HealthStore, RecoveryQueue, Subscriptions
from webhooks.services.dispatch.observation import Concerned, joins_backlog, observation, quick_attempts
from webhooks.services.dispatch.webhook_cache import NO_CACHE, WebhookCache

RACES = 3  # reads of a webhook that others change meanwhile
QUICK_AGAIN = 3  # quick attempts in a row that make a slow endpoint quick
REMEMBERED = 4096  # webhooks whose quick attempts are counted

logger = logging.getLogger(__name__)


class HealthKeeper:
    """Watches deliveries. `slow_from`: seconds from which an attempt is slow.

    For one thread at a time, but for `mark_slow`.
    """

    def __init__(
        self,
        health: HealthStore,
        subscriptions: Subscriptions,
        *,
        recovery: RecoveryQueue,
        publisher: EventPublisher,
        clock: Clock,
        rules: HealthRules,
        slow_from: float,
        cache: WebhookCache = NO_CACHE,
    ) -> None:
        self._health = health
        self._subscriptions = subscriptions
        self._recovery = recovery
        self._publisher = publisher
        self._cache = cache
        self._clock = clock
        self._rules = rules
        self._slow_from = slow_from
        self._quick: dict[str, int] = defaultdict(int)

    @property
    def slow_from(self) -> float:
        """Seconds from which an attempt is slow."""
        return self._slow_from

    def mark_slow(self, webhook: Webhook) -> Webhook:
        """Mark a webhook slow whose attempt is still in flight; return it as it is then."""
        try:
            return self._apply(webhook, Observed(is_slow=True))
        except Exception as error:  # noqa: BLE001 - a thread beside the batch, whose end does it again
            _log_unsaved(webhook, error)
            return webhook

    def observe(self, stages: Iterable[Concerned], known: Mapping[str, Webhook]) -> set[str]:
        """Take a batch into account; `known`: webhooks that were written since it began, as they are now.

        Returns the ids of the messages that must come again: their webhook's backlog is not marked.
        """
        groups: dict[str, list[Concerned]] = defaultdict(list)
        for each in stages:
            groups[each.webhook.id].append(each)
        again: set[str] = set()
        for webhook_id, group in groups.items():
            if not self._observe(known.get(webhook_id, group[0].webhook), group):
                again |= {each.decoded.message.id for each in group if joins_backlog(each)}
        return again

    def _observe(self, webhook: Webhook, group: Sequence[Concerned]) -> bool:
        """Tell whether the webhook's backlog, if it has any, is marked."""
        was_slow = webhook.health.slow_since is not None
        seen = observation(group, slow_from=self._slow_from, was_slow=was_slow)
        if seen.is_slow:
            self._quick.pop(webhook.id, None)
        elif seen.is_slow is False:
            seen = replace(seen, is_slow=self._slow_after(webhook, group))
        try:
            self._apply(webhook, seen)
        except Exception as error:  # noqa: BLE001 - the boundary of one webhook: it costs no other's health
            _log_unsaved(webhook, error)
            return not seen.has_backlog or webhook.health.backlog_since is not None
        return True

    def _slow_after(self, webhook: Webhook, group: Sequence[Concerned]) -> bool | None:
        """Return False for a slow webhook that is quick again; None while its quick attempts are few."""
        if len(self._quick) > REMEMBERED:
            self._quick.clear()
        self._quick[webhook.id] += quick_attempts(group, slow_from=self._slow_from)
        if self._quick[webhook.id] < QUICK_AGAIN:
            return None
        del self._quick[webhook.id]
        return False

    def _apply(self, webhook: Webhook, seen: Observed) -> Webhook:
        """Write the change that follows, if any; return the webhook as it is then.

        Raises UnavailableError, also where others change the webhook all the time.
        """
        for _ in range(1 + RACES):
            relevant = seen if webhook.enabled else Observed(has_backlog=seen.has_backlog)
            change = observe(webhook.health, relevant, self._rules, now=round(self._clock() * 1000))
            if change is None:
                return webhook
            self._cache.forget([webhook.id])
            try:
                self._health.save(webhook, change.health)
            except StaleError:
                read = self._subscriptions.get(webhook.scope, webhook.id)
                if read is None:  # deleted meanwhile
                    return webhook
                webhook = read
                continue
            saved = replace(webhook, health=replace(change.health, version=webhook.health.version + 1))
            self._follow(webhook, saved, change)
            return saved
        raise UnavailableError("dynamodb: the webhook changes all the time")

    def _follow(self, before: Webhook, webhook: Webhook, change: Change) -> None:
        """Send what follows from a change that is written."""
        state = shown(webhook.health)
        if state is not shown(before.health):
            extra = {"webhook_id": webhook.id, "state": state.value, "reason": change.reason}
            logger.info("webhook.health_changed", extra=extra)
        if change.check is not None:
            send_check(self._recovery, webhook, probe_at=change.check.probe_at, delay=change.check.delay)
        if change.state is not None:
            at = webhook.health.changes[-1].at
            send_event(
                self._publisher,
                webhook,
                webhook_event(webhook, change.state, at=at, since=change.since, reason=change.reason),
            )


def send_check(recovery: RecoveryQueue, webhook: Webhook, *, probe_at: int | None, delay: int) -> None:
    """Ask for a look at a webhook; where that fails the schedule makes up for it."""
    try:
        recovery.send(WebhookCheck(webhook.scope, webhook.id, probe_at), delay=delay)
    except Exception as error:  # noqa: BLE001 - the change is written, and stays
        logger.warning("webhook.check_not_sent", **_told(webhook, error))


def send_event(publisher: EventPublisher, webhook: Webhook, text: str) -> None:
    """Tell a webhook's community of a change; where that fails it costs nothing else."""
    try:
        publisher.publish(webhook.scope, text)
    except Exception as error:  # noqa: BLE001 - the change is written, and stays
        logger.warning("webhook.event_not_sent", **_told(webhook, error))


def _log_unsaved(webhook: Webhook, error: Exception) -> None:
    logger.warning("webhook.health_not_saved", **_told(webhook, error))


def _told(webhook: Webhook, error: Exception) -> dict[str, Any]:
    """Return a log line's part on an error: an outage by its text, a fault of our code by its place."""
    if isinstance(error, UnavailableError):
        return {"extra": {"webhook_id": webhook.id, "reason": str(error)}}
    return {"extra": {"webhook_id": webhook.id, "reason": type(error).__name__}, "exc_info": error}
