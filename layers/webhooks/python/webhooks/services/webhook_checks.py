"""Checks of webhooks that follow their tenants' changes: held deliveries are sent, or end."""

import logging

from webhooks.domain.errors import UnavailableError
from webhooks.domain.replay import WebhookCheck
from webhooks.domain.webhook import Webhook
from webhooks.domain.webhook_patch import begins_again
from webhooks.ports import RecoveryQueue

REMOVAL_SECONDS = 60  # a batch that read the webhook before it was deleted has ended by then

logger = logging.getLogger(__name__)


class WebhookChecks:
    """Sends a webhook's check once its change is stored.

    A change whose check could not be sent has been made all the same: the schedule of maintenance sends one
    within minutes.
    """

    def __init__(self, queue: RecoveryQueue) -> None:
        self._queue = queue

    def after_change(self, before: Webhook, after: Webhook) -> None:
        """Send a check where the webhook was resumed, enabled or disabled."""
        if not begins_again(before, after) and before.definition.disabled is after.definition.disabled:
            return
        self._send(after, delay=0)

    def before_removal(self, webhook: Webhook) -> None:
        """Send a check that ends the backlog of a webhook which is deleted now.

        No schedule finds a deleted one: it is sent first, and comes when no batch knows the webhook any more.
        Where the webhook stays, it is a look like any other.
        """
        if webhook.holds or webhook.health.backlog_since is not None:
            self._send(webhook, delay=REMOVAL_SECONDS)

    def _send(self, webhook: Webhook, *, delay: int) -> None:
        try:
            self._queue.send(WebhookCheck(webhook.scope, webhook.id), delay=delay)
        except UnavailableError as error:
            extra = {"webhook_id": webhook.id, "reason": str(error)}
            logger.warning("webhook.check_not_sent", extra=extra)
