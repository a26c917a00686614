"""Disables the webhooks whose endpoints are gone (410), last of a batch: that can take long.

Where it does not happen the next 410 does it.
"""

import logging
from collections.abc import Iterable
from dataclasses import replace

from webhooks.domain.errors import StaleError, WebhooksError
from webhooks.domain.health import State
from webhooks.domain.retry import DeadLettered
from webhooks.domain.webhook import Webhook
from webhooks.domain.webhook_event import webhook_event
from webhooks.ports import Clock, EventPublisher, RecoveryQueue, Subscriptions, TimeLeft
from webhooks.services.dispatch.health_keeper import send_check, send_event
from webhooks.services.dispatch.observation import tells
from webhooks.services.dispatch.stages import Decided
from webhooks.services.dispatch.webhook_cache import NO_CACHE, WebhookCache

RACES = 5  # with batches that change the webhook's health

logger = logging.getLogger(__name__)

# A change that loses race after race in a busy community takes 10, a call that hangs 9.
DISABLING_SECONDS = 15
BACKLOG_SECONDS = 60  # until a disabled webhook's backlog ends: a batch that saw it enabled has ended by then


class GoneEndpoints:
    """Disables webhooks. `time_left`: of the invocation."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        *,
        recovery: RecoveryQueue,
        publisher: EventPublisher,
        clock: Clock,
        time_left: TimeLeft,
        cache: WebhookCache = NO_CACHE,
    ) -> None:
        self._subscriptions = subscriptions
        self._recovery = recovery
        self._publisher = publisher
        self._cache = cache
        self._clock = clock
        self._time_left = time_left

    def disable(self, decided: Iterable[Decided]) -> None:
        """Disable the webhooks whose endpoints answered 410."""
        gone = {
            each.webhook.id: (each, each.verdict.reason)
            for each in decided
            if isinstance(each.verdict, DeadLettered) and each.verdict.gone
        }
        self._cache.forget(gone)
        for each, reason in gone.values():
            if self._time_left() < DISABLING_SECONDS:
                why = "the invocation has no time left for it"
                logger.warning("webhook.not_disabled", extra={"webhook_id": each.webhook.id, "reason": why})
                continue
            try:
                after, at = self._disable(each.webhook, reason)
            except WebhooksError as error:
                # Its tenant changed it meanwhile, or the store is away: the next 410 disables it.
                why = str(error)
                logger.warning("webhook.not_disabled", extra={"webhook_id": each.webhook.id, "reason": why})
            else:
                logger.warning("webhook.disabled", extra={"webhook_id": after.id, "reason": reason})
                self._follow(after, reason, at=at, is_told=tells([each]))

    def _disable(self, webhook: Webhook, reason: str) -> tuple[Webhook, int]:
        """Disable a webhook; return it as it is then, and the time in epoch ms. Raises WebhooksError."""
        at, now = round(self._clock() * 1000), webhook
        for _ in range(RACES):
            after = _disabled(now, reason, at)
            try:
                self._subscriptions.change(now, after, record=None)
            except StaleError:
                read = self._subscriptions.get(webhook.scope, webhook.id)
                if read is None or read.revision != webhook.revision:
                    raise
                now = read  # only its health changed, by this batch's attempts or by those of another
            else:
                return after, at
        raise StaleError

    def _follow(self, webhook: Webhook, reason: str, *, at: int, is_told: bool) -> None:
        if webhook.health.backlog_since is not None:
            send_check(self._recovery, webhook, probe_at=None, delay=BACKLOG_SECONDS)
        if is_told:
            text = webhook_event(webhook, State.DISABLED, at=at, since=at, reason=reason)
            send_event(self._publisher, webhook, text)


def _disabled(webhook: Webhook, reason: str, at: int) -> Webhook:
    return replace(
        webhook,
        definition=replace(webhook.definition, disabled=True),
        disabled_reason=reason,
        revision=webhook.revision + 1,
        health=webhook.health.changed(at, State.DISABLED, reason),
    )
