"""The use case that replaces a webhook's `whsec_` secret."""

from collections.abc import Callable
from dataclasses import replace

from webhooks.domain.caller import Caller
from webhooks.domain.errors import AlreadyProcessedError, ConflictError, NotFoundError, StaleError
from webhooks.domain.secret_rotation import rotated
from webhooks.domain.webhook import Webhook
from webhooks.ports import Clock, Subscriptions
from webhooks.services.idempotency import CommunityRequest, Idempotency, is_at_revision
from webhooks.services.webhooks import NO_WEBHOOK, RACED, RACES


class WebhookSecrets:
    """Replaces webhooks' secrets; a secret is derived from its version, so none is stored."""

    def __init__(self, subscriptions: Subscriptions, *, clock: Clock) -> None:
        self._subscriptions = subscriptions
        self._idempotency = Idempotency(subscriptions)
        self._clock = clock

    def rotate(
        self, request: CommunityRequest, webhook_id: str, *, respond: Callable[[Caller, Webhook], str]
    ) -> str:
        """Replace a webhook's secret and return the response. Raises NotFoundError, ConflictError."""
        record = self._idempotency.find(request, is_at_revision)
        if isinstance(record, str):
            return record
        for _ in range(RACES):
            before = self._subscriptions.get(request.scope, webhook_id)
            if before is None:
                raise NotFoundError(NO_WEBHOOK)
            after = rotated(before, now=self._clock())
            response = respond(request.caller, after)
            try:
                self._subscriptions.change(before, after, record=replace(record, body=response))
            except StaleError:
                continue
            except AlreadyProcessedError:
                return self._idempotency.response(request, is_at_revision)
            return response
        raise ConflictError(RACED.format("request"))
