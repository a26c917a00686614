"""Checks of webhooks that follow their tenants' changes: held deliveries are sent, or end."""

import logging

from webhooks.domain.errors import UnavailableError
from webhooks.domain.replay import WebhookCheck
from webhooks.domain.webhook import Webhook
from webhooks.domain.webhook_patch import begins_again
from webhooks.ports import RecoveryQueue

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
        try:
            self._queue.send(WebhookCheck(after.scope, after.id), delay=0)
        except UnavailableError as error:
            extra = {"webhook_id": after.id, "reason": str(error)}
            logger.warning("webhook.check_not_sent", extra=extra)
